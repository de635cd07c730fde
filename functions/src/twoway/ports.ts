import type { Kennitala } from '../domain/kennitala.ts';
import type { StoredMember } from '../domain/member/decide-change.ts';
import type { FieldValues } from '../domain/member/fields.ts';
import type { ErrorCode } from '../lib/errors.ts';
import type { DocumentState } from '../portal/ports.ts';
import type { ChangeAnswer } from '../registry/ports.ts';
import type { ConflictRecord } from './conflict.ts';
import type { EditTime, QueueItem } from './queue.ts';

/** What one transaction reads besides the member and their waiting items. */
export interface Reads {
  /** The item of this id, whatever became of it. */
  readonly item?: string;
  /** Items of the member that were edited after this time, whatever became of them. */
  readonly laterThan?: EditTime;
  /** The member's dead letters. */
  readonly failed?: boolean;
  readonly conflict?: string;
  /** The member's conflicts of which a field is still open. */
  readonly openConflicts?: boolean;
}

export interface MemberView {
  readonly stored: StoredMember | null;
  readonly state: DocumentState;
  /** Of the document; null where there is none. */
  readonly createdAt: EditTime | null;
  readonly pending: readonly QueueItem[];
  readonly item: QueueItem | null;
  readonly later: readonly QueueItem[];
  readonly failed: readonly QueueItem[];
  readonly conflict: ConflictRecord | null;
  readonly openConflicts: readonly ConflictRecord[];
}

/** Changes a document that exists. The metadata are always written, which marks the write as a server's own. */
export interface MemberUpdate {
  readonly values: Partial<FieldValues>;
  readonly meta: StoredMember['meta'];
}

/** What a transaction writes, all or nothing, and what it answers. */
export interface Step<T> {
  readonly items?: readonly QueueItem[];
  readonly member?: MemberUpdate | null;
  readonly conflicts?: readonly ConflictRecord[];
  readonly result: T;
}

export interface DueOptions {
  readonly now: Date;
  /** `waiting`: also those whose next try is later. `failed`: the dead letters. */
  readonly which: 'due' | 'waiting' | 'failed';
  /** The longest due first. */
  readonly limit: number;
  /** Members that are not asked for any more. */
  readonly except: ReadonlySet<Kennitala>;
}

/** A member's document, queue and conflicts. Every call throws `store_unavailable` when its outcome is not durable. */
export interface TwoWayStore {
  /** One transaction over one member. `decide` is pure: it can be called several times. */
  transact<T>(
    kennitala: Kennitala,
    reads: Reads,
    at: Date,
    decide: (view: MemberView) => Step<T>,
  ): Promise<T>;
  /** The same for many members in one transaction, each with a decision of its own; at most 100. */
  transactAll<T>(
    kennitalas: readonly Kennitala[],
    at: Date,
    decide: (kennitala: Kennitala, view: MemberView) => Step<T>,
  ): Promise<ReadonlyMap<Kennitala, T>>;
  /** Members with something to deliver, once each. */
  members(options: DueOptions): Promise<readonly Kennitala[]>;
  /** Whose conflict it is; null when there is none of that id. */
  conflictMember(id: string): Promise<Kennitala | null>;
  /** Deletes items that were synced or given up before the time, and says how many; call again while it deletes some. */
  deleteSynced(before: Date): Promise<number>;
}

/** `sync_logs`. */
export interface TwoWayLog {
  write(record: TwoWayRecord): Promise<void>;
}

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
  /** Members whom the registry's change queue named: their changes were taken over. */
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

export type ConflictAnswer = Extract<ChangeAnswer, { status: 'conflict' }> & {
  /** For an answer without a version: it counts only while the document is in this state. */
  readonly ifState?: DocumentState;
};

/** One write of `members/{kennitala}`, as the platform tells of it: at least once, in any order. */
export interface DocumentWrite {
  readonly eventId: string;
  readonly kennitala: Kennitala;
  /** When it was committed. */
  readonly at: EditTime;
  readonly before: StoredMember | null;
  /** Null for a deletion. */
  readonly after: StoredMember | null;
  /** A server wrote it: servers always touch the metadata, and the rules let nobody else. */
  readonly isServers: boolean;
}
