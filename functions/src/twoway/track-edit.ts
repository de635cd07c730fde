import { isDeepStrictEqual } from 'node:util';
import type { Kennitala } from '../domain/kennitala.ts';
import { isConsentPath } from '../domain/member/consents.ts';
import type { StoredMember } from '../domain/member/decide-change.ts';
import { diffMembers } from '../domain/member/diff-members.ts';
import { isTwoWayPath } from '../domain/member/field-table.ts';
import { fieldOf } from '../domain/member/fields.ts';
import { toRegistryChanges, toRegistryCreate } from '../domain/member/registry-changes.ts';
import { sourceHash } from '../domain/member/source-hash.ts';
import { isStorable } from '../domain/storable.ts';
import { type EditTime, isEarlier } from './edit-time.ts';
import { type Explained, planExplained } from './late-edit.ts';
import type { MemberUpdate, MemberView, Step } from './ports.ts';
import { makeQueueItem, type NewItem, type PathEdit, type QueueItem } from './queue-item.ts';
import { type PathEnd, settlePaths } from './settle-paths.ts';
import { planShown } from './show-value.ts';

/** One write of `members/{kennitala}`, as the platform tells of it: at least once, in any order. */
export interface MemberWrite {
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

/**
 * What a write asks of the registry; null when it asks nothing: a server's own write, a deletion (by the platform's
 * TTL or a person), a change of fields that do not go to the registry. A document that appears without metadata is a
 * registration.
 */
export const tryEdit = (write: MemberWrite): NewItem | null => {
  const { eventId: id, kennitala, at: editedAt, before, after } = write;
  if (write.isServers || after === null) return null;
  const facts = { id, kennitala, editedAt };
  if (before === null) {
    const changes = mapValues(toRegistryCreate(after.member), (newValue) => ({ oldValue: null, newValue }));
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
 * asks for `openConflicts` and all items of the member.
 */
export const planTracking = (
  view: MemberView,
  edit: NewItem,
  { now, knowsConflicts, metaThen }: TrackingFacts,
): Step<Tracked | null> => {
  const { item } = view;
  if (item !== null) return { result: { item, isNew: false } };
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
  return {
    items: [tracked, ...explained.items],
    conflicts: explained.conflicts,
    member:
      explained.member ??
      planWithdrawn(view.stored, tracked, later, metaThen) ??
      planWithoutUnstorable(view.stored, tracked),
    result: { item: tracked, isNew: true },
  };
};

export interface TrackingFacts {
  readonly now: Date;
  /** Whether the view has the open conflicts and all items of the member. */
  readonly knowsConflicts: boolean;
  /** The document's metadata right after the edit. */
  readonly metaThen: StoredMember['meta'] | null;
}

/** No store and no screen is to be trusted with it, so the registry is not asked. */
const UNSTORABLE: PathEnd = { outcome: 'failed', message: 'a value that cannot be stored as it is written' };

/** Nothing is on its way to the registry: the portal shows again what the edit started from. */
const planWithoutUnstorable = (stored: StoredMember | null, tracked: QueueItem): MemberUpdate | null => {
  const failed = Object.entries(tracked.settled).filter(([, { outcome }]) => outcome === 'failed');
  if (stored === null || failed.length === 0) return null;
  const before = Object.fromEntries(failed.map(([path, { oldValue }]) => [path, oldValue]));
  return { values: planShown(stored.member, [tracked], before), meta: stored.meta };
};

const NOTHING_EXPLAINED: Explained = { items: [], conflicts: [], member: null };

/**
 * The registry's word came between the write and its event, and showed a withdrawn consent again: off at once. While the
 * metadata are what they were, no server has written, and what the document shows is the member's own later edit.
 */
const planWithdrawn = (
  stored: StoredMember | null,
  { changes }: QueueItem,
  later: readonly QueueItem[],
  metaThen: StoredMember['meta'] | null,
): MemberUpdate | null => {
  if (stored === null || isDeepStrictEqual(stored.meta, metaThen)) return null;
  const off = Object.keys(changes).filter(
    (path) =>
      isConsentPath(path) &&
      changes[path]?.newValue === false &&
      fieldOf(stored.member, path) &&
      !later.some((other) => Object.hasOwn(other.changes, path)),
  );
  if (off.length === 0) return null;
  return { values: Object.fromEntries(off.map((path) => [path, false])), meta: stored.meta };
};

const mapValues = <T>(
  values: Readonly<Record<string, T>>,
  toEdit: (value: T, path: string) => PathEdit,
): Readonly<Record<string, PathEdit>> =>
  Object.fromEntries(Object.entries(values).map(([path, value]) => [path, toEdit(value, path)]));
