import { type Claimed, carries, type Delivery, withDelivery, withoutPaths } from './delivery.ts';
import type { MemberView } from './ports.ts';
import type { QueueItem } from './queue-item.ts';
import { type PathEnd, settlePaths } from './settle-paths.ts';

/** Whether the delivery is still ours: only its owner completes it. */
export const holdsClaim = ({ pending }: MemberView, { owner, delivery }: Claimed): boolean =>
  pending.some((item) => item.claim?.owner === owner && item.delivery?.changeId === delivery.changeId);

/**
 * Ends what a part of a delivery told, in every item that it carries: also in those that arrived meanwhile and were
 * edited before. What is left of the delivery stays claimed.
 */
export const endPaths = (
  pending: readonly QueueItem[],
  claimed: Claimed,
  part: Delivery,
  now: Date,
  endOf: (isLast: boolean, path: string) => PathEnd,
): { readonly items: QueueItem[]; readonly rest: Delivery | null } => {
  const claim = pending.find((item) => item.delivery?.changeId === claimed.delivery.changeId)?.claim ?? null;
  const ended = pending.map((item) =>
    settlePaths(
      item,
      (path) =>
        carries(part.paths, item, path) ? endOf(item.editedAt === part.paths[path]?.editedAt, path) : null,
      now,
    ),
  );
  const rest = withoutPaths(claimed.delivery, Object.keys(part.paths));
  const items = withDelivery(ended, rest, rest === null ? null : claim);
  return { items, rest };
};
