import * as fc from 'fast-check';
import { describe, it } from 'vitest';
import { history, playHistory } from './support/histories.ts';

describe('any history of edits, messages, failures and deaths, at length', () => {
  it.each([
    { registry: 'with the companion app', companion: true },
    { registry: 'without it', companion: false },
  ])(
    'ends with both sides equal, a registry $registry',
    async ({ companion }) => {
      await fc.assert(
        fc.asyncProperty(history, (given) => playHistory(given, { companion })),
        { numRuns: 10_000 },
      );
    },
    900_000,
  );
});
