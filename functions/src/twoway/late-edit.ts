import type { Json } from '../domain/member/field-row.ts';
import { type ConflictRecord, withResolution } from './conflict.ts';
import { isEarlier } from './edit-time.ts';
import { isSameJson } from './field-json.ts';
import { inEditOrder } from './merge-edits.ts';
import type { MemberUpdate, MemberView } from './ports.ts';
import type { QueueItem } from './queue-item.ts';
import { reviveItem } from './revive.ts';
import { planShown } from './show-value.ts';

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
    for (const [path, { state, expected, portal, registry, winner }] of Object.entries(conflict.paths)) {
      const loser = known.find(
        ({ settled }) =>
          settled[path]?.outcome === 'conflict' && isSameJson(path, settled[path].newValue, portal.value),
      );
      if (state !== 'open' || winner !== 'registry' || loser === undefined) continue;
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
  const values = stored === null ? {} : planShown(stored.member, revived, shown);
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
