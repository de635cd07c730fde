/** Somebody who has proved to be an administrator. `id` goes to the record of who did what. */
export interface AdminCaller {
  readonly kind: 'person' | 'service-account';
  /** A Firebase user id, or a service account's e-mail address. */
  readonly id: string;
}

/**
 * Proves who calls. Throws `unauthenticated` when there is no token or it is not valid now, `forbidden` when
 * it is valid but its owner is no administrator.
 */
export type AuthorizeAdmin = (authorizationHeader: string | undefined) => Promise<AdminCaller>;
