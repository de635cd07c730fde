import { defineRoute, type Route } from '../../http/route.ts';
import { byWhom } from '../by-whom.ts';
import type { OpsDependencies } from '../dependencies.ts';
import { eraseAnswer, eraseBody } from '../schemas/erase.ts';
import { erasePerson } from './erase-person.ts';

/** For the two questions to the registry. */
const REGISTRY_LIMIT_MS = 40_000;
/** Thousands of lists and dozens of versions of a million members; below the function's 30 minutes. */
const ERASE_LIMIT_MS = 900_000;

/** The number stands in the body alone, never in an address. */
export const eraseRoutes = (ops: OpsDependencies): Route[] => [
  defineRoute({
    method: 'POST',
    path: '/erase',
    body: eraseBody,
    answer: eraseAnswer,
    handle: (input) =>
      erasePerson(
        {
          ...input.body,
          by: byWhom(input, ops),
          registrySignal: AbortSignal.timeout(REGISTRY_LIMIT_MS),
          signal: AbortSignal.timeout(ERASE_LIMIT_MS),
        },
        ops.erase,
      ),
  }),
];
