/**
 * Secrets by their short names, such as `django-api-token`. Every failure is SyncError `secret_unavailable`, whose
 * message names the secret, what is wrong and what to do, never a value.
 */
export interface SecretSource {
  /** The newest version. Cached for minutes; concurrent reads share one request. */
  readonly read: (name: string) => Promise<string>;
  /** Every version that is in force, newest first: during a rotation the old one still is. At least one. */
  readonly readAll: (name: string) => Promise<readonly string[]>;
  /** Forgets what is cached under the name, because the other side refused it. */
  readonly drop: (name: string) => void;
}

/** One secret of a source, as the registry client wants its token. */
export const makeTokenSource = (
  secrets: Pick<SecretSource, 'read' | 'drop'>,
  name: string,
): { readonly read: () => Promise<string>; readonly drop: () => void } => ({
  read: () => secrets.read(name),
  drop: () => secrets.drop(name),
});
