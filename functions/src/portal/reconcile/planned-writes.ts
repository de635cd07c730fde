import { isPlaceholder, type Kennitala } from '../../domain/kennitala.ts';
import { tryParseRegistryMember } from '../../domain/member/parse-registry-member.ts';
import { applyPatch, sourceHash } from '../../domain/member/patch.ts';
import type { MemberPages, MemberReader } from '../../registry/ports.ts';
import type { MemberToDecide, PortalIndex } from '../ports.ts';
import { makeSetDigest } from './compact.ts';
import { type Comparison, saidText, type TakesWordOf, takesWord } from './compare-members.ts';
import { decideMember, decideRemoval } from './decide-member.ts';
import { type Difference, type Differences, toPlannedWrite } from './difference.ts';
import type { MarkedWrite, PageMarks } from './load.ts';

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
export async function* plannedWrites(input: PlannedWritesInput): AsyncGenerator<MarkedWrite> {
  const { kept, differences } = input;
  const removed = function* () {
    for (const difference of differences) if (difference.kind === 'remove') yield difference;
  };
  if (kept === null) {
    yield* removals(removed(), input);
    yield* fromPages(input);
    return;
  }
  for (const { kennitala } of differences) {
    const write = kept.get(kennitala);
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
      const said = tryParseRegistryMember(json);
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
