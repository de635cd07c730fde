import { describe, expect, it } from 'vitest';
import { play } from './history.ts';
import { MUTANTS } from './mutants.ts';
import { shrink } from './run.ts';

const HISTORIES = 300;
const LIMIT = { timeout: 300_000 };

describe('the simulated world', () => {
  it(
    `keeps every promise in ${HISTORIES} histories; npm run world -- --seed N tells one`,
    LIMIT,
    async () => {
      for (let seed = 1; seed <= HISTORIES; seed += 1) {
        expect({ seed, violations: (await play(seed)).violations }).toEqual({ seed, violations: [] });
      }
    },
  );

  it('plays a seed the same way each time, and leaves time and chance as they were', async () => {
    const before = [setTimeout, setImmediate, Math.random, Date.now, AbortSignal.timeout];
    const [one, other] = [await play(7), await play(7)];
    expect(one.story).toEqual(other.story);
    expect([setTimeout, setImmediate, Math.random, Date.now, AbortSignal.timeout]).toEqual(before);
  });

  it.each(MUTANTS)('tells when $name', async ({ seed, ...fault }) => {
    expect((await play(seed)).violations).toEqual([]);
    expect((await play(seed, undefined, fault)).violations).not.toEqual([]);
  });

  it('shrinks a history to a few steps that still break the promise', LIMIT, async () => {
    const mutant = MUTANTS.find(({ name }) => name === 'the guard lets everything through');
    if (mutant === undefined) throw new Error('There is no such mutant.');
    const { steps, played } = await shrink(mutant.seed, mutant);
    expect(played.violations).not.toEqual([]);
    expect(steps.length).toBeLessThanOrEqual(4);
  });
});
