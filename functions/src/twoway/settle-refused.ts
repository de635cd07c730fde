import { type Claimed, type Delivery, isPending } from './delivery.ts';
import { endPaths, holdsClaim } from './end-paths.ts';
import type { MemberView, Step } from './ports.ts';
import { isOutdated, planReading, type Reading, withdrawnAfter } from './reading.ts';
import type { SettleOutcome } from './settle-outcome.ts';

export interface Refusal {
  /** For the operator: the registry's own code and message. */
  readonly message: string;
  /** What the registry shows of the member since; null when it shows none, or nothing is to be shown. */
  readonly reading: Reading | null;
}

/**
 * The registry does not take what was told, and never will: a dead letter at once. The portal goes back to what the
 * registry holds, since nothing is on its way any more; the value stays in the queue.
 */
export const planRefused = (
  view: MemberView,
  claimed: Claimed,
  part: Delivery,
  { message, reading }: Refusal,
  now: Date,
): Step<SettleOutcome> => {
  if (!holdsClaim(view, claimed)) return { result: { kind: 'lost' } };
  if (reading !== null && isOutdated(view, reading)) return { result: { kind: 'read' } };
  const { items, rest } = endPaths(view.pending, claimed, part, now, (isLast, path) => {
    const expected = part.paths[path]?.expected;
    return isLast ? { outcome: 'failed', message, oldValue: expected } : { outcome: 'superseded' };
  });
  const waiting = items.filter(isPending);
  return {
    items: items.filter((item, n) => item !== view.pending[n]),
    member: planReading(
      view.stored,
      waiting,
      reading,
      withdrawnAfter(view.stored, part, () => true),
      now,
    ),
    result: {
      kind: 'settled',
      outcome: 'failed',
      next: rest === null ? null : { ...claimed, delivery: rest },
      hasMore: waiting.length > 0,
    },
  };
};
