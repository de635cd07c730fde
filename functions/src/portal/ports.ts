import type { Kennitala } from '../domain/kennitala.ts';
import type { Decision, StoredMember } from '../domain/member/decide-change.ts';
import type { PendingEdit } from '../domain/member/keep-pending-edits.ts';

/** What a member's document was when it was read: writing can depend on it being so still. Opaque to features. */
export type DocumentState = string | null;

export interface SeenMember {
  readonly stored: StoredMember | null;
  readonly state: DocumentState;
}

/** What an event ended in, kept under its id so that a repetition is answered alike. */
export interface Receipt {
  readonly result: 'applied' | 'stale';
  readonly action: 'create' | 'update' | 'delete';
  /** The opaque reference. */
  readonly member: string;
  /** Whether it made somebody join or leave: a repetition must ask for the roster again, lest nobody did. */
  readonly changesRoster: boolean;
}

export interface ChangeRequest {
  readonly kennitala: Kennitala;
  /** The sender's id of the event; null when it has none. */
  readonly eventId: string | null;
  /** Applied only while the document is in this state; undefined: in any. */
  readonly ifState?: DocumentState;
  readonly at: Date;
  /** Null: it cannot be decided by what is stored; then nothing is written. */
  readonly decide: (stored: StoredMember | null, pending: readonly PendingEdit[]) => Decision | null;
  readonly toReceipt: (decision: Decision) => Receipt;
}

export type ChangeOutcome =
  | { readonly kind: 'decided'; readonly decision: Decision; readonly receipt: Receipt }
  /** The event had been received before; the receipt is the first one. */
  | { readonly kind: 'duplicate'; readonly receipt: Receipt }
  /** The document is not in the expected state any more; nothing was written. */
  | { readonly kind: 'moved' }
  /** `decide` could not say; nothing was written. */
  | { readonly kind: 'undecided' };

/** `members/{kennitala}` and the receipts. Every call throws `store_unavailable` when the outcome is not durable. */
export interface MemberStore {
  read(kennitala: Kennitala): Promise<SeenMember>;
  /** One transaction: receipt, member and pending edits are read, `decide` chooses, member and receipt are written. */
  applyChange(request: ChangeRequest): Promise<ChangeOutcome>;
}

export interface MemberReader {
  /**
   * `GET /api/sync/member/<ssn>/`: the member as the registry spells it, or null when it has none (404).
   * Throws the `registry_*` codes.
   */
  readMember(kennitala: Kennitala, options: { readonly signal: AbortSignal }): Promise<unknown>;
}

/** Says that the roster does not list who is a member any more. */
export interface RosterRefresh {
  /** Returns when the request is durable. Throws `store_unavailable`. Many requests at about one time make one run. */
  request(at: Date): Promise<void>;
}
