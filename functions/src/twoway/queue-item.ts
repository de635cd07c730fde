import type { Kennitala } from '../domain/kennitala.ts';
import type { Json } from '../domain/member/field-row.ts';
import type { Delivery } from './delivery.ts';
import type { EditTime } from './edit-time.ts';

/**
 * synced      the registry has the value, or one that the member wrote later
 * failed      a dead letter: the registry refused it, or could not be reached for three days
 * conflict    the registry had another value and kept it
 */
export type SyncStatus = 'pending' | 'synced' | 'failed' | 'conflict';

/** What became of one path. `superseded`: the member wrote again; `cancelled`: they went back to the old value. */
export type PathOutcome = 'synced' | 'superseded' | 'cancelled' | 'failed' | 'conflict';

export interface PathEdit {
  readonly oldValue: Json;
  readonly newValue: Json;
}

export interface SettledEdit extends PathEdit {
  readonly outcome: PathOutcome;
}

/** Who delivers a member's edits now. After `expiresAt` anybody may take over. */
export interface Claim {
  readonly owner: string;
  readonly expiresAt: Date;
}

/**
 * `sync_queue/{id}`: one write of the member's own, or one decision of an operator.
 *
 *     pending ──delivered──▶ synced        Paths can end apart: `changes` holds those that still wait, `settled` the
 *        ├──refused────────▶ failed        others. With the last one the item takes the gravest outcome of its paths.
 *        └──overruled──────▶ conflict
 *
 * `claim`, `delivery` and what concerns tries stand on one item for all of its member's; see `delivery.ts`.
 */
export interface QueueItem {
  readonly id: string;
  readonly kennitala: Kennitala;
  readonly djangoId: number | null;
  readonly action: 'create' | 'update';
  readonly changes: Readonly<Record<string, PathEdit>>;
  readonly settled: Readonly<Record<string, SettledEdit>>;
  readonly status: SyncStatus;
  readonly editedAt: EditTime;
  /** The member edited a document that held more of their own edits: one may be late that comes before this one. */
  readonly isContinuation: boolean;
  readonly createdAt: Date;
  /** When it was over: the registry had it, or an operator decided that it stays a dead letter. */
  readonly syncedAt: Date | null;
  /** For an operator; it names fields and codes, and may quote the registry. Never logged. */
  readonly errorMessage: string | null;
  readonly retryCount: number;
  readonly nextAttemptAt: Date;
  /** From then on a failure is the last. */
  readonly retryUntil: Date;
  /** Deliveries that have stood on this item: each goes by an id of its own. */
  readonly deliveries: number;
  readonly claim: Claim | null;
  readonly delivery: Delivery | null;
}

/** A dead letter about which an operator has decided: it stays undelivered, and waits for nobody. */
export const isGivenUp = ({ status, syncedAt }: Pick<QueueItem, 'status' | 'syncedAt'>): boolean =>
  status === 'failed' && syncedAt !== null;

export const RETRIED_FOR_MS = 3 * 24 * 60 * 60_000;

export type NewItem = Pick<
  QueueItem,
  'id' | 'kennitala' | 'djangoId' | 'action' | 'changes' | 'editedAt' | 'isContinuation'
>;

export const makeQueueItem = (facts: NewItem, now: Date): QueueItem => ({
  ...facts,
  settled: {},
  status: 'pending',
  createdAt: now,
  syncedAt: null,
  errorMessage: null,
  retryCount: 0,
  nextAttemptAt: now,
  retryUntil: new Date(now.getTime() + RETRIED_FOR_MS),
  deliveries: 0,
  claim: null,
  delivery: null,
});
