import { isDeepStrictEqual } from 'node:util';
import type { Kennitala } from '../domain/kennitala.ts';
import { FIELD_TABLE, rowOf } from '../domain/member/field-table.ts';
import type { FieldPath, FieldValue, Json } from '../domain/member/fields.ts';
import { isConsentPath, isWithdrawal } from '../domain/member/kept-values.ts';
import { isSameValue } from '../domain/member/patch.ts';

declare const editTimeBrand: unique symbol;

/**
 * When Firestore committed a write, as text that sorts by time: seconds, a dot, nanoseconds, each at full width. A Date
 * would not do: it is cut to the millisecond, and the commits of one document are told apart by less.
 */
export type EditTime = string & { readonly [editTimeBrand]: true };

const SECONDS_WIDTH = 12;
const NANOSECONDS_WIDTH = 9;

export const makeEditTime = (seconds: number, nanoseconds: number): EditTime =>
  `${String(seconds).padStart(SECONDS_WIDTH, '0')}.${String(nanoseconds).padStart(NANOSECONDS_WIDTH, '0')}` as EditTime;

/** Everything was later. */
export const BEFORE_ALL = makeEditTime(0, 0);

export const toEditTime = (date: Date): EditTime => {
  const milliseconds = date.getTime();
  const seconds = Math.floor(milliseconds / 1_000);
  return makeEditTime(seconds, (milliseconds - seconds * 1_000) * 1_000_000);
};

export const partsOf = (time: EditTime): { readonly seconds: number; readonly nanoseconds: number } => {
  const [seconds, nanoseconds] = time.split('.').map(Number);
  return { seconds: seconds ?? Number.NaN, nanoseconds: nanoseconds ?? Number.NaN };
};

/** Cut to the millisecond. */
export const dateOf = (time: EditTime): Date => {
  const { seconds, nanoseconds } = partsOf(time);
  return new Date(seconds * 1_000 + Math.floor(nanoseconds / 1_000_000));
};

export const isEarlier = (one: EditTime, other: EditTime): boolean => one < other;

export const compareEditTimes = (one: EditTime, other: EditTime): number =>
  one < other ? -1 : one > other ? 1 : 0;

export const isFieldPath = (path: string): path is FieldPath => Object.hasOwn(FIELD_TABLE, path);

/** The value as the domain knows it; undefined when the path or the value cannot be read. */
export const tryFieldValue = (path: string, json: unknown): FieldValue<FieldPath> | undefined =>
  isFieldPath(path) ? rowOf(path).fromPortal(json) : undefined;

/** Whether two values of a field mean the same. Two that cannot be read are compared as they stand. */
export const isSameJson = (path: string, one: unknown, other: unknown): boolean => {
  const [a, b] = [tryFieldValue(path, one), tryFieldValue(path, other)];
  if (!isFieldPath(path) || a === undefined || b === undefined) return isDeepStrictEqual(one, other);
  return isSameValue(path, a, b);
};

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

export interface DeliveredPath {
  /** Absent in a create. */
  readonly expected?: Json;
  readonly newValue: Json;
  readonly editedAt: EditTime;
}

/**
 * What is told to the registry about one member, under one id. It stands, with the claim, on one of the member's waiting
 * items that it carries.
 *
 *     edits wait ──claim──▶ claimed ──send──▶ answered ──settle──▶ its paths end; with the last one it is gone
 *         ▲                  ▲   │                ├─ success: `synced`, or `failed` where the registry shows another value
 *         │ later edits,     │   │                ├─ refused, several paths: one path at a time, then `failed`
 *         │ a next delivery  │   │                ├─ conflict: the registry's value stands, or again under another id
 *         │                  │   │                └─ another number in the registry: all that waits goes there
 *         │                  │   └── no answer ──▶ waiting, for growing pauses; after three days `failed`
 *         └──────────────────┴─ the claim expires (its process died): anybody takes it up as it is
 *
 * From the first try on it stays as it is: when an answer is lost, only the very same change under the very same id is
 * harmless to repeat, and edits made meanwhile wait behind it. When the registry has answered that it wrote nothing (a
 * conflict), the next one has another id, since an answer is remembered under the old one.
 */
export interface Delivery {
  readonly changeId: string;
  readonly action: 'create' | 'update';
  readonly paths: Readonly<Record<string, DeliveredPath>>;
}

export const isPending = ({ status }: QueueItem): boolean => status === 'pending';

/**
 * `sync_queue/{id}`: one write of the member's own, or one decision of an operator.
 *
 *     pending ──delivered──▶ synced        Paths can end apart: `changes` holds those that still wait, `settled` the
 *        ├──refused────────▶ failed        others. With the last one the item takes the gravest outcome of its paths.
 *        └──overruled──────▶ conflict
 *
 * `claim`, `delivery` and what concerns tries stand on one item for all of its member's; see `Delivery`.
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
  /**
   * The member edited a document that already held other edits of theirs: the event of an earlier one may still come.
   */
  readonly isContinuation: boolean;
  /** It was written in the document of a former number, and says nothing of what the present one shows. */
  readonly isMoved?: true;
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
/** How long an item stays in the queue after the registry has taken it. */
export const SYNCED_KEPT_MS = 30 * 24 * 60 * 60_000;

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

export interface PathEnd {
  readonly outcome: PathOutcome;
  /** What the registry held before, where merging has shown it: a dead letter can then be tried again as it is. */
  readonly oldValue?: Json | undefined;
  readonly message?: string | null;
}

/** Moves paths of an item from what waits to what has ended. Returns the same item when nothing moves. */
export const settlePaths = (
  item: QueueItem,
  endOf: (path: string) => PathEnd | null,
  now: Date,
): QueueItem => {
  const changes = { ...item.changes };
  const settled: Record<string, SettledEdit> = { ...item.settled };
  let errorMessage = item.errorMessage;
  let hasMoved = false;
  for (const [path, edit] of Object.entries(item.changes)) {
    const end = endOf(path);
    if (end === null) continue;
    hasMoved = true;
    delete changes[path];
    settled[path] = {
      ...edit,
      outcome: end.outcome,
      ...(end.oldValue !== undefined && { oldValue: end.oldValue }),
    };
    if (end.message !== undefined) errorMessage = end.message;
  }
  if (!hasMoved) return item;
  if (Object.keys(changes).length > 0) return { ...item, changes, settled, errorMessage };
  const status = gravest(Object.values(settled));
  return {
    ...item,
    changes,
    settled,
    status,
    syncedAt: status === 'synced' ? now : null,
    errorMessage: status === 'synced' ? null : errorMessage,
    claim: null,
    delivery: null,
  };
};

const gravest = (settled: readonly SettledEdit[]): SyncStatus => {
  const outcomes = new Set(settled.map(({ outcome }) => outcome));
  return outcomes.has('failed') ? 'failed' : outcomes.has('conflict') ? 'conflict' : 'synced';
};

/** A member's waiting edits of one field, as one. */
export interface MergedEdit {
  /** The first old value: what the registry is expected to hold. */
  readonly expected: Json;
  /** The last new value. */
  readonly newValue: Json;
  /** Of the last edit. */
  readonly editedAt: EditTime;
  /** Of the edit that `expected` comes from, and whether another may have gone before it. */
  readonly firstEditedAt: EditTime;
  readonly isContinuation: boolean;
  /** Every value that the member has had here meanwhile, the last included. */
  readonly ownValues: readonly Json[];
}

export type MergedEdits = ReadonlyMap<string, MergedEdit>;

/** In the order of the writes that they were, whatever order they arrived in. */
export const inEditOrder = (items: readonly QueueItem[]): QueueItem[] =>
  items.toSorted((a, b) => compareEditTimes(a.editedAt, b.editedAt));

/**
 * Several edits before a delivery are one: from the first old value to the last new one. Where an edit starts from a
 * value that none of the edits before it led to, the registry's value came between: the member saw it and wrote over
 * it, so that value is what the registry is expected to hold, and the edits before it are superseded.
 */
export const mergeEdits = (items: readonly QueueItem[]): MergedEdits => {
  const merged = new Map<string, MergedEdit>();
  for (const item of inEditOrder(items)) {
    for (const [path, { oldValue, newValue }] of Object.entries(item.changes)) {
      const before = merged.get(path);
      const ownValues = [...(before?.ownValues ?? []), newValue];
      const latest = { newValue, editedAt: item.editedAt, ownValues };
      merged.set(
        path,
        before !== undefined && isFromChain(path, before, oldValue)
          ? { ...before, ...latest }
          : {
              ...latest,
              expected: oldValue,
              firstEditedAt: item.editedAt,
              isContinuation: item.isContinuation,
            },
      );
    }
  }
  return merged;
};

/**
 * An event of the registry can have shown the member an earlier one of these values again, before their last edit was
 * queued.
 */
const isFromChain = (path: string, { expected, ownValues }: MergedEdit, oldValue: Json): boolean =>
  [expected, ...ownValues].some((known) => isSameJson(path, known, oldValue));

/** Whether the member has gone back to the value that they started from, so that there is nothing to send. */
export const isCancelled = (path: string, { expected, newValue }: MergedEdit): boolean =>
  isSameJson(path, expected, newValue);

export interface ReviveOptions {
  readonly now: Date;
  /** The member's items that were edited after some dead letter. */
  readonly later: readonly QueueItem[];
  /**
   * Revives these paths, which had lost a conflict, instead of those that had failed; with what the registry holds
   * there.
   */
  readonly from?: Readonly<Record<string, Json>>;
}

/**
 * An edit to be delivered again for another three days: the paths that had failed wait once more, the others stay as
 * they ended. Where the member has said something later that did not fail, that stands.
 */
export const reviveItem = (item: QueueItem, { now, later, from }: ReviveOptions): QueueItem => {
  const changes: Record<string, PathEdit> = { ...item.changes };
  const settled: Record<string, SettledEdit> = {};
  for (const [path, edit] of Object.entries(item.settled)) {
    const isRevived = from === undefined ? edit.outcome === 'failed' : Object.hasOwn(from, path);
    const oldValue = from?.[path] === undefined ? edit.oldValue : from[path];
    if (isRevived) changes[path] = { oldValue, newValue: edit.newValue };
    else settled[path] = edit;
  }
  const revived: QueueItem = {
    ...item,
    changes,
    settled,
    status: 'pending',
    // Nothing may still come before it: what it starts from is known.
    isContinuation: from === undefined && item.isContinuation,
    errorMessage: null,
    syncedAt: null,
    retryCount: 0,
    nextAttemptAt: now,
    retryUntil: new Date(now.getTime() + RETRIED_FOR_MS),
  };
  const isOld = now.getTime() - dateOf(item.editedAt).getTime() > SYNCED_KEPT_MS;
  const endOf = (path: string): PathEnd | null => {
    const isLater = (other: QueueItem): boolean =>
      isEarlier(item.editedAt, other.editedAt) && hasWord(other, path);
    if (later.some(isLater)) return { outcome: 'superseded' };
    const isGiven = isConsentPath(path) && revived.changes[path]?.newValue === true;
    return isOld && isGiven ? TOO_OLD : null;
  };
  return settlePaths(revived, endOf, now);
};

/** A withdrawal that came later and has been delivered is not known any more. */
const TOO_OLD: PathEnd = {
  outcome: 'failed',
  message: 'a consent that was given so long ago is for its member to give again',
};

const hasWord = (item: QueueItem, path: string): boolean =>
  Object.hasOwn(item.changes, path) || hasEndedWord(item, path);

/** Whether what the item said of the field has come to its end and stands over what was said before. A withdrawal does whatever became of it. */
export const hasEndedWord = ({ settled }: QueueItem, path: string): boolean => {
  const end = settled[path];
  return end !== undefined && (end.outcome !== 'failed' || isWithdrawal(path, end.newValue));
};
