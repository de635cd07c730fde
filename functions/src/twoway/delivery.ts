import type { Kennitala } from '../domain/kennitala.ts';
import { isWithdrawal } from '../domain/member/consents.ts';
import type { Json } from '../domain/member/field-row.ts';
import { compareEditTimes, type EditTime } from './edit-time.ts';
import { inEditOrder, isCancelled, mergeEdits } from './merge-edits.ts';
import type { Claim, QueueItem } from './queue-item.ts';

export interface DeliveredPath {
  /** Absent in a create. */
  readonly expected?: Json;
  readonly newValue: Json;
  readonly editedAt: EditTime;
}

/**
 * What is told to the registry about one member, under one id. From the first try on it stays as it is: when an answer
 * is lost, only the very same change under the very same id is harmless to repeat, and edits made meanwhile wait
 * behind it. When the registry has answered that it wrote nothing (a conflict), the next one has another id: an answer
 * is remembered under the old one. It stands, with the claim, on one of the member's waiting items that it carries.
 */
export interface Delivery {
  readonly changeId: string;
  readonly action: 'create' | 'update';
  readonly paths: Readonly<Record<string, DeliveredPath>>;
}

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
  /** Also edits that come to nothing, to find out what the registry holds. */
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

export const isPending = ({ status }: QueueItem): boolean => status === 'pending';

/** Whether the item's edit of a path is told by the delivery, or by a later one of the member's own in it. */
export const carries = (paths: Delivery['paths'], item: QueueItem, path: string): boolean => {
  const told = paths[path];
  return told !== undefined && compareEditTimes(item.editedAt, told.editedAt) <= 0;
};

/** Where the last delivery stands it stays, with what is known of its tries; otherwise the member's first item. */
const headOf = (items: readonly QueueItem[], paths: Delivery['paths']): QueueItem | undefined => {
  const carried = inEditOrder(items).filter((item) =>
    Object.keys(item.changes).some((path) => carries(paths, item, path)),
  );
  return carried.find(({ delivery }) => delivery !== null) ?? carried[0];
};
