import { type StoredMember, withWord } from '../domain/member/decide-change.ts';
import { isTwoWayPath } from '../domain/member/field-table.ts';
import { fieldOf, type Json } from '../domain/member/fields.ts';
import {
  CONSENT_PATHS,
  type ConsentPath,
  isConsentPath,
  unheardConsents,
} from '../domain/member/kept-values.ts';
import { toRegistryChanges, toRegistryCreate } from '../domain/member/parse-registry-member.ts';
import { diffMembers, sourceHash } from '../domain/member/patch.ts';
import { isStorable } from '../domain/storable.ts';
import { SyncError } from '../lib/errors.ts';
import { type ConflictRecord, withResolution } from './conflict.ts';
import { deliverMembers } from './deliver.ts';
import { carries, type DeliveryDependencies, type MemberOutcome } from './delivery.ts';
import type { DocumentWrite, MemberUpdate, MemberView, Reads, Step } from './ports.ts';
import {
  BEFORE_ALL,
  inEditOrder,
  isEarlier,
  isSameJson,
  makeQueueItem,
  type NewItem,
  type PathEdit,
  type PathEnd,
  type QueueItem,
  reviveItem,
  type SettledEdit,
  settlePaths,
  toEditTime,
} from './queue.ts';
import { planShown } from './reading.ts';

/**
 * Takes one write of a member's document: what the member themselves changed goes into the queue, and from there to the
 * registry at once.
 *
 * Throws when the event should be delivered again: while its edit could not be written down (`store_unavailable`), and
 * while the edit is in a delivery that has not come through. The platform's repetition of the event is what wakes a
 * waiting delivery within minutes; after a day, when it gives up, the nightly sweep does.
 */
export const trackMemberWrite = async (
  write: DocumentWrite,
  signal: AbortSignal,
  dependencies: DeliveryDependencies,
): Promise<'ignored' | 'settled' | 'queued'> => {
  const edit = tryEdit(write);
  if (edit === null) return 'ignored';
  const { store, now, logs, reference } = dependencies;
  const at = now();
  const take = (reads: Reads) =>
    store.transact<Tracked | 'gone' | null>(write.kennitala, { ...reads, item: edit.id }, at, (view) =>
      planTracking(view, edit, { now: at, knowsConflicts: reads.openConflicts === true }),
    );
  const tracked =
    (await take({ laterThan: edit.editedAt })) ??
    (await take({ laterThan: BEFORE_ALL, openConflicts: true }));
  if (tracked === null) throw new SyncError('internal', 'An edit was not tracked.');
  if (tracked === 'gone') {
    logs.ofNobody(await reference(write.kennitala));
    return 'ignored';
  }
  const { item, isNew } = tracked;
  if (isNew) logs.tracked(await reference(write.kennitala), Object.keys(edit.changes));
  const outcome = (await deliverMembers([write.kennitala], { signal }, dependencies)).get(write.kennitala);
  if (outcome === undefined) throw new SyncError('internal', 'A delivery has no outcome.');
  return assertOnItsWay(outcome, item);
};

const assertOnItsWay = (outcome: MemberOutcome, item: QueueItem): 'settled' | 'queued' => {
  switch (outcome.kind) {
    case 'done':
      return 'settled';
    case 'busy':
      // Whoever delivers takes up what else waits when they are done; but they may have died over this edit.
      if (!isIn(outcome, item)) return 'queued';
      throw new SyncError('registry_unavailable', 'Another delivery of this edit is under way.');
    case 'waiting':
      throw (
        outcome.failure ??
        new SyncError('registry_unavailable', `The edit is tried again at ${outcome.until.toISOString()}.`)
      );
    case 'failed':
      throw outcome.failure;
    default: {
      const never: never = outcome;
      return never;
    }
  }
};

const isIn = ({ delivery }: Extract<MemberOutcome, { kind: 'busy' }>, item: QueueItem): boolean =>
  Object.keys(item.changes).some((path) => carries(delivery.paths, item, path));

/**
 * What a write asks of the registry; null when it asks nothing: a server's own write, a deletion (by the platform's
 * TTL or a person), a change of fields that do not go to the registry. A document that appears without metadata is a
 * registration; a consent that it does not hold was not asked for, and is not told.
 */
export const tryEdit = (write: DocumentWrite): NewItem | null => {
  const { eventId: id, kennitala, at: editedAt, before, after } = write;
  if (write.isServers || after === null) return null;
  const facts = { id, kennitala, editedAt };
  if (before === null) {
    const answered = unheardConsents(after.member, after.meta.heard);
    const told = Object.entries(toRegistryCreate(after.member)).filter(
      ([path]) => !isConsentPath(path) || path in answered,
    );
    const changes = mapValues(Object.fromEntries(told), (newValue) => ({ oldValue: null, newValue }));
    return { ...facts, djangoId: null, action: 'create', changes, isContinuation: false };
  }
  const differences = diffMembers(before.member, after.member).filter(({ path }) => isTwoWayPath(path));
  if (differences.length === 0) return null;
  const told = toRegistryChanges(differences);
  return {
    ...facts,
    djangoId: after.meta.django_id,
    action: 'update',
    changes: mapValues(told.changes, (newValue, path) => ({
      oldValue: told.expected[path] ?? null,
      newValue,
    })),
    isContinuation: sourceHash(before.member) !== before.meta.source_hash,
  };
};

export interface Tracked {
  readonly item: QueueItem;
  readonly isNew: boolean;
}

/**
 * Puts an edit into the queue, once however often it is told. One that arrives after a later edit of the same field has
 * ended is superseded by it: the member's last word counts, whichever event came first. Where the later one had met a
 * conflict, the conflicts have to be known, and this edit may explain one of them: then nothing is written, and null
 * asks for `openConflicts` and all items of the member. `gone`: the document of that edit is not there any more, as after an
 * erasure, whether or not there is another: nothing of it may be written again.
 */
export const planTracking = (
  view: MemberView,
  edit: NewItem,
  { now, knowsConflicts }: TrackingFacts,
): Step<Tracked | 'gone' | null> => {
  const { item } = view;
  if (item !== null) return { result: { item, isNew: false } };
  if (view.createdAt === null || isEarlier(edit.editedAt, view.createdAt)) return { result: 'gone' };
  const later = view.later.filter(({ editedAt }) => isEarlier(edit.editedAt, editedAt));
  const hasConflict = later.some(({ settled }) =>
    Object.keys(edit.changes).some((path) => settled[path]?.outcome === 'conflict'),
  );
  if (hasConflict && !knowsConflicts) return { result: null };
  const ended = new Set(later.flatMap(({ settled }) => Object.keys(settled)));
  const tracked = settlePaths(
    makeQueueItem(edit, now),
    (path) => {
      if (ended.has(path)) return { outcome: 'superseded' };
      return isStorable(edit.changes[path]?.newValue) ? null : UNSTORABLE;
    },
    now,
  );
  const explained = hasConflict ? planExplained(view, tracked, now) : NOTHING_EXPLAINED;
  const heard = planHeard(view.stored, tracked, later);
  const stored = view.stored && heard ? { ...view.stored, meta: heard.meta } : view.stored;
  return {
    items: [tracked, ...explained.items],
    conflicts: explained.conflicts,
    member: joined(heard, explained.member ?? planBack(stored, tracked, later)),
    result: { item: tracked, isNew: true },
  };
};

export interface TrackingFacts {
  readonly now: Date;
  /** Whether the view has the open conflicts and all items of the member. */
  readonly knowsConflicts: boolean;
}

const joined = (heard: MemberUpdate | null, other: MemberUpdate | null): MemberUpdate | null =>
  heard === null || other === null
    ? (heard ?? other)
    : { ...heard, values: { ...other.values, ...heard.values } };

/** No store and no screen is to be trusted with it, so the registry is not asked. */
const UNSTORABLE: PathEnd = { outcome: 'failed', message: 'a value that cannot be stored as it is written' };

/**
 * What is not sent, the portal shows no longer but what it started from. So it does with an edit that a dead letter had started from:
 * that one's end could know of nothing before it. A later word that came from a former number, and has been delivered, is
 * shown only now: until this edit was known, it could have been the later one. So it is with one that was not: the
 * document has shown this edit over it. Where that one was a withdrawal which lost to a later consent of the registry's, and
 * other fields differ too, nothing here tells the registry's consent from this edit's: it is off then until the registry's
 * next word, which its own event, or that of the other fields, brings.
 */
const planBack = (
  stored: StoredMember | null,
  tracked: QueueItem,
  later: readonly QueueItem[],
): MemberUpdate | null => {
  if (stored === null) return null;
  const isAsSaid = sourceHash(stored.member) === stored.meta.source_hash;
  const valueAfter = (path: string, { outcome, oldValue }: SettledEdit): Json | undefined => {
    if (outcome === 'failed') return oldValue;
    const last = inEditOrder(later).findLast(({ changes, settled }) => path in changes || path in settled);
    const end = last?.settled[path];
    if (isAsSaid || end === undefined) return undefined;
    if (last?.isMoved && end.outcome === 'synced') return end.newValue;
    return last?.isMoved || end.outcome === 'failed' ? oldValue : undefined;
  };
  const before: Record<string, Json> = {};
  for (const [path, edit] of Object.entries(tracked.settled)) {
    const value = valueAfter(path, edit);
    if (value !== undefined) before[path] = value;
  }
  const values = planShown(stored, [tracked], before, stored.meta.withdrawn);
  return Object.keys(values).length === 0 ? null : { values, meta: stored.meta };
};

const NOTHING_EXPLAINED: Explained = { items: [], conflicts: [], member: null };

/**
 * What the member said of their consents has been heard now, unless they have said more since. Over a word from before a
 * server wrote another value, the registry's older one may lie: a consent that they withdrew is off again at once.
 */
const planHeard = (
  stored: StoredMember | null,
  { changes, settled, editedAt }: QueueItem,
  later: readonly QueueItem[],
): MemberUpdate | null => {
  if (stored === null) return null;
  const off: Partial<Record<ConsentPath, boolean>> = {};
  const heard: Partial<Record<ConsentPath, boolean>> = {};
  const unheard = unheardConsents(stored.member, stored.meta.heard);
  for (const path of CONSENT_PATHS) {
    const said = (changes[path] ?? settled[path])?.newValue;
    const isLater = ({ isMoved, changes, settled }: QueueItem): boolean =>
      isMoved !== true && path in { ...changes, ...settled };
    if (typeof said !== 'boolean' || later.some(isLater)) continue;
    const over = stored.meta.heard?.writtenOver[path];
    if (over == null || isEarlier(toEditTime(over), editedAt)) heard[path] = said;
    else if (!said && fieldOf(stored.member, path) && !(path in unheard)) off[path] = false;
  }
  if (Object.keys({ ...heard, ...off }).length === 0) return null;
  return { values: off, meta: withWord(stored.meta, heard) };
};

const mapValues = <T>(
  values: Readonly<Record<string, T>>,
  toEdit: (value: T, path: string) => PathEdit,
): Readonly<Record<string, PathEdit>> =>
  Object.fromEntries(Object.entries(values).map(([path, value]) => [path, toEdit(value, path)]));

/** Who decided a conflict that the member's own late edit has explained. */
export const DECIDED_BY_LATE_EDIT = 'late-edit';

export interface Explained {
  readonly items: readonly QueueItem[];
  readonly conflicts: readonly ConflictRecord[];
  readonly member: MemberUpdate | null;
}

/**
 * A conflict is no more than the order of two events when the late one leads from what the registry held to what the
 * other edit started from: nobody else had written. It closes itself, and the edit that had lost waits again, now from
 * the registry's value; unless the member has written there once more since, which then stands.
 * @param view With all of the member's items and their open conflicts.
 */
export const planExplained = (
  { stored, later: known, openConflicts }: MemberView,
  tracked: QueueItem,
  now: Date,
): Explained => {
  const items = new Map<string, QueueItem>();
  const conflicts: ConflictRecord[] = [];
  const shown: Record<string, Json> = {};
  for (const conflict of openConflicts) {
    let decided = conflict;
    for (const [path, { state, expected, portal, registry }] of Object.entries(conflict.paths)) {
      const loser = known.find(
        ({ settled }) =>
          settled[path]?.outcome === 'conflict' && isSameJson(path, settled[path].newValue, portal.value),
      );
      if (state !== 'open' || loser === undefined) continue;
      const before = [...known, tracked].filter(({ editedAt }) => isEarlier(editedAt, loser.editedAt));
      if (!leadsTo(before, path, expected, registry.value)) continue;
      const wroteAgain = known.some(
        (item) => isEarlier(loser.editedAt, item.editedAt) && (path in item.changes || path in item.settled),
      );
      const keep = wroteAgain ? 'registry' : 'portal';
      const value = wroteAgain ? registry.value : portal.value;
      decided = withResolution(decided, path, { keep, value, by: DECIDED_BY_LATE_EDIT, at: now });
      if (wroteAgain) continue;
      const item = items.get(loser.id) ?? loser;
      items.set(loser.id, reviveItem(item, { now, later: [], from: { [path]: registry.value } }));
      shown[path] = portal.value;
    }
    if (decided !== conflict) conflicts.push(decided);
  }
  const revived = [...items.values()];
  const values = stored === null ? {} : planShown(stored, revived, shown);
  const member = stored === null || Object.keys(values).length === 0 ? null : { values, meta: stored.meta };
  return { items: revived, conflicts, member };
};

/** Whether the member's own edits lead from one value of a field to another, in their order. */
const leadsTo = (items: readonly QueueItem[], path: string, to: Json, from: Json): boolean => {
  let value = to;
  for (const { changes, settled } of inEditOrder(items).toReversed()) {
    const edit = changes[path] ?? settled[path];
    if (edit !== undefined && isSameJson(path, edit.newValue, value)) value = edit.oldValue;
    if (isSameJson(path, value, from)) return true;
  }
  return false;
};
