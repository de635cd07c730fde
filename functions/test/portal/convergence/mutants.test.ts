import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { losesNothing } from './convergence-properties.ts';
import type { History } from './history.ts';
import { MUTANTS } from './mutants.ts';

/** As many histories as the property is given; the seed keeps a mutant from being missed by bad luck. */
const RUNS = { numRuns: 1_000, seed: 20_261_120, endOnFailure: true };

it.each(MUTANTS)('the histories tell when $name', { timeout: 60_000 }, async ({ distort, race }) => {
  const examples: [History][] = race === undefined ? [] : [[race]];
  const { failed } = await fc.check(losesNothing({ distort }), { ...RUNS, examples });
  expect(failed).toBe(true);
});

it.each(MUTANTS.flatMap(({ race }) => race ?? []))(
  'the races given are lost by mutants only',
  async (race) => {
    await fc.assert(losesNothing(), { examples: [[race]], numRuns: 1 });
  },
);
