import type { Kennitala } from '../domain/kennitala.ts';
import type { Claimed } from './delivery.ts';
import { holdsClaim } from './end-paths.ts';
import type { MemberView, Step } from './ports.ts';

/** Everything that waits of a member goes to the number that they have now, to be delivered anew. */
export const planMove = (
  view: MemberView,
  claimed: Claimed,
  successor: Kennitala,
  now: Date,
): Step<boolean> => {
  if (!holdsClaim(view, claimed)) return { result: false };
  const items = view.pending.map((item) => ({
    ...item,
    kennitala: successor,
    delivery: null,
    claim: null,
    nextAttemptAt: now,
  }));
  return { items, result: true };
};
