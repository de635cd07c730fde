import { planMemberWrite } from '../domain/member/decide-change.ts';
import type { FieldValues } from '../domain/member/fields.ts';
import type { MemberChange } from '../domain/member/member-change.ts';
import type { DocumentState } from '../portal/ports.ts';
import { dateOf } from './edit-time.ts';
import type { MemberUpdate, MemberView } from './ports.ts';
import type { QueueItem } from './queue-item.ts';

/** The registry's present word about a member. */
export interface Reading {
  readonly change: MemberChange;
  /** What the document was before the registry was read. */
  readonly ifState: DocumentState;
}

/** Somebody wrote to the document since, and what was read may be older than that. */
export const isOutdated = ({ stored, state }: MemberView, { change, ifState }: Reading): boolean =>
  change.version === null ? ifState !== state : (stored?.meta.source_version ?? -1) > change.version;

/**
 * Shows what the registry holds, except where an edit still waits. The version that the portal has already is applied
 * again: it had been laid under the edit that has just ended.
 */
export const planReading = (
  { stored }: MemberView,
  waiting: readonly QueueItem[],
  { change }: Reading,
  now: Date,
): MemberUpdate | null => {
  if (stored === null) return null;
  const pending = waiting.flatMap(({ changes, editedAt }) =>
    Object.entries(changes).map(([path, { newValue }]) => ({
      path,
      value: newValue,
      editedAt: dateOf(editedAt),
    })),
  );
  const decision = planMemberWrite(stored, change, { pending, origin: 'two-way', now });
  if (decision.kind !== 'write') return null;
  const { origin: _origin, ...meta } = decision.meta;
  const values = (decision.differences ?? []).map(({ path, newValue }) => [path, newValue]);
  return { values: Object.fromEntries(values) as Partial<FieldValues>, meta };
};
