import pMap from 'p-map';
import type { Kennitala } from '../domain/kennitala.ts';
import { chunksOf } from '../lib/concurrency.ts';
import { asSyncError, type ErrorCode, SyncError } from '../lib/errors.ts';
import { claim, claimAll, failed, inOneTransaction, TRANSACTIONS } from './claim.ts';
import {
  type DeliverOptions,
  type DeliveryDependencies,
  type MemberOutcome,
  type MemberTally,
  NOTHING_ENDED,
  nextPart,
  type Turn,
} from './delivery.ts';
import { planDelivered } from './plan-settlement.ts';
import { readBeforeSending } from './reading.ts';
import { CHANGES_PER_REQUEST, type Outgoing, type Sent, sendChanges } from './send.ts';
import { type Settled, settle, toSettled } from './settle.ts';

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
 * Delivers these members' waiting edits: one member's in order and one change at a time, different members' together.
 * Never throws; an edit that is not delivered stays in the queue.
 */
export const deliverMembers = async (
  kennitalas: readonly Kennitala[],
  options: DeliverOptions,
  dependencies: DeliveryDependencies,
): Promise<ReadonlyMap<Kennitala, MemberOutcome>> => {
  const chunks = chunksOf(kennitalas, CHANGES_PER_REQUEST);
  const done = await pMap(chunks, (chunk) => deliverChunk(chunk, options, dependencies), {
    concurrency: REQUESTS,
  });
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
  const prepared = await prepareAll(entries, options, dependencies);
  const outgoing = prepared.flatMap(({ out, sent }) => (out !== null && sent === null ? [out] : []));
  const answers = await sendChanges(outgoing, options.signal, dependencies);
  const known = await settleSuccesses(answers, dependencies);
  const settleOne = async ({ entry, out, sent }: Prepared): Promise<Entry> => {
    const result = sent ?? (out === null ? undefined : answers.get(out));
    if (out === null || result === undefined) return entry;
    const settling = () =>
      Promise.resolve(known.get(out) ?? settle(out, result, options.signal, dependencies));
    return finish(entry, settling, options, dependencies);
  };
  return pMap(prepared, settleOne, { concurrency: TRANSACTIONS });
};

interface Prepared {
  readonly entry: Entry;
  readonly out: Outgoing | null;
  /** What is known without sending. */
  readonly sent: Sent | null;
}

/** A registry that cannot be reached is asked once, not once a member. */
const prepareAll = async (
  entries: readonly Entry[],
  options: DeliverOptions,
  dependencies: DeliveryDependencies,
): Promise<Prepared[]> => {
  const prepareOne = (entry: Entry) => prepare(entry, options, dependencies);
  const first = dependencies.protocol.comparesExpected() ? undefined : entries.find(isOpen);
  const seen = first === undefined ? null : await prepareOne(first);
  const failure = seen?.sent != null && 'failure' in seen.sent ? seen.sent.failure : null;
  const prepareOther = async (entry: Entry): Promise<Prepared> => {
    if (seen !== null && entry === first) return seen;
    if (failure === null || !isOutOfReach(failure) || !('claimed' in entry.turn)) return prepareOne(entry);
    const { claimed } = entry.turn;
    return { entry, out: { claimed, part: nextPart(claimed) }, sent: { failure } };
  };
  return pMap(entries, prepareOther, { concurrency: TRANSACTIONS });
};

const OUT_OF_REACH: readonly ErrorCode[] = [
  'registry_unreachable',
  'registry_timeout',
  'registry_unavailable',
  'registry_unauthorized',
  'secret_unavailable',
];

const isOutOfReach = ({ code }: SyncError): boolean => OUT_OF_REACH.includes(code);

const prepare = async (
  entry: Entry,
  { signal }: DeliverOptions,
  dependencies: DeliveryDependencies,
): Promise<Prepared> => {
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

/**
 * Writes down in one transaction what the registry took of many members, which is nearly everything on any day.
 * Whatever is missing in the answer has to be settled one by one: conflicts, refusals, failures, and everything when
 * the transaction lost to others again and again.
 */
export const settleSuccesses = async (
  sent: ReadonlyMap<Outgoing, Sent>,
  { store, now }: DeliveryDependencies,
): Promise<ReadonlyMap<Outgoing, Settled>> => {
  const taken = new Map<Kennitala, { readonly out: Outgoing; readonly version: number }>();
  for (const [out, result] of sent) {
    if (!('answer' in result) || result.answer.status !== 'success') continue;
    // Without a version nothing is proved, and of a registration the new row's id is not known: each of those is read back.
    const { version } = result.answer;
    if (version !== null && out.part.action === 'update') taken.set(out.claimed.kennitala, { out, version });
  }
  const at = now();
  const kennitalas = [...taken.keys()];
  const outcomes = await inOneTransaction(kennitalas, () =>
    store.transactAll(kennitalas, at, (kennitala, view) => {
      const one = taken.get(kennitala);
      if (one === undefined) return { result: null };
      const { out, version } = one;
      return planDelivered(view, out.claimed, { part: out.part, version, reading: null }, at);
    }),
  );
  const settled = new Map<Outgoing, Settled>();
  for (const { out } of taken.values()) {
    const outcome = outcomes?.get(out.claimed.kennitala) ?? null;
    if (outcome !== null && outcome.kind !== 'read') settled.set(out, toSettled(outcome, out.claimed));
  }
  return settled;
};
