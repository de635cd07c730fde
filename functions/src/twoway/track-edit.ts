import type { Kennitala } from '../domain/kennitala.ts';
import type { StoredMember } from '../domain/member/decide-change.ts';
import { diffMembers } from '../domain/member/diff-members.ts';
import { isTwoWayPath } from '../domain/member/field-table.ts';
import { toRegistryChanges, toRegistryCreate } from '../domain/member/registry-changes.ts';
import { sourceHash } from '../domain/member/source-hash.ts';
import type { EditTime } from './edit-time.ts';
import type { MemberView, Step } from './ports.ts';
import { makeQueueItem, type NewItem, type PathEdit, type QueueItem } from './queue-item.ts';
import { settlePaths } from './settle-paths.ts';

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

/**
 * Puts an edit into the queue, once however often it is told. One that arrives after a later edit of the same field has
 * ended is superseded by it: the member's last word counts, whichever event came first.
 */
export const planTracking = (
  { item, later }: MemberView,
  edit: NewItem,
  now: Date,
): Step<{ readonly item: QueueItem; readonly isNew: boolean }> => {
  if (item !== null) return { result: { item, isNew: false } };
  const ended = new Set(later.flatMap(({ settled }) => Object.keys(settled)));
  const tracked = settlePaths(
    makeQueueItem(edit, now),
    (path) => (ended.has(path) ? { outcome: 'superseded' } : null),
    now,
  );
  return { items: [tracked], result: { item: tracked, isNew: true } };
};

const mapValues = <T>(
  values: Readonly<Record<string, T>>,
  toEdit: (value: T, path: string) => PathEdit,
): Readonly<Record<string, PathEdit>> =>
  Object.fromEntries(Object.entries(values).map(([path, value]) => [path, toEdit(value, path)]));
