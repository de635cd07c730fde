import type { KennitalaSequence } from '../domain/kennitala-list.ts';
import type { Cursor, LastSuccess, MirrorName, Pause, RunRecord, Unfinished } from './mirror.ts';

/** One occurrence of a schedule. Cloud Scheduler may deliver it more than once. */
export interface ScheduledOccurrence {
  readonly job: string;
  /** ISO 8601, as Cloud Scheduler sends it. */
  readonly time: string;
}

/** Says that the run `owner` may change the mirror until it gives the lease back or the time is up. */
export interface Lease {
  readonly mirror: MirrorName;
  /** The run's id. */
  readonly owner: string;
  readonly expiresAt: Date;
  /** An operator decided about this very run, so a pause does not stop it. */
  readonly passesPause?: boolean;
}

/** What the runs before have left. */
export interface PreviousRuns {
  readonly lastSuccess: LastSuccess | null;
  readonly unfinished: Unfinished | null;
  readonly cursor: Cursor | null;
  /** The run whose lease had expired unclosed: its record is marked `failed` / `abandoned` when the lease is taken. */
  readonly abandonedRunId: string | null;
}

export type Begun =
  | ({ readonly kind: 'begun'; readonly lease: Lease } & PreviousRuns)
  | { readonly kind: 'held'; readonly owner: string; readonly expiresAt: Date }
  | { readonly kind: 'already-done'; readonly runId: string }
  | { readonly kind: 'paused'; readonly pause: Pause };

export interface BeginOptions {
  readonly record: RunRecord;
  readonly leaseExpiresAt: Date;
  readonly occurrence: ScheduledOccurrence | null;
  readonly passesPause?: boolean;
  /**
   * Called when nobody was found to hold the lease, before it is taken, with what `begun` will say; again when somebody
   * came between. Must not throw.
   */
  readonly whenFree?: (found: PreviousRuns) => void;
}

export interface FinishOptions {
  readonly lease: Lease;
  readonly record: RunRecord;
  /** Remembers the occurrence as done, so that another delivery of it is skipped. */
  readonly occurrenceDone: ScheduledOccurrence | null;
  /** Where the next run goes on; null: it plans anew. Missing: as it stands. */
  readonly cursor?: Cursor | null;
  /** From now on the mirror stays as this run leaves it. */
  readonly pause?: Pause;
}

export interface PlannedChanges {
  readonly added: KennitalaSequence;
  readonly removed: KennitalaSequence;
  /**
   * Remembered until a run ends with the mirror equal to the registry. Not given for a mirror that is one object, written
   * whole or not at all.
   */
  readonly letThrough?: Unfinished;
  /** With `letThrough`: where the plan is gone on with; null for one that begins. */
  readonly cursor?: Cursor | null;
  /** From now on the mirror stays as this run leaves it. */
  readonly pause?: Pause;
}

/**
 * Leases and run records, which live in one store so that taking a lease and opening the record are one
 * transaction, and so are closing the record and giving the lease back.
 *
 * Each write of a record adds a link to a chain of records, in the same commit.
 *
 * Every call throws `audit_unavailable` when the store does not take it, and those that write `secret_unavailable` when there
 * is no key to sign with; nothing is half written.
 */
export interface RunStore {
  /**
   * Takes the lease and opens the record, or says why not: another run holds it, this occurrence has been done, or the
   * mirror is paused. Closes the record of a run that crashed.
   */
  begin(options: BeginOptions): Promise<Begun>;
  /**
   * Writes what is about to be done, before it is done. Throws `lease_lost` when another run has taken over, and
   * `paused` when the mirror has been paused since the run began: then nothing may be applied. Returns the record as it is
   * stored, which names its lists.
   */
  recordPlan(lease: Lease, record: RunRecord, changes: PlannedChanges): Promise<RunRecord>;
  /**
   * Keeps who a plan would add and remove although it is not applied: whoever decides about it has to see them. The
   * same place, and the same end, as the lists of a run. Returns the record that names them, which is to be stored next.
   */
  keepLists(record: RunRecord, changes: Pick<PlannedChanges, 'added' | 'removed'>): Promise<RunRecord>;
  /** Throws `lease_lost` when another run has taken over. */
  keepCursor(lease: Lease, cursor: Cursor | null, unfinished: Unfinished): Promise<void>;
  /** The signed head of the chain that the lease's last write made, in one line. */
  headOf(lease: Lease): string | null;
  /** Closes the record in any case, and gives the lease back if it is still ours. */
  finish(options: FinishOptions): Promise<void>;
  /** Writes the record of a run that took no lease (a dry run, a skipped run). */
  append(record: RunRecord): Promise<void>;
  readLastSuccess(mirror: MirrorName): Promise<LastSuccess | null>;
  /**
   * The proved identities of those who had this plan made, by a dry run or by a run that stopped at it: the first is first.
   * A scheduled run has none, and asking for an approval makes nobody a planner.
   */
  readPlanners(planId: string): Promise<readonly string[]>;
  readUnfinished(mirror: MirrorName): Promise<Unfinished | null>;
  /** Newest first. */
  recent(mirror: MirrorName, limit: number): Promise<RunRecord[]>;
}
