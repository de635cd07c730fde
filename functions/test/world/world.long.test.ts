import { expect, it } from 'vitest';
import { play } from './history.ts';

const HISTORIES = 10_000;

it(`keeps every promise in ${HISTORIES} histories`, { timeout: 7_200_000 }, async () => {
  for (let seed = 1_001; seed <= 1_000 + HISTORIES; seed += 1) {
    const { violations } = await play(seed);
    expect({ seed, violations }).toEqual({ seed, violations: [] });
  }
});
