import * as fc from 'fast-check';
import { it } from 'vitest';
import { healsWhatWasLost, losesNothing } from './convergence-properties.ts';
import { KNOWN_RACES } from './known-races.ts';

const HISTORIES = 200;
const LIMIT_MS = 120_000;

it(
  'without a lost event the portal ends equal to the registry, and no reconcile is needed',
  { timeout: LIMIT_MS },
  () => fc.assert(losesNothing(), { numRuns: HISTORIES, examples: KNOWN_RACES.map((race) => [race]) }),
);

it('with lost events one reconcile makes the portal equal to the registry', { timeout: LIMIT_MS }, () =>
  fc.assert(healsWhatWasLost(), { numRuns: HISTORIES }),
);
