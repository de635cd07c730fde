import { chunksOf } from '../lib/concurrency.ts';
import { asSyncError, type ErrorCode, SyncError } from '../lib/errors.ts';
import type { Change, ChangeAnswer, RegistryChanges } from '../registry/ports.ts';
import type { Claimed } from './delivery.ts';
import { type Delivery, dateOf, type EditTime } from './queue.ts';
import type { KnownAnswer } from './reading.ts';
import type { ApplyProtocol } from './registry.ts';

export interface Outgoing {
  readonly claimed: Claimed;
  readonly part: Delivery;
}

export type Sent = { readonly answer: ChangeAnswer | KnownAnswer } | { readonly failure: SyncError };

export interface SendDependencies {
  readonly registry: RegistryChanges;
  readonly protocol: ApplyProtocol;
}

/** The registry's limit for one request. */
export const CHANGES_PER_REQUEST = 100;

/**
 * Tells the registry changes of different members, one each, and says what became of each. A registration goes alone,
 * since a registry that takes none refuses the whole request. Never throws.
 */
export const sendChanges = async (
  outgoing: readonly Outgoing[],
  signal: AbortSignal,
  dependencies: SendDependencies,
): Promise<ReadonlyMap<Outgoing, Sent>> => {
  const sent = new Map<Outgoing, Sent>();
  const send = (some: readonly Outgoing[]) => sendBatch(some, signal, dependencies, sent);
  const isCreate = ({ part }: Outgoing): boolean => part.action === 'create';
  for (const batch of chunksOf(
    outgoing.filter((one) => !isCreate(one)),
    CHANGES_PER_REQUEST,
  ))
    await send(batch);
  for (const one of outgoing.filter(isCreate)) await send([one]);
  return sent;
};

/** Fills `sent`. */
const sendBatch = async (
  batch: readonly Outgoing[],
  signal: AbortSignal,
  dependencies: SendDependencies,
  sent: Map<Outgoing, Sent>,
): Promise<void> => {
  const failure = await sendOnce(batch, signal, dependencies, sent);
  if (failure === null) return;
  if (batch.length > 1 && mayBeOnesFault(failure)) await sendHalves(batch, signal, dependencies, sent);
  else for (const one of batch) sent.set(one, { failure });
};

/** One change that the registry chokes on must not hold up the others: halves until it is alone. */
const sendHalves = async (
  batch: readonly Outgoing[],
  signal: AbortSignal,
  dependencies: SendDependencies,
  sent: Map<Outgoing, Sent>,
): Promise<void> => {
  const halves = chunksOf(batch, Math.ceil(batch.length / 2));
  const failures: (SyncError | null)[] = [];
  for (const half of halves) failures.push(await sendOnce(half, signal, dependencies, sent));
  // When neither half goes through it is the registry, and asking on would only load it more.
  const isRegistrys = failures.every((failure) => failure !== null);
  for (const [n, half] of halves.entries()) {
    const failure = failures[n];
    if (failure === null || failure === undefined) continue;
    if (!isRegistrys && half.length > 1) await sendHalves(half, signal, dependencies, sent);
    else for (const one of half) sent.set(one, { failure });
  }
};

const sendOnce = async (
  batch: readonly Outgoing[],
  signal: AbortSignal,
  { registry, protocol }: SendDependencies,
  sent: Map<Outgoing, Sent>,
): Promise<SyncError | null> => {
  try {
    const answers = await registry.apply(batch.map(toChange), {
      signal,
      isRepeatable: protocol.comparesExpected(),
    });
    for (const [n, one] of batch.entries()) {
      const answer = answers[n];
      if (answer === undefined) throw new SyncError('registry_invalid_response', 'An answer is missing.');
      if (answer.status !== 'refused')
        protocol.learn(answer.status === 'conflict' || answer.version !== null);
      sent.set(one, { answer });
    }
    return null;
  } catch (cause) {
    const failure = asSyncError(cause);
    const [alone, ...others] = batch;
    const refused = alone === undefined || others.length > 0 ? null : refusedAlone(alone, failure);
    if (alone === undefined || refused === null) return failure;
    sent.set(alone, refused);
    return null;
  }
};

const ONES_FAULT: readonly ErrorCode[] = [
  'registry_rejected',
  'registry_invalid_response',
  'registry_too_large',
];

const mayBeOnesFault = ({ code, details }: SyncError): boolean =>
  ONES_FAULT.includes(code) || (code === 'registry_unavailable' && details['status'] === 500);

/** What a failed request says of its only change: null when that may go through another time. */
const refusedAlone = ({ part }: Outgoing, { details }: SyncError): Sent | null => {
  const { status } = details;
  if (part.action === 'create' && (status === 403 || status === 405)) {
    const message = `the registry takes no new members from the portal (${status})`;
    return { answer: { status: 'refused', code: 'action_not_allowed', message } };
  }
  // The same change would be just as unreadable another time.
  if (status !== 400) return null;
  const message = 'the registry refused the request that held this change alone (400)';
  return { answer: { status: 'refused', code: 'invalid_value', message } };
};

const toChange = ({ claimed, part }: Outgoing): Change => {
  const paths = Object.entries(part.paths);
  return {
    change_id: part.changeId,
    kennitala: claimed.kennitala,
    django_id: claimed.djangoId,
    action: part.action,
    edited_at: dateOf(latest(part)).toISOString(),
    changes: Object.fromEntries(paths.map(([path, { newValue }]) => [path, newValue])),
    ...(part.action === 'update' && {
      expected: Object.fromEntries(paths.map(([path, { expected = null }]) => [path, expected])),
    }),
  };
};

const latest = ({ paths }: Delivery): EditTime => {
  const [first, ...others] = Object.values(paths).map(({ editedAt }) => editedAt);
  if (first === undefined) throw new SyncError('internal', 'A delivery has no path.');
  return others.reduce((one, other) => (other > one ? other : one), first);
};
