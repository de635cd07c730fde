import type { Kennitala } from '../domain/kennitala.ts';

/** The registry's members, a page at a time and as sent. An answer that is surely not the whole list throws. */
export interface MemberPages {
  /** Throws the `registry_*` codes, `incomplete_export`, `secret_unavailable` and `config_invalid`. */
  pages(options: {
    readonly signal: AbortSignal;
    readonly pageSize?: number;
  }): AsyncIterable<{ readonly members: readonly unknown[]; readonly count: number | null }>;
}

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
  /** Staged members whose row is equal. */
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

/** A transaction in which the registry's members are staged, and which nobody else's write can come between. */
export interface RegisterTransaction {
  readonly differences: RegisterDifferences;
  /**
   * Makes the register equal to what is staged, writes the log and the notifications, and commits. Throws
   * `storage_conflict` when the transaction was surely lost and can be made again, `database_*` otherwise.
   */
  commit(order: CommitOrder): Promise<void>;
  /** Never throws; nothing after a commit. */
  rollback(): Promise<void>;
}

export interface StageOptions {
  readonly signal: AbortSignal;
  /** Only members of these buckets were staged, so nobody else can have gone. Missing: all were. */
  readonly buckets?: readonly number[] | undefined;
  /** Rows that events wrote after it are left to the next run. */
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
  /** Begins a transaction, stages the members and compares. Tried again by the table of codes. */
  stage(
    members: readonly StagedMember[],
    unreadable: readonly KnownUnreadable[],
    options: StageOptions,
  ): Promise<RegisterTransaction>;
}

/** The opaque reference by which logs, answers and records name a member. */
export type ReferTo = (kennitala: Kennitala) => string;
