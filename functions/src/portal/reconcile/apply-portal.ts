import type { Kennitala } from '../../domain/kennitala.ts';
import { type ParsedMember, parseRegistryMember } from '../../domain/member/parse-registry-member.ts';
import { isSyncError } from '../../lib/errors.ts';
import type { AppliedFacts, Unfinished } from '../../mirror/mirror.ts';
import type { MemberPages, MemberReader } from '../../registry/ports.ts';
import type { MemberToDecide, PortalIndex, PortalWriter } from '../ports.ts';
import { type Comparison, type TakesWordOf, takesWord } from './compare-members.ts';
import { decideMember, decideRemoval } from './decide-member.ts';
import { type Difference, type PlannedWrite, toPlannedWrite } from './difference.ts';
import { missedIn, type PortalPlan } from './plan-portal.ts';

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

/** Members read from the registry at once before they are removed. */
const CONFIRMED_AT_ONCE = 8;
const REMOVALS_READ_AT_ONCE = 96;

interface PlannedWritesInput {
  readonly differences: readonly Difference[];
  readonly kept: Comparison['kept'];
  readonly pages: MemberPages;
  readonly registry: MemberReader;
  readonly index: PortalIndex;
  readonly signal: AbortSignal;
  readonly now: () => Date;
  readonly takesWordOf: TakesWordOf | undefined;
  /** Told of a difference that is not any more what was planned; it is left for the next run. */
  readonly onDropped: (difference: Difference) => void;
}

/** The writes of a plan: contents as they were kept or as a second reading of the pages shows them, then removals. */
export async function* plannedWrites(input: PlannedWritesInput): AsyncGenerator<PlannedWrite> {
  const contents = input.differences.filter(({ kind }) => kind !== 'remove');
  if (input.kept !== null) {
    for (const { kennitala } of contents) {
      const write = input.kept.get(kennitala);
      if (write !== undefined) yield write;
    }
  } else {
    yield* fromPages(contents, input);
  }
  yield* removals(
    input.differences.filter(({ kind }) => kind === 'remove'),
    input,
  );
}

/** Whoever was changed between the two readings has another digest, and is left for the next run. */
async function* fromPages(
  contents: readonly Difference[],
  { pages, index, signal, now, takesWordOf, onDropped }: PlannedWritesInput,
): AsyncGenerator<PlannedWrite> {
  const open = new Map(contents.map((difference) => [difference.kennitala, difference]));
  for await (const { members } of pages.pages({ signal })) {
    const wanted = members.flatMap((json) => {
      const said = tryParse(json);
      const difference = said === null ? undefined : open.get(said.kennitala);
      if (said === null || difference === undefined) return [];
      open.delete(said.kennitala);
      return [{ said, difference }];
    });
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
      if (write?.difference.digest === difference.digest) yield { ...write, difference };
      else onDropped(difference);
    }
    if (open.size === 0) return;
  }
  for (const difference of open.values()) onDropped(difference);
}

/**
 * A list can lack somebody who is a member: pages shift while they are read, and an answer may be cut short below
 * the guard's limit. So nobody is removed before the registry has said of that very member that it has none.
 */
async function* removals(
  differences: readonly Difference[],
  { index, registry, signal, now, onDropped }: PlannedWritesInput,
): AsyncGenerator<PlannedWrite> {
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

function* inBatches<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}
