import { isWithdrawal } from '../domain/member/consents.ts';
import type { StoredMember } from '../domain/member/decide-change.ts';
import type { Json } from '../domain/member/field-row.ts';
import { withFields } from '../domain/member/fields.ts';
import { sourceHash } from '../domain/member/source-hash.ts';
import { type Claimed, type Delivery, isPending, planDelivery, withDelivery } from './delivery.ts';
import { isCancelled, mergeEdits } from './merge-edits.ts';
import type { MemberUpdate, MemberView, Step } from './ports.ts';
import type { QueueItem } from './queue-item.ts';
import { asRegistryHasIt } from './registry-view.ts';
import { settlePaths } from './settle-paths.ts';
import { planShown } from './show-value.ts';

/** Longer than a try and its transactions take; a process that died holds a member's edits up for no longer. */
export const CLAIM_MS = 3 * 60_000;

export type ClaimOutcome =
  | { readonly kind: 'claimed'; readonly claimed: Claimed; readonly isRevived: boolean }
  | { readonly kind: 'nothing' }
  /** Somebody else delivers these items; what else waits will be taken by them afterwards. */
  | { readonly kind: 'busy'; readonly delivery: Delivery }
  /** The last try failed, and it is not time for the next. */
  | { readonly kind: 'waiting'; readonly until: Date };

export interface ClaimOptions {
  readonly owner: string;
  readonly now: Date;
  /** Tries now whatever the time of the next try. */
  readonly isUrgent: boolean;
}

/** Takes a member's waiting edits for delivery: what was begun before, or all of them as one change. */
export const planClaim = (
  { stored, pending }: MemberView,
  { owner, now, isUrgent }: ClaimOptions,
): Step<ClaimOutcome> => {
  const begun = pending.find(({ delivery }) => delivery !== null);
  const { items, delivery, member } =
    begun?.delivery == null
      ? planNew(stored, pending, now)
      : { items: pending, delivery: begun.delivery, member: null };
  const kept = items.filter((item, n) => item !== pending[n]);
  if (delivery === null) return { items: kept, member, result: { kind: 'nothing' } };
  if (begun?.claim != null && begun.claim.expiresAt > now && begun.claim.owner !== owner) {
    return { result: { kind: 'busy', delivery } };
  }
  const claim = { owner, expiresAt: new Date(now.getTime() + CLAIM_MS) };
  const claimedItems = withDelivery(items, delivery, claim);
  const n = claimedItems.findIndex((item) => item.delivery !== null);
  const head = pending[n];
  if (head === undefined) throw new Error('A delivery carries no waiting item.');
  const wasClaimed = begun?.claim != null;
  if (!wasClaimed && !isUrgent && head.nextAttemptAt > now) {
    return { items: kept, member, result: { kind: 'waiting', until: head.nextAttemptAt } };
  }
  return {
    items: claimedItems.filter((item, at) => item !== pending[at]),
    member,
    result: {
      kind: 'claimed',
      isRevived: wasClaimed && begun?.claim?.owner !== owner,
      claimed: {
        kennitala: head.kennitala,
        djangoId: stored?.meta.django_id ?? head.djangoId,
        owner,
        delivery,
        isSplit: false,
      },
    },
  };
};

interface NewDelivery {
  readonly items: readonly QueueItem[];
  readonly delivery: Delivery | null;
  readonly member: MemberUpdate | null;
}

/**
 * What the member has taken back themselves ends here, unless the registry's word, as far as it is known, is not what
 * they went back to: then it is told too, and the registry's answer shows what it holds.
 */
const planNew = (stored: StoredMember | null, pending: readonly QueueItem[], now: Date): NewDelivery => {
  const isCreate = pending.some(({ action }) => action === 'create');
  const cancelled: Record<string, Json> = {};
  for (const [path, edit] of mergeEdits(pending)) {
    if (isCreate || !isCancelled(path, edit) || isWithdrawal(path, edit.newValue)) continue;
    cancelled[path] = edit.newValue;
  }
  if (Object.keys(cancelled).length === 0) {
    return { items: pending, delivery: planDelivery(pending), member: null };
  }
  const items = pending.map((item) =>
    settlePaths(item, (path) => (Object.hasOwn(cancelled, path) ? { outcome: 'cancelled' } : null), now),
  );
  const waiting = items.filter(isPending);
  if (stored === null) return { items, delivery: planDelivery(waiting), member: null };
  // An event of the registry may have shown one of these edits again after the member had taken it back.
  const values = planShown(stored.member, pending, cancelled);
  const shown = asRegistryHasIt(withFields(stored.member, values), waiting);
  if (sourceHash(shown) !== stored.meta.source_hash) {
    return { items: pending, delivery: planDelivery(pending, { tellsCancelled: true }), member: null };
  }
  const member = Object.keys(values).length === 0 ? null : { values, meta: stored.meta };
  return { items, delivery: planDelivery(waiting), member };
};
