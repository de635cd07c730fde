/** Why a change was refused, as the companion app names it. */
export type ApplyErrorCode =
  | 'malformed'
  | 'unknown_member'
  | 'unknown_path'
  | 'invalid_value'
  | 'address_unsupported'
  | 'action_not_allowed';

/** The answer to one change of `POST /api/sync/apply/`. Values are in the portal's spelling, by path. */
export interface ApplyResult {
  /** Ten digits, however the change spelled them. */
  readonly ssn: string;
  readonly status: 'success' | 'error' | 'conflict';
  readonly message?: string;
  readonly code?: ApplyErrorCode;
  readonly updated_fields?: readonly string[];
  readonly version?: number;
  readonly current?: Readonly<Record<string, unknown>>;
  /** When the registry's own value was last changed, for whoever decides a conflict; null when it never was. */
  readonly changed_at?: string | null;
}
