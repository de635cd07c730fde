import { isTwoWayPath, rowOf } from './field-table.ts';
import { type FieldPath, withFields } from './fields.ts';
import type { Member } from './member.ts';

/** A member's own edit in the portal that has not reached the registry yet. `value` is personal. */
export interface PendingEdit {
  readonly path: string;
  readonly editedAt: Date;
  /** In the portal's spelling. */
  readonly value: unknown;
}

/**
 * The registry's word about a member, except where the member has said something later that still waits to be
 * delivered: overwriting that would show them their old value until it comes back. Without the time of the registry's
 * change nothing can be called later than it, and the edit stays: its delivery decides, with the expected value.
 *
 * @returns The member to hold, and the paths where an edit was kept.
 */
export const keepPendingEdits = (
  member: Member,
  pending: readonly PendingEdit[],
  occurredAt: Date | null,
): { readonly member: Member; readonly kept: readonly FieldPath[] } => {
  const values = new Map<FieldPath, unknown>();
  for (const edit of pending.toSorted((a, b) => a.editedAt.getTime() - b.editedAt.getTime())) {
    if (!isTwoWayPath(edit.path) || (occurredAt !== null && edit.editedAt <= occurredAt)) continue;
    const value = rowOf(edit.path).fromPortal(edit.value);
    if (value !== undefined) values.set(edit.path, value);
  }
  return { member: withFields(member, Object.fromEntries(values)), kept: [...values.keys()] };
};
