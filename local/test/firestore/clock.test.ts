import { expect, test } from 'vitest';
import { makeClock } from '../../src/firestore/engine.ts';

test('no two ticks give the same time, and time never goes back', () => {
  const clock = makeClock();
  const times = Array.from({ length: 2000 }, () => {
    clock.tick();
    return clock.now().valueOf();
  });
  expect(new Set(times).size).toBe(2000);
  expect(times.toSorted()).toEqual(times);
});

test('a fence lies between the commits before and after it, compared by the millisecond', () => {
  const clock = makeClock();
  for (let round = 0; round < 50; round += 1) {
    clock.tick();
    const before = clock.now().toMillis();
    const fence = clock.fence().toMillis();
    clock.tick();
    expect(before).toBeLessThanOrEqual(fence);
    expect(clock.now().toMillis()).toBeGreaterThan(fence);
  }
});
