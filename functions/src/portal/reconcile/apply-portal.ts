import type { Kennitala } from '../../domain/kennitala.ts';
import type { AppliedFacts, Resume, Unfinished } from '../../mirror/mirror.ts';
import type { MemberPages, MemberReader } from '../../registry/ports.ts';
import type { PortalIndex, PortalWriter } from '../ports.ts';
import type { Comparison, TakesWordOf } from './compare-members.ts';
import type { Difference } from './difference.ts';
import {
  isOtherRegistry,
  type Load,
  type MarkedWrite,
  makePageMarks,
  type PageMarks,
  type PlannedLoad,
  restOfLoad,
} from './load.ts';
import { countMissed, JOINING, type PortalPlan } from './plan-portal.ts';
import { plannedWrites } from './planned-writes.ts';

export interface ApplyPortalInput {
  readonly plan: PortalPlan;
  readonly kept: Comparison['kept'];
  readonly announcedLately: ReadonlySet<Kennitala>;
  readonly signal: AbortSignal;
  /** What a load is told by that is too large for one run. Missing where a run that does not finish is planned anew. */
  readonly resumable?: { readonly planned: PlannedLoad; readonly resume: Resume } | undefined;
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
 * does not matter, and a webhook that lands meanwhile wins. What a crash or the time limit leaves is found as differences by
 * the next run, or, of a load that is too large to be kept in memory, gone on with where its pages were left.
 */
export const applyPortal = async (
  { plan, kept, announcedLately, signal, resumable }: ApplyPortalInput,
  dependencies: ApplyPortalDependencies,
): Promise<AppliedFacts> => {
  const { differences } = plan;
  const left = {
    added: differences.count(JOINING),
    removed: differences.count(['remove']),
    updated: differences.count(['update']),
  };
  const tally = makeTally({ ...left, blanked: plan.letThrough?.blanked ?? {} }, announcedLately);
  const marks = makePageMarks(resumable?.planned ?? null, null, {
    keep: resumable?.resume.keep,
    rest: tally.rest,
    now: dependencies.now,
  });
  const writes = plannedWrites({
    ...dependencies,
    differences,
    kept,
    signal,
    marks,
    onDropped: (difference) => tally.dropped(difference),
  });
  await writeAll(writes, { tally, marks, signal }, dependencies);
  const isDone = tally.count() >= differences.length;
  const cursor = isDone ? null : marks.finished();
  return {
    memberCount: plan.memberCount - (left.added - left.removed) + tally.joined(),
    overtaken: tally.overtaken(),
    ...(plan.missedEvents && { missedEvents: tally.missed }),
    ...(!isDone && { unfinished: tally.rest() }),
    ...(cursor !== null && { cursor }),
  };
};

/** Goes on with a plan that an earlier run did not finish. */
export const applyRest = async (
  {
    load,
    unfinished,
    signal,
    resume,
  }: {
    readonly load: Load;
    readonly unfinished: Unfinished;
    readonly signal: AbortSignal;
    readonly resume: Resume;
  },
  dependencies: ApplyPortalDependencies,
): Promise<AppliedFacts> => {
  const { pages, index, now } = dependencies;
  const tally = makeTally(unfinished, new Set());
  const { scheme, place, last, seen, ...planned } = load;
  const marks = makePageMarks(planned, load, { keep: resume.keep, rest: tally.rest, now });
  let isSame: boolean | null = null;
  const writes = async function* (): AsyncGenerator<MarkedWrite> {
    try {
      isSame = yield* restOfLoad({ load, unfinished, pages, index, signal, now, judge: resume.judge, marks });
    } catch (cause) {
      if (signal.aborted || !isOtherRegistry(cause)) throw cause;
      isSame = false;
    }
  };
  await writeAll(writes(), { tally, marks, signal }, dependencies);
  const facts = { overtaken: tally.overtaken(), ...(load.countsMissed && { missedEvents: tally.missed }) };
  const outcome = isSame as boolean | null;
  if (outcome === true) return { ...facts, memberCount: load.memberCount };
  const rest = tally.rest();
  return {
    ...facts,
    memberCount: load.memberCount - rest.added + rest.removed,
    unfinished: rest,
    ...(outcome === false ? { hasMoved: true } : { cursor: marks.finished() ?? load }),
  };
};

const writeAll = async (
  writes: AsyncIterable<MarkedWrite>,
  {
    tally,
    marks,
    signal,
  }: { readonly tally: Tally; readonly marks: PageMarks; readonly signal: AbortSignal },
  { writer, now }: Pick<ApplyPortalDependencies, 'writer' | 'now'>,
): Promise<void> =>
  writer.write(untilAborted(writes, signal), {
    at: now(),
    signal,
    onSettled: ({ difference, mark }, result) => {
      if (result === 'written') tally.written(difference);
      else tally.dropped(difference);
      marks.settled(mark);
    },
  });

type Counted = Pick<Difference, 'kennitala' | 'kind' | 'isMissed'>;

/** What has become of a plan's differences. @param planned What there is to do. */
const makeTally = (planned: Unfinished, announcedLately: ReadonlySet<Kennitala>) => {
  const { missed, add: addMissed } = countMissed(announcedLately);
  const settled = { added: 0, removed: 0, updated: 0 };
  let joined = 0;
  let overtaken = 0;
  const settle = ({ kind }: Counted): void => {
    settled[kind === 'remove' ? 'removed' : kind === 'update' ? 'updated' : 'added'] += 1;
  };
  return {
    missed,
    written: (difference: Counted): void => {
      settle(difference);
      addMissed(difference);
      if (difference.kind === 'remove') joined -= 1;
      else if (difference.kind !== 'update') joined += 1;
    },
    dropped: (difference: Counted): void => {
      settle(difference);
      overtaken += 1;
    },
    joined: () => joined,
    overtaken: () => overtaken,
    count: () => settled.added + settled.removed + settled.updated,
    rest: (): Unfinished => ({
      added: Math.max(0, planned.added - settled.added),
      removed: Math.max(0, planned.removed - settled.removed),
      updated: Math.max(0, planned.updated - settled.updated),
      blanked: planned.blanked,
    }),
  };
};

type Tally = ReturnType<typeof makeTally>;

/** The time limit breaks off what is being read; that is the end of the writes and no failure of the registry. */
async function* untilAborted(
  writes: AsyncIterable<MarkedWrite>,
  signal: AbortSignal,
): AsyncGenerator<MarkedWrite> {
  try {
    for await (const write of writes) {
      if (signal.aborted) return;
      yield write;
    }
  } catch (cause) {
    if (!signal.aborted) throw cause;
  }
}
