import {
  type Decision,
  type DecisionContext,
  decideChange,
  isStale,
  type MemberMeta,
  type StoredMember,
} from '../../domain/member/decide-change.ts';
import { FIELD_PATHS, rowOf } from '../../domain/member/field-table.ts';
import { type FieldDifference, fieldOf } from '../../domain/member/fields.ts';
import { EVENT_COMES_MS, keepPendingEdits, type PendingEdit } from '../../domain/member/kept-values.ts';
import type { Member } from '../../domain/member/member.ts';
import type { MemberChange } from '../../domain/member/member-change.ts';
import type { ParsedMember } from '../../domain/member/parse-registry-member.ts';
import { applyPatch, isSameValue, makeTombstone } from '../../domain/member/patch.ts';
import type { MemberToDecide } from '../ports.ts';

/** How long an edit of a member may be on its way into the queue: the trigger's retries included, on a bad day. */
export const EDIT_UNDER_WAY_MS = 10 * 60_000;

export type MemberVerdict =
  | { readonly kind: 'equal' }
  /** The portal has a newer version than the registry shows. */
  | { readonly kind: 'ahead' }
  /** Only the member's own last edit differs, and it may not have reached the queue yet. */
  | { readonly kind: 'edit-under-way' }
  | {
      readonly kind: 'create' | 'revive' | 'update';
      readonly member: Member;
      readonly meta: MemberMeta;
      readonly differences: readonly FieldDifference[];
      readonly keptEdits: readonly string[];
      /** The portal had a version that the registry has not reached, and its word was taken all the same. */
      readonly isAhead: boolean;
      /** The registry made a change of which the portal had not heard. */
      readonly isMissed: boolean;
      /** Nothing changed on either side: the registry says more than it did, and the portal's metadata take note of it. */
      readonly isNote: boolean;
    };

/**
 * What a reconcile does about one member whom the registry shows. A newer version in the portal stands, unless an operator
 * had the registry's word taken; the same version is mended.
 */
export const decideMember = (
  seen: MemberToDecide,
  read: ParsedMember,
  now: Date,
  takesWord = false,
): MemberVerdict => {
  const { stored, pending, former, writtenAt } = seen;
  const known = stored?.meta.source_version ?? null;
  // Version 0 says that the member has had no event yet: a document from before the registry had versions is as new.
  const content = stored !== null && known === null && read.version === 0 ? { ...read, version: null } : read;
  const isAhead = isStale(stored, content.version, 'same');
  const comesOver = takesWord ? 'any' : 'same';
  const age = writtenAt === null ? 0 : now.getTime() - writtenAt.getTime();
  const decision = decideChange(stored, changeOf(content), {
    pending,
    former,
    origin: 'reconcile',
    now,
    comesOver,
    isLate: age > EVENT_COMES_MS,
  });
  if (decision.kind === 'stale') return { kind: 'ahead' };
  if (decision.kind !== 'write') return { kind: 'equal' };
  const hash = stored?.meta.source_hash ?? null;
  const isNews = hash !== decision.meta.source_hash || known !== decision.meta.source_version;
  const isNewVersion = content.version === null ? isNews : known !== content.version;
  // A write past the registry's outbox has no new version, and announces nothing either.
  const isNewWord = hash !== null && hash !== decision.meta.source_hash;
  const isFresh = age < EDIT_UNDER_WAY_MS;
  // A write of the metadata alone takes no edit back.
  const isOfContent = decision.differences === null || decision.differences.length > 0;
  // What was withdrawn under a former number is switched off at once: a document that is erased meanwhile could not say it again.
  const isFollowed = Object.keys(former ?? {}).length > 0;
  if (
    stored !== null &&
    !isAhead &&
    !isNews &&
    isFresh &&
    isOfContent &&
    !isFollowed &&
    isActive(stored.member)
  )
    return { kind: 'edit-under-way' };
  return {
    kind: kindOf(stored?.member ?? null),
    member: decision.member,
    meta: decision.meta,
    differences: decision.differences ?? [],
    keptEdits: decision.keptEdits,
    isAhead,
    // What kept it from being applied was the version here, and not a lost event.
    isMissed: !isAhead && (isNewVersion || isNewWord),
    isNote: !isOfContent && !isNews,
  };
};

/** A member whom the registry does not have any more. Null when the portal does not show them either. */
export const decideRemoval = (
  seen: MemberToDecide,
  now: Date,
): Extract<Decision, { kind: 'write' }> | null => {
  if (seen.stored === null || !isActive(seen.stored.member)) return null;
  const { kennitala } = seen.stored.member.profile;
  const change: MemberChange = {
    kennitala,
    action: 'delete',
    version: null,
    occurredAt: null,
    content: null,
  };
  const decision = decideChange(seen.stored, change, { pending: [], origin: 'reconcile', now });
  return decision.kind === 'write' ? decision : null;
};

const changeOf = (content: ParsedMember): MemberChange => ({
  kennitala: content.kennitala,
  action: 'update',
  version: content.version,
  occurredAt: null,
  content,
});

const kindOf = (before: Member | null): 'create' | 'revive' | 'update' => {
  if (before === null) return 'create';
  return isActive(before) ? 'update' : 'revive';
};

const isActive = (member: Member): boolean => member.membership.status === 'active';

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
