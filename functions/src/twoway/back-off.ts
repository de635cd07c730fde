import type { Json } from '../domain/member/field-row.ts';
import { type Claimed, endPaths, holdsClaim, withDelivery } from './delivery.ts';
import type { MemberView, Step } from './ports.ts';
import type { Delivery, QueueItem } from './queue.ts';
import { planShown, withdrawnAfter } from './reading.ts';

const FIRST_DELAY_MS = 30_000;
const LONGEST_DELAY_MS = 24 * 60 * 60_000;

/** What a failed try left: when the next one is, or that there is none. */
export type FailedTry =
  | { readonly kind: 'waiting'; readonly until: Date }
  | { readonly kind: 'dead' }
  | { readonly kind: 'lost' };

/**
 * 30 s, 1 min, 2 min … 24 h, each less up to a half by chance, so that what failed together does not come back together.
 * @param tries Failed ones, the last included. @param random From 0 to 1.
 */
export const nextDelayMs = (tries: number, random: number): number =>
  Math.round(Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(tries - 1, 30)) * (1 - random / 2));

/**
 * The registry could not be reached, or gave no usable answer: the delivery waits, and with it whatever the member
 * edits meanwhile. After three days it is a dead letter.
 */
export const planFailedTry = (
  view: MemberView,
  claimed: Claimed,
  part: Delivery,
  { message, now, random }: { message: string; now: Date; random: number },
): Step<FailedTry> => {
  if (!holdsClaim(view, claimed)) return { result: { kind: 'lost' } };
  const head = view.pending.find(({ delivery }) => delivery !== null);
  if (head === undefined) return { result: { kind: 'lost' } };
  if (now >= head.retryUntil) return planDeadLetter(view, claimed, part, message, now);
  const retryCount = head.retryCount + 1;
  const until = new Date(now.getTime() + nextDelayMs(retryCount, random));
  return {
    items: view.pending.map((item) =>
      item === head
        ? { ...item, retryCount, nextAttemptAt: until, claim: null, errorMessage: message }
        : { ...item, nextAttemptAt: later(item, until) },
    ),
    result: { kind: 'waiting', until },
  };
};

const planDeadLetter = (
  view: MemberView,
  claimed: Claimed,
  part: Delivery,
  message: string,
  now: Date,
): Step<FailedTry> => {
  const { items } = endPaths(view.pending, claimed, part, now, (isLast, path) =>
    isLast ? { outcome: 'failed', message, oldValue: part.paths[path]?.expected } : { outcome: 'superseded' },
  );
  const left = withDelivery(items, null, null);
  const { stored } = view;
  const withdrawn = withdrawnAfter(stored, part, () => true);
  return {
    items: left.filter((item, n) => item !== view.pending[n]),
    member:
      stored === null
        ? null
        : {
            values: planShown(stored.member, view.pending, expectedBy(part), withdrawn),
            meta: { ...stored.meta, withdrawn },
          },
    result: { kind: 'dead' },
  };
};

/** The best that is known of the registry: nothing is on its way to it any more, so the portal must not claim it. */
const expectedBy = ({ paths }: Delivery): Record<string, Json> =>
  Object.fromEntries(
    Object.entries(paths).flatMap(([path, { expected }]) =>
      expected === undefined ? [] : [[path, expected]],
    ),
  );

const later = ({ nextAttemptAt }: QueueItem, until: Date): Date =>
  nextAttemptAt > until ? nextAttemptAt : until;
