import * as fc from 'fast-check';
import { describe, it } from 'vitest';
import { history, playHistory } from './support/histories.ts';

describe('any history of edits, messages, failures and deaths, at length', () => {
  it.each([
    { registry: 'with the companion app', companion: true },
    { registry: 'without it', companion: false },
    { registry: 'that ignores most of what it is sent', companion: false, isLegacy: true },
  ])(
    'ends with both sides equal, a registry $registry',
    async ({ registry: _, ...options }) => {
      await fc.assert(
        fc.asyncProperty(history, (given) => playHistory(given, options)),
        { numRuns: 10_000 },
      );
    },
    900_000,
  );
});
