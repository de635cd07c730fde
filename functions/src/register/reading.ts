import type { Kennitala } from '../domain/kennitala.ts';
import type { SyncLogDetails, SyncType } from './ports.ts';

export type SyncLogStatus = 'pending' | 'success' | 'failed';

/** A row of `sync_log` as it stands. */
export interface SyncLogEntry {
  readonly id: number;
  readonly sync_type: SyncType;
  readonly sync_timestamp: Date;
  readonly members_added: number;
  readonly members_removed: number;
  readonly members_verified: number;
  readonly error_count: number;
  readonly status: SyncLogStatus;
  readonly details: SyncLogDetails;
}

export interface RegisterStatus {
  readonly lastRun: SyncLogEntry | null;
  readonly lastSuccess: SyncLogEntry | null;
  readonly active: number;
  readonly inactive: number;
  /** Notifications that a subscriber has not confirmed and that are still tried. */
  readonly waitingNotifications: number;
}

export interface LogQuery {
  readonly limit: number;
  /** Entries with a smaller id. */
  readonly before: number | null;
  readonly status: SyncLogStatus | null;
  readonly type: SyncType | null;
}

export interface Eligibility {
  readonly kennitala: Kennitala;
  readonly active: boolean;
  /** When they joined, as the registry says; else when the register first had them. Null unless active. */
  readonly since: Date | null;
}

export interface ChangedRow {
  /** `members.id` */
  readonly memberId: number;
  readonly kind: 'added' | 'reactivated' | 'updated' | 'removed';
  readonly kennitala: Kennitala;
}

/** Every call but `readSchema` throws `schema_outdated` for an older database; all throw `database_*`. */
export interface RegisterReader {
  readSchema(): Promise<{ readonly version: number; readonly needed: number }>;
  readStatus(): Promise<RegisterStatus>;
  /** Newest first. */
  readLogs(query: LogQuery): Promise<SyncLogEntry[]>;
  /** In the order asked. `verifiedAt`: when the register was last known to equal the registry. */
  readEligibility(
    kennitalas: readonly Kennitala[],
  ): Promise<{ readonly members: Eligibility[]; readonly verifiedAt: Date | null }>;
  /** What a run changed, by ascending row id above `after`. */
  readChanges(runId: string, page: { readonly after: number; readonly limit: number }): Promise<ChangedRow[]>;
}
