import type { Kennitala } from '../domain/kennitala.ts';
import type { MirrorName, RunRecord } from './types.ts';

/** The last run of a mirror that ended with the mirror equal to the registry. */
export interface LastSuccess {
  readonly runId: string;
  readonly at: Date;
  readonly memberCount: number;
}

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
}

export type Begun =
  | {
      readonly kind: 'begun';
      readonly lease: Lease;
      readonly lastSuccess: LastSuccess | null;
      /** The run whose lease had expired unclosed: its record has been marked `failed` / `abandoned`. */
      readonly abandonedRunId: string | null;
    }
  | { readonly kind: 'held'; readonly owner: string; readonly expiresAt: Date }
  | { readonly kind: 'already-done'; readonly runId: string };

export interface BeginOptions {
  readonly record: RunRecord;
  readonly leaseExpiresAt: Date;
  readonly occurrence: ScheduledOccurrence | null;
}

export interface FinishOptions {
  readonly lease: Lease;
  readonly record: RunRecord;
  /** Remembers the occurrence as done, so that another delivery of it is skipped. */
  readonly occurrenceDone: ScheduledOccurrence | null;
}

export interface PlannedChanges {
  readonly added: readonly Kennitala[];
  readonly removed: readonly Kennitala[];
}

/**
 * Leases and run records, which live in one store so that taking a lease and opening the record are one
 * transaction, and so are closing the record and giving the lease back.
 *
 * Every call throws `audit_unavailable` when the store does not take it; nothing is half written.
 */
export interface RunStore {
  /** Takes the lease and opens the record, or says who holds it. Closes the record of a run that crashed. */
  begin(options: BeginOptions): Promise<Begun>;
  /**
   * Writes what is about to be done, before it is done. Throws `lease_lost` when another run has taken over:
   * then nothing may be applied.
   */
  recordPlan(lease: Lease, record: RunRecord, changes: PlannedChanges): Promise<void>;
  /** Closes the record in any case, and gives the lease back if it is still ours. */
  finish(options: FinishOptions): Promise<void>;
  /** Writes the record of a run that took no lease (a dry run, a skipped run). */
  append(record: RunRecord): Promise<void>;
  readLastSuccess(mirror: MirrorName): Promise<LastSuccess | null>;
  /** Newest first. */
  recent(mirror: MirrorName, limit: number): Promise<RunRecord[]>;
}
