import * as fc from 'fast-check';
import { describe, it } from 'vitest';
import { history, playHistory } from './support/histories.ts';

describe('any history of edits, messages, failures and deaths', () => {
  it('ends with both sides equal and every edit accounted for', async () => {
    await fc.assert(
      fc.asyncProperty(history, (given) => playHistory(given, { companion: true })),
      { numRuns: 400 },
    );
  }, 60_000);

  it('also with a registry that has no companion app', async () => {
    await fc.assert(
      fc.asyncProperty(history, (given) => playHistory(given, { companion: false })),
      { numRuns: 200 },
    );
  }, 60_000);

  it('and with one that ignores most of what it is sent, and says that all is well', async () => {
    await fc.assert(
      fc.asyncProperty(history, (given) => playHistory(given, { companion: false, isLegacy: true })),
      { numRuns: 200 },
    );
  }, 120_000);
});
