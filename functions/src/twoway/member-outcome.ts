import type { SyncError } from '../lib/errors.ts';
import type { Claimed, Delivery } from './delivery.ts';

/** How a member's waiting edits stand after a delivery. */
export type MemberOutcome = MemberTally &
  (
    | { readonly kind: 'done' }
    /** Somebody else delivers; what they carry is in `delivery`. */
    | { readonly kind: 'busy'; readonly delivery: Delivery }
    | { readonly kind: 'waiting'; readonly until: Date; readonly failure: SyncError | null }
    | { readonly kind: 'failed'; readonly failure: SyncError }
  );

export interface MemberTally {
  readonly synced: number;
  readonly refused: number;
  readonly conflicts: number;
}

export const NOTHING_ENDED: MemberTally = { synced: 0, refused: 0, conflicts: 0 };

export interface DeliverOptions {
  readonly signal: AbortSignal;
  /** Tries at once what waits after a failure. */
  readonly isUrgent?: boolean;
}

/** Where a member stands between two turns. */
export type Turn = { readonly claimed: Claimed } | { readonly outcome: MemberOutcome };
