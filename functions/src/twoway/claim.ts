import pMap from 'p-map';
import type { Kennitala } from '../domain/kennitala.ts';
import { asHeard, type StoredMember } from '../domain/member/decide-change.ts';
import { type Json, withFields } from '../domain/member/fields.ts';
import { isWithdrawal, withoutWithdrawals } from '../domain/member/kept-values.ts';
import { sourceHash } from '../domain/member/patch.ts';
import { asSyncError, SyncError } from '../lib/errors.ts';
import {
  type Claimed,
  type DeliverOptions,
  type DeliveryDependencies,
  NOTHING_ENDED,
  planDelivery,
  type Turn,
  withDelivery,
} from './delivery.ts';
import type { MemberUpdate, MemberView, Step } from './ports.ts';
import {
  BEFORE_ALL,
  type Delivery,
  hasEndedWord,
  inEditOrder,
  isCancelled,
  isEarlier,
  isPending,
  mergeEdits,
  type PathEnd,
  type QueueItem,
  settlePaths,
} from './queue.ts';
import { asRegistryHasIt, planShown } from './reading.ts';

/** Null when there is nothing to do together, or it failed: then each is tried alone, and says what is wrong. */
export const inOneTransaction = async <T>(
  kennitalas: readonly Kennitala[],
  work: () => Promise<T>,
): Promise<T | null> => {
  if (kennitalas.length < 2) return null;
  return work().catch(() => null);
};

/** Longer than a try and its transactions take; a process that died holds a member's edits up for no longer. */
export const CLAIM_MS = 3 * 60_000;

export type ClaimOutcome =
  | { readonly kind: 'claimed'; readonly claimed: Claimed; readonly isRevived: boolean }
  | { readonly kind: 'nothing' }
  /** Somebody else is delivering these items, and takes what else waits when they are done. */
  | { readonly kind: 'busy'; readonly delivery: Delivery }
  /** The last try failed, and it is not time for the next. */
  | { readonly kind: 'waiting'; readonly until: Date }
  /** An edit came from a former number: what has come of later ones has to be known. Nothing was written. */
  | { readonly kind: 'unknown' };

export interface ClaimOptions {
  readonly owner: string;
  readonly now: Date;
  /** Tries now whatever the time of the next try. */
  readonly isUrgent: boolean;
  /** Whether the view has all of the member's items. */
  readonly knowsLater?: boolean;
}

/**
 * Takes a member's waiting edits for delivery: what was begun before, or all of them as one change. An edit that came from a
 * former number may be older than what has been delivered under this one: that stands.
 */
export const planClaim = (view: MemberView, options: ClaimOptions): Step<ClaimOutcome> => {
  const isNew = view.pending.every(({ delivery }) => delivery === null);
  if (!isNew || !view.pending.some(({ isMoved }) => isMoved)) return planClaimOf(view, options);
  if (options.knowsLater !== true) return { result: { kind: 'unknown' } };
  const { stored, pending, later } = view;
  const shown: Record<string, Json> = {};
  const known = pending.map((item) => (item.isMoved ? overtaken(item, later, options.now, shown) : item));
  const { items = [], ...step } = planClaimOf({ ...view, pending: known.filter(isPending) }, options);
  const claimed = new Set(items.map(({ id }) => id));
  const others = known.filter((item, n) => item !== pending[n] && !claimed.has(item.id));
  const values = stored === null ? {} : planShown(stored, pending, shown, stored.meta.withdrawn);
  const member = step.member ?? (stored === null ? null : { values: {}, meta: stored.meta });
  return {
    ...step,
    items: [...others, ...items],
    ...(member !== null &&
      Object.keys(values).length > 0 && { member: { ...member, values: { ...values, ...member.values } } }),
  };
};

/**
 * The fields about which the member has said something later that has come to its end are superseded, and no longer shown: the
 * portal had them while they waited. Fills `shown`.
 */
const overtaken = (
  item: QueueItem,
  later: readonly QueueItem[],
  now: Date,
  shown: Record<string, Json>,
): QueueItem => {
  const since = inEditOrder(later.filter(({ editedAt }) => isEarlier(item.editedAt, editedAt)));
  const endOf = (path: string): PathEnd | null => {
    const end = since.findLast((one) => hasEndedWord(one, path))?.settled[path];
    if (end === undefined) return null;
    if (end.outcome === 'synced' || end.outcome === 'failed') shown[path] = end.newValue;
    return { outcome: 'superseded' };
  };
  return settlePaths(item, endOf, now);
};

const planClaimOf = (
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
  const before = begun?.claim ?? null;
  const isAnothers = before !== null && before.owner !== owner;
  if (isAnothers && before.expiresAt > now) return { result: { kind: 'busy', delivery } };
  const claim = { owner, expiresAt: new Date(now.getTime() + CLAIM_MS) };
  const claimedItems = withDelivery(items, delivery, claim);
  const n = claimedItems.findIndex((item) => item.delivery !== null);
  const head = pending[n];
  if (head === undefined) throw new Error('A delivery carries no waiting item.');
  if (before === null && !isUrgent && head.nextAttemptAt > now) {
    return { items: kept, member, result: { kind: 'waiting', until: head.nextAttemptAt } };
  }
  return {
    items: claimedItems.filter((item, at) => item !== pending[at]),
    member,
    result: {
      kind: 'claimed',
      isRevived: isAnothers,
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
 * An edit that the member took back ends here, unless the registry is known to hold something other than what they went
 * back to: then it is sent all the same, and the answer shows what the registry holds.
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
  const values = planShown(stored, pending, cancelled);
  const shown = asRegistryHasIt(withFields(asHeard(stored), values), waiting);
  if (sourceHash(shown) !== stored.meta.source_hash) {
    return { items: pending, delivery: planDelivery(pending, { tellsCancelled: true }), member: null };
  }
  // Whoever went back to a consent that they had withdrawn has given it again.
  const withdrawn = withoutWithdrawals(stored.meta.withdrawn, Object.keys(cancelled));
  const isMarked = Object.keys(withdrawn).length < Object.keys(stored.meta.withdrawn ?? {}).length;
  const member =
    Object.keys(values).length === 0 && !isMarked ? null : { values, meta: { ...stored.meta, withdrawn } };
  return { items, delivery: planDelivery(waiting), member };
};

/** Transactions of one batch under way at once. */
export const TRANSACTIONS = 16;

/** In one transaction; where that meets somebody else's again and again, each member by themselves. */
export const claimAll = async (
  kennitalas: readonly Kennitala[],
  options: DeliverOptions,
  dependencies: DeliveryDependencies,
): Promise<[Kennitala, Turn][]> => {
  const { store, now, makeOwner } = dependencies;
  const owner = makeOwner();
  const at = now();
  const claimed = await inOneTransaction(kennitalas, () =>
    store.transactAll(kennitalas, at, (_, view) =>
      planClaim(view, { owner, now: at, isUrgent: options.isUrgent === true }),
    ),
  );
  const toMembersTurn = async (kennitala: Kennitala): Promise<[Kennitala, Turn]> => {
    const outcome = claimed?.get(kennitala);
    const turn =
      outcome === undefined || outcome.kind === 'unknown'
        ? await claim(kennitala, options, dependencies, owner)
        : await toTurn(kennitala, outcome, dependencies);
    return [kennitala, turn];
  };
  return pMap(kennitalas, toMembersTurn, { concurrency: TRANSACTIONS });
};

export const claim = async (
  kennitala: Kennitala,
  { isUrgent = false }: DeliverOptions,
  dependencies: DeliveryDependencies,
  owner = dependencies.makeOwner(),
): Promise<Turn> => {
  const { store, now } = dependencies;
  try {
    const at = now();
    const take = (knowsLater: boolean) =>
      store.transact<ClaimOutcome>(kennitala, knowsLater ? { laterThan: BEFORE_ALL } : {}, at, (view) =>
        planClaim(view, { owner, now: at, isUrgent, knowsLater }),
      );
    const outcome = await take(false);
    return await toTurn(kennitala, outcome.kind === 'unknown' ? await take(true) : outcome, dependencies);
  } catch (cause) {
    return failed(cause);
  }
};

const toTurn = async (
  kennitala: Kennitala,
  outcome: ClaimOutcome,
  { logs, reference }: DeliveryDependencies,
): Promise<Turn> => {
  switch (outcome.kind) {
    case 'claimed':
      if (outcome.isRevived) logs.revived(await reference(kennitala));
      return { claimed: outcome.claimed };
    case 'nothing':
      return { outcome: { kind: 'done', ...NOTHING_ENDED } };
    case 'busy':
      return { outcome: { ...outcome, ...NOTHING_ENDED } };
    case 'waiting':
      return { outcome: { ...outcome, failure: null, ...NOTHING_ENDED } };
    case 'unknown':
      throw new SyncError('internal', 'A claim knows of all later edits, and asks for them.');
    default: {
      const never: never = outcome;
      return never;
    }
  }
};

export const failed = (cause: unknown): Turn => ({
  outcome: { kind: 'failed', failure: asSyncError(cause), ...NOTHING_ENDED },
});
