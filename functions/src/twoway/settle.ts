import type { Kennitala } from '../domain/kennitala.ts';
import { isStorable } from '../domain/storable.ts';
import { asSyncError, isSyncError, SyncError } from '../lib/errors.ts';
import type { ChangeAnswer } from '../registry/ports.ts';
import type { Claimed, DeliveryDependencies, SettleOutcome } from './delivery.ts';
import { planConflict } from './plan-conflict.ts';
import {
  NOT_TAKEN,
  planDelivered,
  planFailedTry,
  planMove,
  planRefused,
  untakenPaths,
} from './plan-settlement.ts';
import type { ConflictAnswer } from './ports.ts';
import { BEFORE_ALL, type Delivery } from './queue.ts';
import { foreignPaths, type Reading, readRegistry, valuesIn } from './reading.ts';
import type { Outgoing, Sent } from './send.ts';

/** The companion app's word for a fault that is not the change's: it may pass. */
const REGISTRYS_OWN_FAULT = 'internal';

type Refused = Extract<ChangeAnswer, { status: 'refused' }>;

export interface Settled {
  /** What ended now, for the count. */
  readonly ended: 'synced' | 'failed' | 'conflict' | null;
  readonly onward:
    | { readonly kind: 'send'; readonly next: Claimed }
    /** What else waits of this member is taken next. */
    | { readonly kind: 'claim'; readonly kennitala: Kennitala }
    | { readonly kind: 'done' }
    | { readonly kind: 'waiting'; readonly until: Date; readonly failure: SyncError | null }
    | { readonly kind: 'lost'; readonly delivery: Delivery }
    /** Nothing was written: the registry has to be read first. */
    | { readonly kind: 'read' };
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
      return answer.version === null
        ? settleUnproved(out, 'reading' in answer ? answer.reading : null, signal, dependencies)
        : settleSuccess(out, answer.version, signal, dependencies);
    case 'conflict':
      return isStorable(answer.current)
        ? settleConflict(out, answer, dependencies)
        : settleRefusal(out, UNSTORABLE_THERE, signal, dependencies);
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
  version: number,
  signal: AbortSignal,
  dependencies: DeliveryDependencies,
): Promise<Settled> => {
  const { claimed, part } = out;
  const { store, now } = dependencies;
  const write = (reading: Reading | null, at = now()) =>
    store.transact(claimed.kennitala, {}, at, (view) =>
      planDelivered(view, claimed, { part, version, reading }, at),
    );
  const settleRead = async (reading: Reading | null) => toSettled(await write(reading), claimed);
  // The new row's id is in no answer but a reading, and by it alone a member is followed to a corrected number.
  if (part.action === 'create') return withReading(out, signal, dependencies, settleRead, 'shows-nothing');
  const outcome = await write(null);
  if (outcome.kind !== 'read') return toSettled(outcome, claimed);
  return withReading(out, signal, dependencies, settleRead);
};

/**
 * A registry without versions says `success` to everything, also to fields that it ignores; so the member is read back.
 * A value that is neither what was expected nor what was told is somebody else's, as in any conflict.
 */
const settleUnproved = async (
  out: Outgoing,
  seen: Reading | null,
  signal: AbortSignal,
  dependencies: DeliveryDependencies,
): Promise<Settled> => {
  const { claimed, part } = out;
  const { store, now, logs, reference } = dependencies;
  const write = async (reading: Reading | null): Promise<Settled> => {
    const current = reading === null ? {} : valuesIn(reading, part);
    if (reading !== null && foreignPaths(current, part).length > 0) {
      const { ifState } = reading;
      const answer = { status: 'conflict', current, version: null, changedAt: null, ifState } as const;
      return settleConflict(out, answer, dependencies);
    }
    const at = now();
    const outcome = await store.transact(claimed.kennitala, {}, at, (view) =>
      planDelivered(view, claimed, { part, version: null, reading }, at),
    );
    const settled = toSettled(outcome, claimed);
    if (settled.ended === 'failed') {
      const paths = untakenPaths(part, reading);
      logs.refused(await reference(claimed.kennitala), part.changeId, NOT_TAKEN, paths);
    }
    return settled;
  };
  const settled = seen === null ? READ_FIRST : await write(seen);
  return settled.onward.kind === 'read' ? withReading(out, signal, dependencies, write) : settled;
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
      return {
        ...step,
        result: { outcome: result, disputed: Object.keys(step.conflicts?.[0]?.paths ?? {}) },
      };
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
  if (code === 'unknown_member' && part.action === 'update') {
    const moved = await followNumber(out, signal, dependencies);
    if (moved !== null) return moved;
  }
  const reason = code === null ? message : `${code}: ${message}`;
  const text = isStorable(reason) ? reason : 'refused, with a reason that cannot be shown';
  const write = async (reading: Reading | null, at = now()): Promise<Settled> => {
    const outcome = await store.transact(claimed.kennitala, {}, at, (view) =>
      planRefused(view, claimed, part, { message: text, reading }, at),
    );
    return toSettled(outcome, claimed);
  };
  // Also of a registration: the registry may have the person by itself.
  const settled = await withReading(out, signal, dependencies, write, 'shows-nothing');
  if (settled.ended === 'failed') {
    logs.refused(await reference(claimed.kennitala), part.changeId, code, Object.keys(part.paths));
  }
  return settled;
};

/**
 * A member who is not found in the registry any more may have another number there: a wrong kennitala was corrected,
 * and the row kept its id. What waits moves to that number. Null when they are gone.
 */
const followNumber = async (
  out: Outgoing,
  signal: AbortSignal,
  dependencies: DeliveryDependencies,
): Promise<Settled | null> => {
  const { claimed } = out;
  const { store, now, registryMembers, logs, reference } = dependencies;
  if (claimed.djangoId === null) return null;
  let successor: Kennitala | null;
  try {
    successor = await registryMembers.numberOf(claimed.djangoId, { signal });
  } catch (cause) {
    return settleFailure(out, asSyncError(cause), dependencies);
  }
  if (successor === null || successor === claimed.kennitala) return null;
  const at = now();
  const to = successor;
  const isMoved = await store.transact(claimed.kennitala, {}, at, (view) => planMove(view, claimed, to, at));
  if (!isMoved) return { ended: null, onward: { kind: 'lost', delivery: claimed.delivery } };
  logs.moved(await reference(claimed.kennitala), await reference(to));
  return { ended: null, onward: { kind: 'claim', kennitala: to } };
};

/** A conflict that cannot be written down cannot be decided either. */
const UNSTORABLE_THERE: Refused = {
  status: 'refused',
  code: 'unstorable_value',
  message: 'the registry holds a value here that cannot be stored',
};

/** How often the registry is read again because somebody wrote to the document meanwhile. */
const READINGS = 5;

const withReading = async (
  out: Outgoing,
  signal: AbortSignal,
  dependencies: DeliveryDependencies,
  write: (reading: Reading | null) => Promise<Settled>,
  unreadable: 'waits' | 'shows-nothing' = 'waits',
): Promise<Settled> => {
  const { claimed } = out;
  for (let n = 1; n <= READINGS; n += 1) {
    let reading: Reading | null;
    try {
      reading = await readRegistry(claimed, { signal }, dependencies);
    } catch (cause) {
      // A refusal stands also when the member cannot be read to show what the registry holds, and so does what was taken.
      const settled =
        isSyncError(cause, 'member_invalid') && unreadable === 'shows-nothing' ? await write(null) : null;
      if (settled !== null && settled.onward.kind !== 'read') return settled;
      return settleFailure(out, asSyncError(cause), dependencies);
    }
    const settled = await write(reading);
    if (settled.onward.kind !== 'read') return settled;
  }
  const failure = new SyncError(
    'store_unavailable',
    `The member was written ${READINGS} times while it was read.`,
  );
  return settleFailure(out, failure, dependencies);
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
      return { ended: 'failed', onward: { kind: 'claim', kennitala: claimed.kennitala } };
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
      return { ended: outcome.outcome, onward: afterwards(claimed, outcome.next, outcome.hasMore) };
    case 'again':
      return { ended: null, onward: { kind: 'send', next: outcome.next } };
    case 'waiting':
      return { ended: null, onward: { ...outcome, failure: null } };
    case 'lost':
      return { ended: null, onward: { kind: 'lost', delivery: claimed.delivery } };
    case 'read':
      return READ_FIRST;
    default: {
      const never: never = outcome;
      return never;
    }
  }
};

const READ_FIRST: Settled = { ended: null, onward: { kind: 'read' } };

const afterwards = ({ kennitala }: Claimed, next: Claimed | null, hasMore: boolean): Settled['onward'] => {
  if (next !== null) return { kind: 'send', next };
  return hasMore ? { kind: 'claim', kennitala } : { kind: 'done' };
};
