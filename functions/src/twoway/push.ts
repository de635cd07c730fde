import type { Kennitala } from '../domain/kennitala.ts';
import { isSyncError, type SyncError } from '../lib/errors.ts';
import { deliverMembers } from './deliver.ts';
import type { DeliveryDependencies } from './delivery-dependencies.ts';
import { BEFORE_ALL } from './edit-time.ts';
import type { DueOptions, Step } from './ports.ts';
import { isGivenUp } from './queue-item.ts';
import { reviveItem } from './revive.ts';

export interface Pushed {
  readonly success: number;
  readonly failed: number;
  readonly conflicts: number;
  /** The store failed on the way: what it holds was not all seen. */
  readonly failure: SyncError | null;
}

const MEMBERS_AT_ONCE = 400;

/** Delivers everything that is due, or also what waits, or the dead letters; until nothing is left or time is up. */
export const pushEdits = async (
  which: DueOptions['which'],
  signal: AbortSignal,
  dependencies: DeliveryDependencies,
): Promise<Pushed> => {
  const { store, now } = dependencies;
  const seen = new Set<Kennitala>();
  let sum: Pushed = { success: 0, failed: 0, conflicts: 0, failure: null };
  while (!signal.aborted) {
    const members = await store.members({ now: now(), which, limit: MEMBERS_AT_ONCE, except: seen });
    if (members.length === 0) break;
    for (const kennitala of members) {
      seen.add(kennitala);
      if (which === 'failed') await revive(kennitala, dependencies);
    }
    const outcomes = await deliverMembers(members, { signal, isUrgent: which !== 'due' }, dependencies);
    for (const outcome of outcomes.values()) {
      const hasFailed = outcome.kind === 'failed' || (outcome.kind === 'waiting' && outcome.failure !== null);
      sum = {
        success: sum.success + outcome.synced,
        failed: sum.failed + outcome.refused + (hasFailed ? 1 : 0),
        conflicts: sum.conflicts + outcome.conflicts,
        failure: outcome.kind === 'failed' && isSyncError(outcome.failure) ? outcome.failure : sum.failure,
      };
    }
  }
  return sum;
};

/** An operator gives a member's dead letters another three days. */
const revive = async (kennitala: Kennitala, { store, now }: DeliveryDependencies): Promise<void> => {
  const at = now();
  await store.transact<null>(
    kennitala,
    { failed: true, laterThan: BEFORE_ALL },
    at,
    ({ failed, later }): Step<null> => ({
      items: failed.filter((item) => !isGivenUp(item)).map((item) => reviveItem(item, { now: at, later })),
      result: null,
    }),
  );
};
