import type { Kennitala } from '../domain/kennitala.ts';
import { asSyncError } from '../lib/errors.ts';
import { type ClaimOutcome, planClaim } from './claim.ts';
import type { DeliveryDependencies } from './delivery-dependencies.ts';
import { inParallel } from './in-parallel.ts';
import { type DeliverOptions, NOTHING_ENDED, type Turn } from './member-outcome.ts';
import { together } from './settle-together.ts';

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
  const claimed = await together(kennitalas, () =>
    store.transactAll(kennitalas, at, (_, view) =>
      planClaim(view, { owner, now: at, isUrgent: options.isUrgent === true }),
    ),
  );
  return inParallel(kennitalas, TRANSACTIONS, async (kennitala) => {
    const outcome = claimed?.get(kennitala);
    const turn =
      outcome === undefined
        ? await claim(kennitala, options, dependencies, owner)
        : await toTurn(kennitala, outcome, dependencies);
    return [kennitala, turn];
  });
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
    const outcome = await store.transact<ClaimOutcome>(kennitala, {}, at, (view) =>
      planClaim(view, { owner, now: at, isUrgent }),
    );
    return await toTurn(kennitala, outcome, dependencies);
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
    default: {
      const never: never = outcome;
      return never;
    }
  }
};

export const failed = (cause: unknown): Turn => ({
  outcome: { kind: 'failed', failure: asSyncError(cause), ...NOTHING_ENDED },
});
