import type { Kennitala } from '../../domain/kennitala.ts';
import type { AppliedFacts, Unfinished } from '../../mirror/mirror.ts';
import type { MemberPages, MemberReader } from '../../registry/ports.ts';
import type { Comparison, TakesWordOf } from './compare-members.ts';
import type { Difference, PlannedWrite } from './difference.ts';
import { missedIn, type PortalPlan } from './plan-portal.ts';
import { plannedWrites } from './planned-writes.ts';
import type { PortalIndex, PortalWriter } from './ports.ts';

export interface ApplyPortalInput {
  readonly plan: PortalPlan;
  readonly kept: Comparison['kept'];
  readonly announcedLately: ReadonlySet<Kennitala>;
  readonly signal: AbortSignal;
}

export interface ApplyPortalDependencies {
  readonly pages: MemberPages;
  readonly registry: MemberReader;
  readonly index: PortalIndex;
  readonly writer: PortalWriter;
  readonly now: () => Date;
  readonly takesWordOf?: TakesWordOf | undefined;
}

/**
 * Makes the plan's writes. Each stands for itself and depends on its document being as it was compared, so the order
 * does not matter, a webhook that lands meanwhile wins, and what a crash or the time limit leaves is found as
 * differences by the next run, which is how a load of any size goes on over several.
 */
export const applyPortal = async (
  { plan, kept, announcedLately, signal }: ApplyPortalInput,
  { pages, registry, index, writer, now, takesWordOf }: ApplyPortalDependencies,
): Promise<AppliedFacts> => {
  const written: Difference[] = [];
  const dropped: Difference[] = [];
  const writes = plannedWrites({
    differences: plan.differences,
    kept,
    pages,
    registry,
    index,
    signal,
    now,
    takesWordOf,
    onDropped: (difference) => dropped.push(difference),
  });
  await writer.write(untilAborted(writes, signal), {
    at: now(),
    signal,
    onSettled: ({ difference }, result) => {
      (result === 'written' ? written : dropped).push(difference);
    },
  });
  const unfinished = restOf(plan, [...written, ...dropped]);
  return {
    memberCount: plan.memberCount - joiningIn(plan.differences) + joiningIn(written),
    overtaken: dropped.length,
    ...(plan.missedEvents && { missedEvents: missedIn(written, announcedLately) }),
    ...(unfinished !== null && { unfinished }),
  };
};

/** The time limit breaks off what is being read; that is the end of the writes and no failure of the registry. */
async function* untilAborted(
  writes: AsyncIterable<PlannedWrite>,
  signal: AbortSignal,
): AsyncGenerator<PlannedWrite> {
  try {
    for await (const write of writes) {
      if (signal.aborted) return;
      yield write;
    }
  } catch (cause) {
    if (!signal.aborted) throw cause;
  }
}

const joiningIn = (differences: readonly Difference[]): number => {
  let joining = 0;
  for (const { kind } of differences) {
    if (kind === 'remove') joining -= 1;
    else if (kind !== 'update') joining += 1;
  }
  return joining;
};

/** Null when every difference has been dealt with. */
const restOf = (plan: PortalPlan, settled: readonly Difference[]): Unfinished | null => {
  if (settled.length >= plan.differences.length) return null;
  const count = (kinds: readonly Difference['kind'][]): number =>
    plan.differences.filter(({ kind }) => kinds.includes(kind)).length -
    settled.filter(({ kind }) => kinds.includes(kind)).length;
  return {
    added: count(['create', 'revive']),
    removed: count(['remove']),
    updated: count(['update']),
    blanked: plan.letThrough?.blanked ?? {},
  };
};
