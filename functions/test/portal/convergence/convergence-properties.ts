import * as fc from 'fast-check';
import { expect } from 'vitest';
import { differencesFrom } from './differences.ts';
import { losslessHistory, lossyHistory } from './history.ts';
import { play, type WorldOptions } from './world.ts';

/**
 * Whatever order, repetition and failure the network and the instances add: when every event has come through, the
 * portal equals the registry without a reconcile, which then has nothing to write and nothing to blame on the
 * webhooks; and the roster has been asked for since the last member joined or left.
 */
export const losesNothing = (options?: WorldOptions) =>
  fc.asyncProperty(losslessHistory, async (history) => {
    const { registry, memory, reconcile, isRosterStale } = await play(history, options);
    expect(differencesFrom(registry, memory)).toEqual([]);
    expect(isRosterStale).toBe(false);
    if (isEmpty(registry)) return;
    const { written, missed } = await reconcile();
    expect([written, Object.values(missed ?? {}).filter((count) => count > 0)]).toEqual([0, []]);
  });

/** When events were lost, one reconcile makes the portal equal, and a second one finds nothing. */
export const healsWhatWasLost = (options?: WorldOptions) =>
  fc.asyncProperty(lossyHistory, async (history) => {
    const { registry, memory, reconcile } = await play(history, options);
    if (isEmpty(registry)) return;
    await reconcile();
    expect(differencesFrom(registry, memory)).toEqual([]);
    expect((await reconcile()).written).toBe(0);
  });

/** A registry that shows nobody is refused by the reconcile, whoever it once showed. */
const isEmpty = (registry: Parameters<typeof differencesFrom>[0]): boolean =>
  registry.page(0, undefined).count === 0;
