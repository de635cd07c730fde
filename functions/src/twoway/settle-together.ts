import type { Kennitala } from '../domain/kennitala.ts';
import type { DeliveryDependencies } from './delivery-dependencies.ts';
import type { Outgoing, Sent } from './send-changes.ts';
import { type Settled, toSettled } from './settle.ts';
import { planDelivered } from './settle-delivered.ts';

/**
 * Writes down in one transaction what the registry took of many members, which is nearly all of it on any day. What is
 * missing in the answer is left to be settled by itself: conflicts, refusals, failures, and everything when the
 * transaction met somebody else's again and again.
 */
export const settleTogether = async (
  sent: ReadonlyMap<Outgoing, Sent>,
  { store, now }: DeliveryDependencies,
): Promise<ReadonlyMap<Outgoing, Settled>> => {
  const taken = new Map<Kennitala, { readonly out: Outgoing; readonly version: number }>();
  for (const [out, result] of sent) {
    if (!('answer' in result) || result.answer.status !== 'success') continue;
    // Without a version nothing is proved: each of those is read back.
    const { version } = result.answer;
    if (version !== null) taken.set(out.claimed.kennitala, { out, version });
  }
  const at = now();
  const kennitalas = [...taken.keys()];
  const outcomes = await together(kennitalas, () =>
    store.transactAll(kennitalas, at, (kennitala, view) => {
      const one = taken.get(kennitala);
      if (one === undefined) return { result: null };
      const { out, version } = one;
      return planDelivered(view, out.claimed, { part: out.part, version, reading: null }, at);
    }),
  );
  const settled = new Map<Outgoing, Settled>();
  for (const { out } of taken.values()) {
    const outcome = outcomes?.get(out.claimed.kennitala) ?? null;
    if (outcome !== null && outcome.kind !== 'read') settled.set(out, toSettled(outcome, out.claimed));
  }
  return settled;
};

/** Null when there is nothing to do together, or it failed: then each is tried alone, and says what is wrong. */
export const together = async <T>(
  kennitalas: readonly Kennitala[],
  work: () => Promise<T>,
): Promise<T | null> => {
  if (kennitalas.length < 2) return null;
  return work().catch(() => null);
};
