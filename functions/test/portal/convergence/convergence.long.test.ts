import * as fc from 'fast-check';
import { it } from 'vitest';
import { healsWhatWasLost, losesNothing } from './convergence-properties.ts';

const HISTORIES = 10_000;
const LIMIT_MS = 900_000;

it(
  'without a lost event the portal ends equal to the registry, and no reconcile is needed',
  {
    timeout: LIMIT_MS,
  },
  () => fc.assert(losesNothing(), { numRuns: HISTORIES }),
);

it('with lost events one reconcile makes the portal equal to the registry', { timeout: LIMIT_MS }, () =>
  fc.assert(healsWhatWasLost(), { numRuns: HISTORIES }),
);
