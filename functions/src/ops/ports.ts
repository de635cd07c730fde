import type { Kennitala } from '../domain/kennitala.ts';
import type { Caller } from '../http/callers.ts';
import { SyncError } from '../lib/errors.ts';
import type {
  LastSuccess,
  MirrorName,
  MissedEvents,
  Pause,
  RunOutcome,
  RunRecord,
} from '../mirror/mirror.ts';
import type { ConflictRecord } from '../twoway/conflict.ts';
import type { QueueItem, SyncStatus } from '../twoway/queue.ts';
import type { ErasedStore, PortalNow, RegisterNow, SoftDeletedCopies } from './schemas.ts';

/** An opaque place in a list; `next` of a page is `before` of the one that follows. */
export interface PageRequest {
  readonly limit: number;
  readonly before?: string | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/** What an operator did, or looked at where members are named. Written before it is done or shown. */
export interface OperatorAction {
  readonly action:
    | 'view_changes'
    | 'explain'
    | 'erase'
    | 'erase_check'
    | 'view_queue_item'
    | 'sync_member'
    | 'view_conflict'
    | 'pause'
    | 'resume'
    | 'retry_change'
    | 'fail_change'
    | 'resolve_conflict'
    | 'registry_word'
    | 'view_roll'
    | 'compare_rolls'
    | 'freeze_roll';
  /** The proved identity. */
  readonly by: string;
  readonly byKind: Caller['kind'];
  readonly at: Date;
  readonly requestId: string;
  readonly mirror?: MirrorName;
  readonly runId?: string;
  /** The queue item or the conflict. */
  readonly changeId?: string;
  /** The opaque reference. */
  readonly member?: string;
  readonly reason?: string;
}

/** Every call of every port here throws `store_unavailable`, and `audit_unavailable` where an action is recorded. */
export interface OperatorActions {
  record(action: OperatorAction): Promise<void>;
  /** Pauses and resumptions of all mirrors, newest first. */
  pauses(limit: number): Promise<OperatorAction[]>;
}

export interface RunsFilter extends PageRequest {
  readonly mirror?: MirrorName | undefined;
  readonly outcome?: RunOutcome | undefined;
  readonly from?: Date | undefined;
  readonly until?: Date | undefined;
}

export interface RunHistory {
  /** Newest first. Throws `invalid_request` for a `before` that no page gave. */
  page(filter: RunsFilter): Promise<Page<RunRecord>>;
  read(runId: string): Promise<RunRecord | null>;
  /** The runs that made this very plan, or approved it; in no order. */
  byPlan(planId: string): Promise<RunRecord[]>;
  /** The runs that planned on top of this version of the list. */
  replacing(generation: string): Promise<RunRecord[]>;
  /** One page of the restricted lists; null: there is no such page. */
  changes(
    runId: string,
    page: number,
  ): Promise<{ added: readonly string[]; removed: readonly string[]; isLast: boolean } | null>;
  /** Runs since then, newest first, at most `most` of them. */
  since(from: Date, most: number): Promise<RunDay[]>;
  /** What the portal's runs since then found that no event had announced. */
  missedSince(from: Date): Promise<{ at: Date; missed: MissedEvents }[]>;
}

/** The part of a record that charts are made of. */
export interface RunDay
  extends Pick<
    RunRecord,
    'mirror' | 'outcome' | 'timestamp' | 'duration_ms' | 'memberCount' | 'changes' | 'missedEvents'
  > {}

export interface MirrorState {
  readonly lastRun: {
    readonly runId: string;
    readonly outcome: RunOutcome;
    readonly errorCode: string | null;
    readonly at: Date;
  } | null;
  readonly lastSuccess: LastSuccess | null;
  /** On the mirror now, as the last run that wrote or confirmed it left it. */
  readonly members: number | null;
  readonly lease: { readonly runId: string; readonly expiresAt: Date; readonly isWriting: boolean } | null;
  /** How many members the registry had, as the last run of this mirror that planned found it. */
  readonly registry: { readonly count: number; readonly at: Date; readonly runId: string } | null;
  readonly pause: Pause | null;
}

export interface MirrorStates {
  read(): Promise<Readonly<Record<MirrorName, MirrorState>>>;
  /**
   * Pauses and records that in one write. A mirror that is paused already keeps the time of its pause and gets the new
   * reason.
   */
  pause(mirror: MirrorName, pause: Pause, action: OperatorAction): Promise<Pause>;
  /** Resumes and records that in one write. */
  resume(mirror: MirrorName, action: OperatorAction): Promise<void>;
}

/** Numbers that change between runs. */
export interface LiveCounts {
  /** Active members of the portal: events change it at any moment. */
  portal(): Promise<number>;
  /** Events of the registry that were answered since then. */
  eventsSince(from: Date): Promise<number>;
}

/** What the portal knows of somebody on a list; null where it knows nothing. */
export interface KnownPerson {
  readonly name: string | null;
  readonly postalCode: string | null;
  readonly dateJoined: Date | null;
}

export interface PeopleReader {
  /** In the order asked for. */
  describe(kennitalas: readonly string[]): Promise<KnownPerson[]>;
}

export interface TwoWayFigures {
  readonly pending: number;
  readonly oldestPendingAt: Date | null;
  readonly deadLetters: number;
  readonly oldestDeadLetterAt: Date | null;
  readonly openConflicts: number;
  readonly oldestOpenConflictAt: Date | null;
  readonly lastSweep: { readonly at: Date; readonly status: string } | null;
}

export interface SweepDay {
  readonly at: Date;
  readonly sent: number;
  readonly received: number;
  readonly conflicts: number;
  readonly failed: number;
}

/** What an operator sees of a change: not who is delivering it. */
export type QueuedChange = Pick<
  QueueItem,
  | 'id'
  | 'kennitala'
  | 'action'
  | 'changes'
  | 'settled'
  | 'status'
  | 'editedAt'
  | 'createdAt'
  | 'syncedAt'
  | 'errorMessage'
  | 'retryCount'
  | 'nextAttemptAt'
>;

/** Hints of a registry without versions that were followed and never confirmed: the next reconcile decides them. */
export interface HintFigures {
  unconfirmed(): Promise<{ readonly count: number; readonly oldestAt: Date | null }>;
}

/** Reading of `sync_queue`, `sync_conflicts` and `sync_logs`. */
export interface TwoWayReader {
  queue(filter: PageRequest & { readonly status?: SyncStatus | undefined }): Promise<Page<QueuedChange>>;
  queueItem(id: string): Promise<QueuedChange | null>;
  conflicts(
    filter: PageRequest & { readonly state?: 'open' | 'resolved' | undefined },
  ): Promise<Page<ConflictRecord>>;
  conflict(id: string): Promise<ConflictRecord | null>;
  figures(): Promise<TwoWayFigures>;
  /** When dead letters that still wait were made, at most `most` of them. */
  deadLettersSince(from: Date, most: number): Promise<Date[]>;
  sweepsSince(from: Date, most: number): Promise<SweepDay[]>;
}

/** Everything in Firestore that names one member, or its opaque reference. Newest first, at most some hundred a kind. */
export interface MemberTrace {
  portal(kennitala: Kennitala): Promise<PortalNow>;
  /** The last seven days' events; older receipts have expired. */
  receipts(member: string): Promise<{ at: Date; result: string; action: string }[]>;
  /** Runs whose lists name the member. */
  runs(kennitala: Kennitala): Promise<{ run: RunRecord; what: 'added' | 'removed' }[]>;
  queued(kennitala: Kennitala): Promise<QueuedChange[]>;
  conflictsOf(kennitala: Kennitala): Promise<ConflictRecord[]>;
  /** What operators did about this member, and pauses of mirrors. */
  actions(member: string): Promise<OperatorAction[]>;
}

/** The register's row of a member. Throws `database_*`, `schema_outdated`. */
export interface RegisterLookup {
  find(kennitala: Kennitala): Promise<RegisterNow>;
}

/** Whom an erasure is about, by the two names that stores know. */
export interface Person {
  readonly kennitala: Kennitala;
  /** The opaque reference. */
  readonly reference: string;
}

export type StoreName = ErasedStore['store'];

/** Entries by place: documents, rows, versions. */
export type Counts = Readonly<Partial<Record<StoreName, number>>>;

/**
 * Something that holds people, in one place or in several that are written together. Safe to repeat: what is gone is no
 * failure. Throws `store_unavailable`, `storage_*`, `database_*`, `schema_outdated`, `deadline_exceeded`.
 */
export interface ErasureStore {
  readonly places: readonly [StoreName, ...StoreName[]];
  /** Whoever writes of a person elsewhere reads of them here in the same transaction, so it is erased before the others. */
  readonly isFirst?: boolean;
  /** What it holds of the person now, of every place. */
  find(person: Person, signal: AbortSignal): Promise<Counts>;
  /**
   * Erases all of it and says how much there was. Throws `still_published` where the person is a member of that mirror
   * again, and then leaves that alone.
   */
  erase(person: Person, signal: AbortSignal): Promise<Counts>;
}

/** Versions of the list that were deleted and that the bucket still keeps. Throws `storage_*`. */
export interface SoftDeletedList {
  find(): Promise<Omit<Extract<SoftDeletedCopies, { state: 'known' }>, 'state'>>;
}

export const stillPublished = (mirrors: string): SyncError =>
  new SyncError(
    'still_published',
    `This person is still a member in: ${mirrors}. Run what is named first: npm run ops -- sync roster, portal or register.`,
    { details: { mirrors } },
  );
