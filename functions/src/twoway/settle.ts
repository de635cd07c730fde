import { asSyncError, SyncError } from '../lib/errors.ts';
import { readChange } from '../portal/apply-event.ts';
import type { DocumentState } from '../portal/ports.ts';
import { planFailedTry } from './back-off.ts';
import type { Claimed, Delivery } from './delivery.ts';
import type { DeliveryDependencies } from './delivery-dependencies.ts';
import { BEFORE_ALL } from './edit-time.ts';
import type { Reading } from './plan-reading.ts';
import type { ChangeAnswer } from './ports.ts';
import type { Outgoing, Sent } from './send-changes.ts';
import { type ConflictAnswer, planConflict } from './settle-conflict.ts';
import { planDelivered } from './settle-delivered.ts';
import type { SettleOutcome } from './settle-outcome.ts';
import { planRefused } from './settle-refused.ts';

/** The companion app's word for a fault that is not the change's: it may pass. */
const REGISTRYS_OWN_FAULT = 'internal';

type Refused = Extract<ChangeAnswer, { status: 'refused' }>;

export interface Settled {
  /** What ended now, for the count. */
  readonly ended: 'synced' | 'failed' | 'conflict' | null;
  readonly onward:
    | { readonly kind: 'send'; readonly next: Claimed }
    | { readonly kind: 'claim' }
    | { readonly kind: 'done' }
    | { readonly kind: 'waiting'; readonly until: Date; readonly failure: SyncError | null }
    | { readonly kind: 'lost'; readonly delivery: Delivery };
}

/**
 * Writes down what became of what was sent, and says how the member's delivery goes on.
 * Throws `store_unavailable`: then nothing is known to be written, the claim expires, and the same is sent again.
 */
export const settle = async (
  out: Outgoing,
  sent: Sent,
  signal: AbortSignal,
  dependencies: DeliveryDependencies,
): Promise<Settled> => {
  if ('failure' in sent) return settleFailure(out, sent.failure, dependencies);
  const { answer } = sent;
  switch (answer.status) {
    case 'success':
      return settleSuccess(out, answer.version, signal, dependencies);
    case 'conflict':
      return settleConflict(out, answer, dependencies);
    case 'refused':
      return settleRefusal(out, answer, signal, dependencies);
    default: {
      const never: never = answer;
      return never;
    }
  }
};

const settleSuccess = async (
  out: Outgoing,
  version: number | null,
  signal: AbortSignal,
  dependencies: DeliveryDependencies,
): Promise<Settled> => {
  const { claimed, part } = out;
  const { store, now } = dependencies;
  const write = (reading: Reading | null, at = now()) =>
    store.transact(claimed.kennitala, {}, at, (view) =>
      planDelivered(view, claimed, { part, version, reading }, at),
    );
  const outcome = await write(null);
  if (outcome.kind !== 'read') return toSettled(outcome, claimed);
  return withReading(out, signal, dependencies, write);
};

const settleConflict = async (
  { claimed }: Outgoing,
  answer: ConflictAnswer,
  { store, now, logs, reference }: DeliveryDependencies,
): Promise<Settled> => {
  const at = now();
  const paths = await store.transact<{ outcome: SettleOutcome; disputed: string[] }>(
    claimed.kennitala,
    { laterThan: BEFORE_ALL },
    at,
    (view) => {
      const { result, ...step } = planConflict(view, claimed, answer, at);
      return { ...step, result: { outcome: result, disputed: Object.keys(step.conflict?.paths ?? {}) } };
    },
  );
  if (paths.disputed.length > 0) {
    logs.conflict(await reference(claimed.kennitala), claimed.delivery.changeId, paths.disputed);
  }
  const settled = toSettled(paths.outcome, claimed);
  return paths.disputed.length > 0 ? { ...settled, ended: 'conflict' } : settled;
};

const settleRefusal = async (
  out: Outgoing,
  { code, message }: Refused,
  signal: AbortSignal,
  dependencies: DeliveryDependencies,
): Promise<Settled> => {
  const { claimed, part } = out;
  const { store, now, logs, reference } = dependencies;
  if (code === REGISTRYS_OWN_FAULT) {
    const failure = new SyncError(
      'registry_unavailable',
      'The registry failed on this change; its log says why.',
    );
    return settleFailure(out, failure, dependencies);
  }
  if (part.action === 'update' && !claimed.isSplit && Object.keys(part.paths).length > 1) {
    return { ended: null, onward: { kind: 'send', next: { ...claimed, isSplit: true } } };
  }
  const text = code === null ? message : `${code}: ${message}`;
  const write = (reading: Reading | null, at = now()) =>
    store.transact(claimed.kennitala, {}, at, (view) =>
      planRefused(view, claimed, part, { message: text, reading }, at),
    );
  const settled =
    part.action === 'create'
      ? toSettled(await write(null), claimed)
      : await withReading(out, signal, dependencies, write);
  if (settled.ended === 'failed') {
    logs.refused(await reference(claimed.kennitala), part.changeId, code, Object.keys(part.paths));
  }
  return settled;
};

/** How often the registry is read again because somebody wrote to the document meanwhile. */
const READINGS = 5;

const withReading = async (
  out: Outgoing,
  signal: AbortSignal,
  dependencies: DeliveryDependencies,
  write: (reading: Reading | null) => Promise<SettleOutcome>,
): Promise<Settled> => {
  const { claimed } = out;
  for (let n = 1; n <= READINGS; n += 1) {
    let reading: Reading | null;
    try {
      reading = await read(claimed, signal, dependencies);
    } catch (cause) {
      return settleFailure(out, asSyncError(cause), dependencies);
    }
    const outcome = await write(reading);
    if (outcome.kind !== 'read') return toSettled(outcome, claimed);
  }
  const failure = new SyncError(
    'store_unavailable',
    `The member was written ${READINGS} times while it was read.`,
  );
  return settleFailure(out, failure, dependencies);
};

/** The state is read first: a write in between then shows. A member whom the registry does not have is left alone. */
const read = async (
  { kennitala }: Claimed,
  signal: AbortSignal,
  { store, reader, now }: DeliveryDependencies,
): Promise<Reading | null> => {
  const ifState = await store.transact<DocumentState>(kennitala, {}, now(), ({ state }) => ({
    result: state,
  }));
  const change = await readChange(kennitala, reader, signal);
  return change.action === 'delete' ? null : { change, ifState };
};

const settleFailure = async (
  { claimed, part }: Outgoing,
  failure: SyncError,
  { store, now, random, logs, reference }: DeliveryDependencies,
): Promise<Settled> => {
  const at = now();
  const chance = random();
  const message = `${failure.code}: ${failure.message}`;
  const result = await store.transact(claimed.kennitala, {}, at, (view) =>
    planFailedTry(view, claimed, part, { message, now: at, random: chance }),
  );
  const member = await reference(claimed.kennitala);
  switch (result.kind) {
    case 'waiting':
      logs.waiting(member, failure.code, result.until);
      return { ended: null, onward: { ...result, failure } };
    case 'dead':
      logs.dead(member, part.changeId, failure.code);
      return { ended: 'failed', onward: { kind: 'claim' } };
    case 'lost':
      return { ended: null, onward: { kind: 'lost', delivery: claimed.delivery } };
    default: {
      const never: never = result;
      return never;
    }
  }
};

export const toSettled = (outcome: SettleOutcome, claimed: Claimed): Settled => {
  switch (outcome.kind) {
    case 'settled':
      return { ended: outcome.outcome, onward: afterwards(outcome.next, outcome.hasMore) };
    case 'again':
      return { ended: null, onward: { kind: 'send', next: outcome.next } };
    case 'waiting':
      return { ended: null, onward: { ...outcome, failure: null } };
    case 'lost':
      return { ended: null, onward: { kind: 'lost', delivery: claimed.delivery } };
    case 'read':
      throw new SyncError('internal', 'The registry was to be read first.');
    default: {
      const never: never = outcome;
      return never;
    }
  }
};

const afterwards = (next: Claimed | null, hasMore: boolean): Settled['onward'] => {
  if (next !== null) return { kind: 'send', next };
  return hasMore ? { kind: 'claim' } : { kind: 'done' };
};
