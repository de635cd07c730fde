import type { ErrorCode } from '../lib/errors.ts';

export interface Tally {
  readonly success: number;
  readonly failed: number;
}

/** `sync_logs/{id}`: one a run. It stays `running` when the run died. */
export interface TwoWayRecord {
  readonly id: string;
  readonly trigger: 'schedule' | 'http';
  readonly status: 'running' | 'success' | 'partial' | 'error';
  readonly startedAt: Date;
  readonly completedAt: Date | null;
  /** Deliveries of members' edits. */
  readonly firestoreToDjango: Tally;
  /** Members of whom the registry's change queue told. */
  readonly djangoToFirestore: Tally;
  readonly conflicts: number;
  /** Synced items of the queue that were old enough to be deleted. */
  readonly cleaned: number;
  readonly errorCode: ErrorCode | null;
  readonly error: string | null;
  /** The proved identity of who asked for it; null for a scheduled run. */
  readonly requestedBy: string | null;
  readonly expireAt: Date;
}

/** 12 months, as every run's record. */
export const RECORD_KEPT_MS = 365 * 24 * 60 * 60_000;
