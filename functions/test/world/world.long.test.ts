import { expect, it } from 'vitest';
import { play } from './history.ts';

it('keeps every promise in 10,000 histories', { timeout: 7_200_000 }, async () => {
  for (let seed = 1_001; seed <= 11_000; seed += 1) {
    const { violations } = await play(seed);
    expect({ seed, violations }).toEqual({ seed, violations: [] });
  }
});
