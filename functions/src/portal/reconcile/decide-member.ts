import { type Decision, decideChange, isStale, type MemberMeta } from '../../domain/member/decide-change.ts';
import type { FieldDifference } from '../../domain/member/diff-members.ts';
import type { Member } from '../../domain/member/member.ts';
import type { MemberChange } from '../../domain/member/member-change.ts';
import type { ParsedMember } from '../../domain/member/parse-registry-member.ts';
import type { MemberToDecide } from './ports.ts';

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
  const decision = decideChange(stored, changeOf(content), {
    pending,
    former,
    origin: 'reconcile',
    now,
    comesOver,
  });
  if (decision.kind === 'stale') return { kind: 'ahead' };
  if (decision.kind !== 'write') return { kind: 'equal' };
  const hash = stored?.meta.source_hash ?? null;
  const isNews = hash !== decision.meta.source_hash || known !== decision.meta.source_version;
  const isNewVersion = content.version === null ? isNews : known !== content.version;
  // A write past the registry's outbox has no new version, and announces nothing either.
  const isNewWord = hash !== null && hash !== decision.meta.source_hash;
  const isFresh = writtenAt !== null && now.getTime() - writtenAt.getTime() < EDIT_UNDER_WAY_MS;
  // A write of the metadata alone takes no edit back.
  const isOfContent = decision.differences === null || decision.differences.length > 0;
  if (stored !== null && !isAhead && !isNews && isFresh && isOfContent && isActive(stored.member))
    return { kind: 'edit-under-way' };
  return {
    kind: kindOf(stored?.member ?? null),
    member: decision.member,
    meta: decision.meta,
    differences: decision.differences ?? [],
    keptEdits: decision.keptEdits,
    isAhead,
    // What kept it from being applied was the version here, and not a lost event.
    isMissed: !isAhead && (stored === null || isNewVersion || isNewWord),
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
