import { isPlaceholder, type Kennitala } from '../../domain/kennitala.ts';
import { type ParsedMember, parseRegistryMember } from '../../domain/member/parse-registry-member.ts';
import { applyPatch, sourceHash } from '../../domain/member/patch.ts';
import { isSyncError } from '../../lib/errors.ts';
import type { AppliedFacts, Resume, Unfinished } from '../../mirror/mirror.ts';
import type { MemberPages, MemberReader } from '../../registry/ports.ts';
import type { MemberToDecide, PortalIndex, PortalWriter } from '../ports.ts';
import { makeSetDigest } from './compact.ts';
import { type Comparison, saidText, type TakesWordOf, takesWord } from './compare-members.ts';
import { decideMember, decideRemoval } from './decide-member.ts';
import { type Difference, type Differences, toPlannedWrite } from './difference.ts';
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

/** Members read from the registry at once before they are removed. */
const CONFIRMED_AT_ONCE = 8;
const REMOVALS_READ_AT_ONCE = 96;

interface PlannedWritesInput {
  readonly differences: Differences;
  readonly kept: Comparison['kept'];
  readonly pages: MemberPages;
  readonly registry: MemberReader;
  readonly index: PortalIndex;
  readonly signal: AbortSignal;
  readonly marks: PageMarks;
  readonly now: () => Date;
  readonly takesWordOf?: TakesWordOf | undefined;
  /** Told of a difference that is not any more what was planned; it is left for the next run. */
  readonly onDropped: (difference: Difference) => void;
}

/**
 * The writes of a plan: contents as they were kept, then removals; or removals, then contents as a second reading of the pages
 * shows them, so that a cursor has nothing before it that is left.
 */
async function* plannedWrites(input: PlannedWritesInput): AsyncGenerator<MarkedWrite> {
  const { kept, differences } = input;
  const removed = function* () {
    for (const difference of differences) if (difference.kind === 'remove') yield difference;
  };
  if (kept === null) {
    yield* removals(removed(), input);
    yield* fromPages(input);
    return;
  }
  for (const { kennitala, kind } of differences) {
    const write = kind === 'remove' ? undefined : kept.get(kennitala);
    if (write !== undefined) yield write;
  }
  yield* removals(removed(), input);
}

/** Whoever was changed between the two readings has another digest, and is left for the next run. */
async function* fromPages({
  differences,
  pages,
  index,
  signal,
  marks,
  now,
  takesWordOf,
  onDropped,
}: PlannedWritesInput): AsyncGenerator<MarkedWrite> {
  const isDone = new Uint8Array(differences.length);
  const seenDigest = makeSetDigest();
  let open = differences.length - differences.count(['remove']);
  for await (const { members, place } of pages.pages({ signal })) {
    const wanted = members.flatMap((json) => {
      const said = tryParse(json);
      if (said === null || isPlaceholder(said.kennitala)) return [];
      seenDigest.add(saidText(said, sourceHash(applyPatch(null, said))));
      const at = differences.find(said.kennitala);
      if (at === null || isDone[at] === 1) return [];
      const difference = differences.at(at);
      if (difference.kind === 'remove') return [];
      isDone[at] = 1;
      open -= 1;
      return [{ said, difference }];
    });
    const mark = marks.begin(place, members, seenDigest.sum());
    const held = wanted.filter(({ difference }) => difference.ifState !== null);
    const seen = held.length === 0 ? NONE : await index.read(held.map(({ said }) => said.kennitala));
    for (const { said, difference } of wanted) {
      const { former } = difference;
      const document = { ...(seen.get(said.kennitala) ?? NOT_THERE), former };
      const verdict =
        document.state === difference.ifState
          ? decideMember(document, said, now(), takesWord(takesWordOf, said.kennitala))
          : null;
      const write =
        verdict !== null && 'member' in verdict ? toPlannedWrite(said.kennitala, verdict, document) : null;
      if (write?.difference.digest === difference.digest) {
        marks.taken(mark);
        yield { ...write, difference, mark };
      } else onDropped(difference);
    }
    await marks.end(mark);
    if (open === 0) return;
  }
  for (const [at, done] of isDone.entries()) {
    if (done === 1) continue;
    const difference = differences.at(at);
    if (difference.kind !== 'remove') onDropped(difference);
  }
}

/**
 * A list can lack somebody who is a member: pages shift while they are read, and an answer may be cut short below
 * the guard's limit. So nobody is removed before the registry has said of that very member that it has none.
 */
async function* removals(
  differences: Iterable<Difference>,
  { index, registry, signal, now, onDropped }: PlannedWritesInput,
): AsyncGenerator<MarkedWrite> {
  for (const batch of inBatches(differences, REMOVALS_READ_AT_ONCE)) {
    const seen = await index.read(batch.map(({ kennitala }) => kennitala));
    for (const few of inBatches(batch, CONFIRMED_AT_ONCE)) {
      const answers = await Promise.all(
        few.map(({ kennitala }) => registry.readMember(kennitala, { signal })),
      );
      for (const [n, difference] of few.entries()) {
        const document = seen.get(difference.kennitala) ?? NOT_THERE;
        const isAsPlanned = answers[n] === null && document.state === difference.ifState;
        const decision = isAsPlanned ? decideRemoval(document, now()) : null;
        if (decision === null) onDropped(difference);
        else {
          const { kennitala, ifState } = difference;
          yield { kennitala, member: decision.member, meta: decision.meta, ifState, difference };
        }
      }
    }
  }
}

const NOT_THERE: MemberToDecide = { stored: null, state: null, writtenAt: null, pending: [] };
const NONE: ReadonlyMap<Kennitala, MemberToDecide> = new Map();

/** Who cannot be read was quarantined at the first reading, or is left for the next run. */
const tryParse = (json: unknown): ParsedMember | null => {
  try {
    return parseRegistryMember(json);
  } catch (cause) {
    if (isSyncError(cause, 'member_invalid')) return null;
    throw cause;
  }
};

function* inBatches<T>(items: Iterable<T>, size: number): Generator<readonly T[]> {
  let batch: T[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
