import { makeRunHistory } from '../adapters/firestore/ops-runs.ts';
import type { RollDependencies } from '../proof/roll.ts';
import { wiredRoster } from './roster.ts';
import { shared } from './shared.ts';

/** What the list of a moment is found with. What its receipt says of the registry comes from the records of runs. */
export const rollDependencies = (): RollDependencies => {
  const { chain, firestore, now } = shared();
  const history = makeRunHistory(firestore);
  return {
    versions: wiredRoster().restore.versions,
    runsBefore: async (at, limit) =>
      (await history.page({ mirror: 'roster', until: new Date(at.getTime() + 1), limit })).items,
    keys: chain,
    now,
  };
};
