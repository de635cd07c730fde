import type { Kennitala } from '../domain/kennitala.ts';
import type { Json } from '../domain/member/fields.ts';
import { isWithdrawal } from '../domain/member/kept-values.ts';
import type { SyncError } from '../lib/errors.ts';
import type { RegistryChanges } from '../registry/ports.ts';
import type { TwoWayLogs } from './logs.ts';
import type { MemberView, TwoWayStore } from './ports.ts';
import {
  type Claim,
  compareEditTimes,
  type Delivery,
  inEditOrder,
  isCancelled,
  isPending,
  mergeEdits,
  type PathEnd,
  type QueueItem,
  settlePaths,
} from './queue.ts';
import type { ApplyProtocol, RegistryMembers } from './registry.ts';

/** A delivery that is ours to make until the claim expires. */
export interface Claimed {
  readonly kennitala: Kennitala;
  readonly djangoId: number | null;
  readonly owner: string;
  readonly delivery: Delivery;
  /** One path at a time: the registry refused them together, and it does not say which. */
  readonly isSplit: boolean;
}

/** What a claimed delivery says next: all of it, or its first path. */
export const nextPart = ({ delivery, isSplit }: Claimed): Delivery => {
  const [first] = Object.entries(delivery.paths);
  if (!isSplit || first === undefined) return delivery;
  const [path, told] = first;
  return { ...delivery, changeId: `${delivery.changeId}.${path}`, paths: { [path]: told } };
};

export interface PlanOptions {
  /** What the registry was just seen to hold, where that is not what the edits started from. */
  readonly expected?: Readonly<Record<string, Json>>;
  /** Sends the edits that the member took back as well, to learn what the registry holds. */
  readonly tellsCancelled?: boolean;
}

/**
 * The next delivery of a member, or null when nothing waits. A registration goes as a whole, with what was edited
 * since. A consent that was given and taken back is told all the same: only the registry's answer proves that it is off.
 */
export const planDelivery = (
  pending: readonly QueueItem[],
  { expected = {}, tellsCancelled = false }: PlanOptions = {},
): Delivery | null => {
  const merged = mergeEdits(pending);
  const action = pending.some((item) => item.action === 'create') ? 'create' : 'update';
  const paths = Object.fromEntries(
    [...merged]
      .filter(
        ([path, edit]) =>
          action === 'create' ||
          tellsCancelled ||
          Object.hasOwn(expected, path) ||
          !isCancelled(path, edit) ||
          isWithdrawal(path, edit.newValue),
      )
      .map(([path, { newValue, editedAt, expected: old }]) => [
        path,
        {
          newValue,
          editedAt,
          ...(action === 'update' && {
            expected: Object.hasOwn(expected, path) ? (expected[path] ?? null) : old,
          }),
        },
      ]),
  );
  const head = headOf(pending, paths);
  if (head === undefined) return null;
  return { changeId: head.deliveries === 0 ? head.id : `${head.id}~${head.deliveries}`, action, paths };
};

/** Puts a delivery and its claim onto one waiting item that it carries, and takes them off every other. */
export const withDelivery = (
  items: readonly QueueItem[],
  delivery: Delivery | null,
  claim: Claim | null,
): QueueItem[] => {
  const head = delivery === null ? undefined : headOf(items.filter(isPending), delivery.paths);
  return items.map((item) => {
    if (item === head) {
      const isNew = item.delivery?.changeId !== delivery?.changeId;
      const nextAttemptAt = claim?.expiresAt ?? item.nextAttemptAt;
      return { ...item, delivery, claim, nextAttemptAt, deliveries: item.deliveries + (isNew ? 1 : 0) };
    }
    return item.delivery === null && item.claim === null ? item : { ...item, delivery: null, claim: null };
  });
};

/** What is left of a delivery after some of its paths have ended; null when that is nothing. */
export const withoutPaths = (delivery: Delivery, ended: readonly string[]): Delivery | null => {
  const paths = Object.fromEntries(Object.entries(delivery.paths).filter(([path]) => !ended.includes(path)));
  return Object.keys(paths).length === 0 ? null : { ...delivery, paths };
};

/** Whether the delivery sends the item's edit of a path, or a later edit of that path by the same member. */
export const carries = (paths: Delivery['paths'], item: QueueItem, path: string): boolean => {
  const told = paths[path];
  return told !== undefined && compareEditTimes(item.editedAt, told.editedAt) <= 0;
};

/** The item that holds the last delivery and what is known of its tries; without one, the member's first item. */
const headOf = (items: readonly QueueItem[], paths: Delivery['paths']): QueueItem | undefined => {
  const carried = inEditOrder(items).filter((item) =>
    Object.keys(item.changes).some((path) => carries(paths, item, path)),
  );
  return carried.find(({ delivery }) => delivery !== null) ?? carried[0];
};

/** Whether the delivery is still ours: only its owner completes it. */
export const holdsClaim = ({ pending }: MemberView, { owner, delivery }: Claimed): boolean =>
  pending.some((item) => item.claim?.owner === owner && item.delivery?.changeId === delivery.changeId);

/**
 * Ends the paths that a part of a delivery sent, in every item that it carries, those included that arrived meanwhile
 * with an earlier edit; null: that item waits on. What is left of the delivery stays claimed.
 */
export const endPaths = (
  pending: readonly QueueItem[],
  claimed: Claimed,
  part: Delivery,
  now: Date,
  endOf: (isLast: boolean, path: string, item: QueueItem) => PathEnd | null,
): { readonly items: QueueItem[]; readonly rest: Delivery | null } => {
  const claim = pending.find((item) => item.delivery?.changeId === claimed.delivery.changeId)?.claim ?? null;
  const ended = pending.map((item) =>
    settlePaths(
      item,
      (path) =>
        carries(part.paths, item, path)
          ? endOf(item.editedAt === part.paths[path]?.editedAt, path, item)
          : null,
      now,
    ),
  );
  const rest = withoutPaths(claimed.delivery, Object.keys(part.paths));
  return { items: withDelivery(ended, rest, claim), rest };
};

/** How a member's waiting edits stand after a delivery. */
export type MemberOutcome = MemberTally &
  (
    | { readonly kind: 'done' }
    /** Somebody else delivers; what they carry is in `delivery`. */
    | { readonly kind: 'busy'; readonly delivery: Delivery }
    | { readonly kind: 'waiting'; readonly until: Date; readonly failure: SyncError | null }
    | { readonly kind: 'failed'; readonly failure: SyncError }
  );

export interface MemberTally {
  readonly synced: number;
  readonly refused: number;
  readonly conflicts: number;
}

export const NOTHING_ENDED: MemberTally = { synced: 0, refused: 0, conflicts: 0 };

export interface DeliverOptions {
  readonly signal: AbortSignal;
  /** Tries at once what waits after a failure. */
  readonly isUrgent?: boolean;
}

/** Where a member stands between two turns. */
export type Turn = { readonly claimed: Claimed } | { readonly outcome: MemberOutcome };

/**
 * settled   some paths have ended; `next` is what is left of the delivery, still claimed
 * again     the registry's answer is out of date, or is answered with another change: send `next`
 * read      the portal knows of something later: the registry has to be read first
 * waiting   an earlier edit may still arrive: the try is given back until then
 * lost      the claim has expired and somebody else has taken over
 */
export type SettleOutcome =
  | {
      readonly kind: 'settled';
      readonly outcome: 'synced' | 'failed' | 'conflict';
      readonly next: Claimed | null;
      readonly hasMore: boolean;
    }
  | { readonly kind: 'again'; readonly next: Claimed }
  | { readonly kind: 'read' }
  | { readonly kind: 'waiting'; readonly until: Date }
  | { readonly kind: 'lost' };

export interface DeliveryDependencies {
  readonly store: TwoWayStore;
  readonly registry: RegistryChanges;
  readonly registryMembers: RegistryMembers;
  readonly protocol: ApplyProtocol;
  readonly reference: (kennitala: Kennitala) => Promise<string>;
  readonly now: () => Date;
  /** From 0 to 1. */
  readonly random: () => number;
  /** An id that no other delivery has. */
  readonly makeOwner: () => string;
  readonly logs: TwoWayLogs;
}
