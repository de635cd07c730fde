import type { Kennitala } from '../domain/kennitala.ts';

export type SyncType = 'membership' | 'webhook' | 'manual';

/** Bits of `StagedMember.said`: a column that the registry did not mention keeps its value. */
export const SAID = { name: 1, email: 2, phone: 4, externalId: 8, dateJoined: 16, version: 32 } as const;

/** One member as the register's columns hold it. */
export interface StagedMember {
  readonly kennitala: Kennitala;
  readonly name: string;
  readonly email: string | null;
  readonly phone: string | null;
  readonly external_id: string | null;
  /** ISO 8601; goes to `metadata`. */
  readonly date_joined: string | null;
  /** Goes to `metadata`. */
  readonly version: number | null;
  /** Of the registry's digest; null where it gave none, and then also in the row. */
  readonly digest_a: number | null;
  readonly digest_b: number | null;
  readonly said: number;
}

/** Somebody whom the registry lists but who could not be read: known by one of the two, so that nobody is removed. */
export interface KnownUnreadable {
  readonly kennitala: Kennitala | null;
  readonly external_id: string | null;
}

export interface RegisterDifferences {
  /** Active members before. */
  readonly active: number;
  readonly inactive: number;
  /** Each ascending. */
  readonly added: readonly Kennitala[];
  readonly reactivated: readonly Kennitala[];
  readonly updated: readonly Kennitala[];
  readonly removed: readonly Kennitala[];
  /** How many of the updated would lose what a column holds, by column. */
  readonly blanked: Readonly<Record<'name' | 'email' | 'phone', number>>;
  /** Compared members whose row is equal. */
  readonly unchanged: number;
  /** SHA-256 (hex) over every operation and the row that it changes, as that row was. */
  readonly digest: string;
}

export interface SyncLogCounts {
  readonly added: number;
  readonly removed: number;
  readonly verified: number;
  readonly errors: number;
}

/** Counts, codes and opaque references only. */
export type SyncLogDetails = Readonly<Record<string, unknown>>;

export interface Notification {
  readonly messageId: string;
  readonly subscriber: string;
  /** The JSON text that is signed and sent. */
  readonly body: string;
}

export interface CommitOrder {
  /** When the run started: what it read was true then or later. */
  readonly at: Date;
  readonly logId: number;
  readonly counts: SyncLogCounts;
  readonly details: SyncLogDetails;
  readonly notifications: readonly Notification[];
}

/** A transaction in which the registry's members were compared with the register, and which nobody else's write can come between. */
export interface RegisterTransaction {
  readonly differences: RegisterDifferences;
  /**
   * Makes the register equal to what was compared, writes the log and the notifications, and commits. Throws
   * `storage_conflict` when the transaction was surely lost and can be made again, `database_*` otherwise.
   */
  commit(order: CommitOrder): Promise<void>;
  /** Never throws; nothing after a commit. */
  rollback(): Promise<void>;
}

export interface StageOptions {
  readonly signal: AbortSignal;
  /** Only members of these buckets were asked for, so nobody else can have gone. Missing: all were. */
  readonly buckets?: readonly number[] | undefined;
  /** Rows that events wrote after this time are left to the next run. */
  readonly startedAt: Date;
  /** Whether the plan will be applied: then other writers wait until the end. */
  readonly exclusive: boolean;
}

/** Every call throws `database_unavailable`, `database_rejected` or `schema_outdated`. */
export interface RegisterStore {
  assertSchema(): Promise<void>;
  /** Opens the run's row of `sync_log` (`pending`), outside its transaction. Closes rows that were abandoned. */
  openLog(entry: {
    readonly syncType: SyncType;
    readonly runId: string;
    readonly at: Date;
    readonly abandonedBefore: Date;
  }): Promise<number>;
  /** Closes a row that is still `pending` as `failed`. */
  failLog(logId: number, counts: SyncLogCounts, details: SyncLogDetails): Promise<void>;
  /**
   * Begins a transaction and compares the members, who come ascending by kennitala and each once. Tried again by the table of
   * codes.
   */
  stage(
    members: readonly StagedMember[],
    unreadable: readonly KnownUnreadable[],
    options: StageOptions,
  ): Promise<RegisterTransaction>;
}

/** The opaque reference by which logs, answers and records name a member. */
export type ReferTo = (kennitala: Kennitala) => string;

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

/** `skipped`: a placeholder, or a change of somebody whom a run found gone, which only the next run can judge. */
export type EventResult = 'applied' | 'unchanged' | 'stale' | 'skipped';

/** One member, in one transaction with its row of `sync_log`. Throws `database_*`, `schema_outdated`. */
export interface RowStore {
  /** Stale when the row has the version or a newer one. A member without a version is what was just read. */
  upsert(member: StagedMember, at: Date): Promise<EventResult>;
  /** Also of somebody whom the register never had: an older creation must find the version. */
  deactivate(
    member: { readonly kennitala: string; readonly version: number | null },
    at: Date,
  ): Promise<EventResult>;
}

export interface DueNotification {
  readonly id: string;
  readonly messageId: string;
  readonly subscriber: string;
  readonly body: string;
  /** This one included. Names the claim: only its owner closes it. */
  readonly attempts: number;
}

/** Every call throws `database_unavailable` or `database_rejected`. */
export interface Outbox {
  /** Takes what is due, oldest first. What is not closed within `claimMs` is due again: its deliverer has died. */
  claimDue(options: {
    readonly at: Date;
    readonly limit: number;
    readonly claimMs: number;
  }): Promise<DueNotification[]>;
  markDelivered(claim: DueNotification, at: Date): Promise<void>;
  /** A null `nextAttemptAt` gives the message up. */
  markFailed(
    claim: DueNotification,
    failure: { readonly at: Date; readonly error: string; readonly nextAttemptAt: Date | null },
  ): Promise<void>;
}
