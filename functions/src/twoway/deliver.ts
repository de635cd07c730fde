import type { Kennitala } from '../domain/kennitala.ts';
import { asSyncError, type ErrorCode, SyncError } from '../lib/errors.ts';
import { claim, claimAll, failed, TRANSACTIONS } from './claim-members.ts';
import { nextPart } from './delivery.ts';
import type { DeliveryDependencies } from './delivery-dependencies.ts';
import { chunksOf, inParallel } from './in-parallel.ts';
import {
  type DeliverOptions,
  type MemberOutcome,
  type MemberTally,
  NOTHING_ENDED,
  type Turn,
} from './member-outcome.ts';
import { readBeforeSending } from './reading.ts';
import { CHANGES_PER_REQUEST, type Outgoing, type Sent, sendChanges } from './send-changes.ts';
import { type Settled, settle } from './settle.ts';
import { settleTogether } from './settle-together.ts';

/** Requests under way at once. */
const REQUESTS = 4;
/** Turns of one member: each is a request. Whoever edits faster than that is taken up by the next delivery. */
const TURNS = 20;

interface Entry {
  readonly kennitala: Kennitala;
  readonly tally: MemberTally;
  readonly turn: Turn;
}

/**
 * Delivers what waits for these members: of each in order, one change at a time, and of different members together.
 * Never throws; an edit that is not delivered stays in the queue.
 */
export const deliverMembers = async (
  kennitalas: readonly Kennitala[],
  options: DeliverOptions,
  dependencies: DeliveryDependencies,
): Promise<ReadonlyMap<Kennitala, MemberOutcome>> => {
  const chunks = chunksOf(kennitalas, CHANGES_PER_REQUEST);
  const done = await inParallel(chunks, REQUESTS, (chunk) => deliverChunk(chunk, options, dependencies));
  return new Map(done.flat());
};

const deliverChunk = async (
  kennitalas: readonly Kennitala[],
  options: DeliverOptions,
  dependencies: DeliveryDependencies,
): Promise<[Kennitala, MemberOutcome][]> => {
  const startedAt = dependencies.now().getTime();
  const turns = await claimAll(kennitalas, options, dependencies);
  let entries = turns.map(([kennitala, turn]): Entry => ({ kennitala, tally: NOTHING_ENDED, turn }));
  for (let turn = 1; turn <= TURNS && entries.some(isOpen) && !options.signal.aborted; turn += 1) {
    entries = await takeTurn(entries, options, dependencies);
  }
  const synced = entries.reduce((sum, { tally }) => sum + tally.synced, 0);
  if (synced > 0) {
    dependencies.logs.delivered(entries.length, synced, dependencies.now().getTime() - startedAt);
  }
  return entries.map(({ kennitala, tally, turn }) => [kennitala, { ...outcomeOf(turn), ...tally }]);
};

const isOpen = ({ turn }: Entry): boolean => 'claimed' in turn;

/** Ran out of turns or time: the claim expires, and the next sweep goes on. */
const outcomeOf = (turn: Turn): MemberOutcome =>
  'outcome' in turn ? turn.outcome : { kind: 'busy', delivery: turn.claimed.delivery, ...NOTHING_ENDED };

const takeTurn = async (
  entries: readonly Entry[],
  options: DeliverOptions,
  dependencies: DeliveryDependencies,
): Promise<Entry[]> => {
  const looked = await lookAll(entries, options, dependencies);
  const outgoing = looked.flatMap(({ out, sent }) => (out !== null && sent === null ? [out] : []));
  const answers = await sendChanges(outgoing, options.signal, dependencies);
  const known = await settleTogether(answers, dependencies);
  return inParallel(looked, TRANSACTIONS, ({ entry, out, sent }) => {
    const result = sent ?? (out === null ? undefined : answers.get(out));
    if (out === null || result === undefined) return Promise.resolve(entry);
    const settling = () =>
      Promise.resolve(known.get(out) ?? settle(out, result, options.signal, dependencies));
    return finish(entry, settling, options, dependencies);
  });
};

interface Looked {
  readonly entry: Entry;
  readonly out: Outgoing | null;
  /** What is known without sending. */
  readonly sent: Sent | null;
}

/** A registry that cannot be reached is asked once, not once a member. */
const lookAll = async (
  entries: readonly Entry[],
  options: DeliverOptions,
  dependencies: DeliveryDependencies,
): Promise<Looked[]> => {
  const lookAt = (entry: Entry) => look(entry, options, dependencies);
  const first = dependencies.companion.isKnown() ? undefined : entries.find(isOpen);
  const seen = first === undefined ? null : await lookAt(first);
  const failure = seen?.sent != null && 'failure' in seen.sent ? seen.sent.failure : null;
  return inParallel(entries, TRANSACTIONS, async (entry) => {
    if (seen !== null && entry === first) return seen;
    if (failure === null || !isOutOfReach(failure) || !('claimed' in entry.turn)) return lookAt(entry);
    const { claimed } = entry.turn;
    return { entry, out: { claimed, part: nextPart(claimed) }, sent: { failure } };
  });
};

const OUT_OF_REACH: readonly ErrorCode[] = [
  'registry_unreachable',
  'registry_timeout',
  'registry_unavailable',
  'registry_unauthorized',
  'secret_unavailable',
];

const isOutOfReach = ({ code }: SyncError): boolean => OUT_OF_REACH.includes(code);

const look = async (
  entry: Entry,
  { signal }: DeliverOptions,
  dependencies: DeliveryDependencies,
): Promise<Looked> => {
  if (!('claimed' in entry.turn)) return { entry, out: null, sent: null };
  const { claimed } = entry.turn;
  const out = { claimed, part: nextPart(claimed) };
  try {
    const answer = await readBeforeSending(claimed, out.part, signal, dependencies);
    return { entry, out, sent: answer === null ? null : { answer } };
  } catch (cause) {
    return { entry, out, sent: { failure: asSyncError(cause) } };
  }
};

const finish = async (
  { kennitala, tally }: Entry,
  settling: () => Promise<Settled>,
  options: DeliverOptions,
  dependencies: DeliveryDependencies,
): Promise<Entry> => {
  try {
    const settled = await settling();
    const sum = {
      synced: tally.synced + (settled.ended === 'synced' ? 1 : 0),
      refused: tally.refused + (settled.ended === 'failed' ? 1 : 0),
      conflicts: tally.conflicts + (settled.ended === 'conflict' ? 1 : 0),
    };
    return { kennitala, tally: sum, turn: await turnAfter(settled.onward, options, dependencies) };
  } catch (cause) {
    return { kennitala, tally, turn: failed(cause) };
  }
};

const turnAfter = async (
  onward: Settled['onward'],
  options: DeliverOptions,
  dependencies: DeliveryDependencies,
): Promise<Turn> => {
  switch (onward.kind) {
    case 'send':
      return { claimed: onward.next };
    case 'claim':
      return claim(onward.kennitala, options, dependencies);
    case 'done':
      return { outcome: { kind: 'done', ...NOTHING_ENDED } };
    case 'waiting':
      return { outcome: { ...onward, ...NOTHING_ENDED } };
    case 'lost':
      return { outcome: { kind: 'busy', delivery: onward.delivery, ...NOTHING_ENDED } };
    case 'read':
      throw new SyncError('internal', 'A delivery was not settled: the registry was to be read first.');
    default: {
      const never: never = onward;
      return never;
    }
  }
};
