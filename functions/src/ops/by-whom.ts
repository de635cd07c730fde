import type { RouteInput } from '../http/route.ts';
import type { OpsDependencies } from './dependencies.ts';
import type { OperatorAction } from './ports.ts';

/** Who did it, when, in which request: the same for every action. */
export const byWhom = (
  { caller, requestId }: Pick<RouteInput<unknown, unknown, unknown>, 'caller' | 'requestId'>,
  { now }: Pick<OpsDependencies, 'now'>,
): Pick<OperatorAction, 'by' | 'byKind' | 'at' | 'requestId'> => ({
  by: caller.id,
  byKind: caller.kind,
  at: now(),
  requestId,
});
