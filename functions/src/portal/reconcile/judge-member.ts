import { applyPatch, makeTombstone } from '../../domain/member/apply-patch.ts';
import {
  type Decision,
  type DecisionContext,
  decideChange,
  type StoredMember,
} from '../../domain/member/decide-change.ts';
import { type FieldDifference, isSameValue } from '../../domain/member/diff-members.ts';
import { FIELD_PATHS, rowOf } from '../../domain/member/field-table.ts';
import { fieldOf } from '../../domain/member/fields.ts';
import { keepPendingEdits, type PendingEdit } from '../../domain/member/keep-pending-edits.ts';
import type { Member } from '../../domain/member/member.ts';
import type { MemberChange } from '../../domain/member/member-change.ts';

export type MemberJudgement = { readonly reasons: readonly string[] } & (
  | {
      readonly kind: 'write';
      readonly decision: Extract<Decision, { kind: 'write' }>;
      readonly keptEdits: readonly string[];
    }
  | { readonly kind: 'unchanged'; readonly keptEdits: readonly string[] }
  | { readonly kind: 'stale' | 'guarded' }
);

/** A member with so few filled fields left can be a mistake and still be an ordinary edit. */
const HOLLOW_FLOOR = 3;

/** The member as the registry has them; null when neither side has any. */
export const registryView = (stored: StoredMember | null, change: MemberChange): Member | null => {
  const before = stored?.member ?? null;
  if (change.action !== 'delete') return applyPatch(before, change.content);
  return before === null ? null : makeTombstone(before, change.kennitala);
};

/**
 * What one member's state in the registry, just read, does to what the portal holds, and why. Pure.
 *
 * Guarded is an answer that would empty more than half of the member's filled fields (at least three): that looks
 * like a broken answer, not like an edit. The nightly run, which sees whether others lost theirs too, may write it.
 */
export const judgeMember = (
  stored: StoredMember | null,
  change: MemberChange,
  { pending, former, now }: Omit<DecisionContext, 'origin'>,
): MemberJudgement => {
  if (stored === null && change.action === 'delete') {
    return {
      kind: 'unchanged',
      keptEdits: [],
      reasons: ['Neither the registry nor the portal has the member.'],
    };
  }
  const decision = decideChange(stored, change, {
    pending,
    former,
    origin: 'reconcile',
    now,
    comesOver: 'same',
  });
  if (decision.kind === 'stale') {
    const known = stored?.meta.source_version;
    return {
      kind: 'stale',
      reasons: [
        `The portal has version ${known}, the registry shows ${change.version}: the newer one stands.`,
      ],
    };
  }
  const keptEdits = decision.kind === 'write' ? decision.keptEdits : keptIn(stored, pending);
  const reasons = [
    ...(change.action === 'delete' ? ['The registry has no such member any more.'] : []),
    ...keptEdits.map((path) => `${path}: the member’s own edit waits for delivery and stays.`),
  ];
  if (decision.kind !== 'write') {
    return { kind: 'unchanged', keptEdits, reasons: [...reasons, 'The portal shows this already.'] };
  }
  const emptied = countEmptied(decision.differences ?? []);
  if (stored !== null && emptied >= HOLLOW_FLOOR && emptied > countFilled(stored.member) / 2) {
    return {
      kind: 'guarded',
      reasons: [
        `The answer would empty ${emptied} fields, more than half. Look at the member in the registry.`,
      ],
    };
  }
  return { kind: 'write', decision, keptEdits, reasons: [...reasons, reasonOf(stored, change, decision)] };
};

const reasonOf = (
  stored: StoredMember | null,
  change: MemberChange,
  { differences }: Extract<Decision, { kind: 'write' }>,
): string => {
  if (change.action === 'delete') return 'The member is shown as inactive from now on.';
  if (stored === null) return 'The portal did not have the member.';
  if (stored.member.membership.status !== 'active') return 'The registry has the member again.';
  if (differences?.length === 0)
    return 'The content is the same; only the version or the hash is brought up.';
  return 'The registry’s content differs from the portal’s.';
};

const keptIn = (stored: StoredMember | null, pending: readonly PendingEdit[]): readonly string[] =>
  stored === null ? [] : keepPendingEdits(stored.member, pending, null).kept;

const countEmptied = (differences: readonly FieldDifference[]): number =>
  differences.filter(({ path, newValue }) => isSameValue(path, newValue, rowOf(path).empty)).length;

const countFilled = (member: Member): number =>
  FIELD_PATHS.filter((path) => !isSameValue(path, fieldOf(member, path), rowOf(path).empty)).length;
