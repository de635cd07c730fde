import { setTimeout as sleep } from 'node:timers/promises';
import type { Kennitala } from '../domain/kennitala.ts';
import type { Json } from '../domain/member/fields.ts';
import { withWithdrawals } from '../domain/member/kept-values.ts';
import type { Caller } from '../http/callers.ts';
import { type ErrorCode, isSyncError, SyncError } from '../lib/errors.ts';
import { deliverMembers } from '../twoway/deliver.ts';
import {
  type DeliveryDependencies,
  type MemberOutcome,
  withDelivery,
  withoutPaths,
} from '../twoway/delivery.ts';
import type { MemberView, Step } from '../twoway/ports.ts';
import {
  BEFORE_ALL,
  type Delivery,
  dateOf,
  mergeEdits,
  type QueueItem,
  reviveItem,
  type SyncStatus,
  settlePaths,
} from '../twoway/queue.ts';
import { isOutdated, planShown, type Reading, readRegistry, valuesIn } from '../twoway/reading.ts';
import { type Decided, decideConflictOnDemand, type ResolveRequest } from '../twoway/resolve-conflict.ts';
import type { RetryOutcome } from './schemas.ts';

/** For one member's edits, while an operator waits; below the 60 s that Firebase Hosting waits. */
const DELIVERY_LIMIT_MS = 45_000;
/** Of one look at the registry. */
const READING_LIMIT_MS = 10_000;
/** Before looking again what became of a delivery that somebody else makes. */
const DELIVERY_PAUSE_MS = 500;

/** What an operator does about one change or one conflict. Every call throws `store_unavailable`. */
export interface TwoWayActions {
  /**
   * Makes a dead letter pending again, and delivers what waits of the member now, whatever the time of the next try.
   * Says what came of it. Throws `not_found`, and `invalid_request` for a change that has ended otherwise.
   */
  retry(kennitala: Kennitala, id: string): Promise<Retried>;
  /**
   * Gives a change up: a pending one ends, and a dead letter waits for nobody any more. The member's other waiting edits
   * of the same fields go with it, since they are one change to the registry; the portal shows what the registry has
   * there, or what they started from where it cannot be read. Throws `not_found`, `invalid_request` for a change that has ended, and `lease_held` while it is being delivered.
   */
  fail(kennitala: Kennitala, id: string): Promise<void>;
  /** Decides one field of a conflict; throws what `decideConflictOnDemand` does. */
  resolve(request: ResolveRequest, caller: Caller): Promise<Decided>;
}

export const makeTwoWayActions = (
  dependencies: DeliveryDependencies,
  { limitMs = DELIVERY_LIMIT_MS, pauseMs = DELIVERY_PAUSE_MS } = {},
): TwoWayActions => {
  const { store, now } = dependencies;
  return {
    retry: async (kennitala, id) => {
      const at = now();
      // All that the member has said since has to be known.
      await store.transact(kennitala, { item: id, laterThan: BEFORE_ALL }, at, (view) => planRetry(view, at));
      return deliverUntilEnded({ kennitala, id, limitMs, pauseMs }, dependencies);
    },
    fail: async (kennitala, id) => {
      const isWaiting = (await readStatus(kennitala, id, dependencies)) === 'pending';
      const reading = isWaiting ? await tryReading(kennitala, dependencies) : null;
      const at = now();
      await store.transact(kennitala, { item: id }, at, (view) => planFail(view, reading, at));
    },
    resolve: async (request, caller) => {
      const signal = AbortSignal.timeout(limitMs);
      return decideConflictOnDemand(request, caller, signal, dependencies);
    },
  };
};

const planRetry = ({ item, later }: MemberView, at: Date): Step<null> => {
  const { status } = assertItem(item);
  if (status === 'failed') {
    return {
      items: [reviveItem(assertItem(item), { now: at, later })],
      result: null,
    };
  }
  if (status !== 'pending') throw ended(status);
  return { result: null };
};

/** Null also where it cannot be read, which keeps nobody from giving a change up. */
const tryReading = async (
  kennitala: Kennitala,
  dependencies: DeliveryDependencies,
): Promise<Reading | null> => {
  try {
    const signal = AbortSignal.timeout(READING_LIMIT_MS);
    return await readRegistry({ kennitala }, { signal }, dependencies);
  } catch (cause) {
    if (isSyncError(cause)) return null;
    throw cause;
  }
};

const planFail = (view: MemberView, reading: Reading | null, at: Date): Step<null> => {
  const { item, pending, stored } = view;
  const { status, changes } = assertItem(item);
  if (status === 'failed') return { items: [{ ...assertItem(item), syncedAt: at }], result: null };
  if (status !== 'pending') throw ended(status);
  const begun = pending.find(({ delivery }) => delivery !== null);
  if (begun?.claim != null && begun.claim.expiresAt > at) {
    throw new SyncError(
      'lease_held',
      "The member's edits are being delivered now. Try again in some minutes.",
    );
  }
  const given = new Set(Object.keys(changes));
  const settled = pending.map((one) =>
    settlePaths(
      one,
      (path) => (given.has(path) ? { outcome: 'failed', message: 'given up by an operator' } : null),
      at,
    ),
  );
  const rest = begun?.delivery ? withoutPaths(begun.delivery, [...given]) : null;
  const items = withDelivery(settled, rest, null);
  const held = reading === null || isOutdated(view, reading) ? {} : valuesIn(reading, { paths: changes });
  const known = { ...knownOfRegistry([...given], pending, begun?.delivery ?? null), ...held };
  const withdrawn = withWithdrawals(
    stored?.meta.withdrawn,
    [...mergeEdits(pending)]
      .filter(([path]) => given.has(path))
      .map(([path, { newValue: value, editedAt }]) => ({ path, value, editedAt: dateOf(editedAt) })),
  );
  return {
    items: items
      .filter((one, n) => one !== pending[n])
      // An operator has decided, so it is no dead letter that waits for somebody.
      .map((one) => (one.status === 'failed' ? { ...one, syncedAt: at } : one)),
    // Nothing is on its way to the registry any more, so the portal must not show it.
    member:
      stored === null
        ? null
        : {
            values: planShown(stored, pending, known, withdrawn),
            meta: { ...stored.meta, withdrawn },
          },
    result: null,
  };
};

/** The best that is known of what the registry holds there without asking it: what the edits started from. */
const knownOfRegistry = (
  paths: readonly string[],
  pending: readonly QueueItem[],
  delivery: Delivery | null,
): Record<string, Json> => {
  const merged = mergeEdits(pending);
  return Object.fromEntries(
    paths.flatMap((path) => {
      const expected = delivery?.paths[path]?.expected ?? merged.get(path)?.expected;
      return expected === undefined ? [] : [[path, expected]];
    }),
  );
};

const assertItem = (item: QueueItem | null): QueueItem => {
  if (item === null) throw new SyncError('not_found', 'There is no change with that id.');
  return item;
};

const ended = (status: QueueItem['status']): SyncError =>
  new SyncError('invalid_request', `The change has ended already: ${status}.`);

/** What came of a try; `code` says why the change still waits. */
interface Retried {
  readonly outcome: RetryOutcome;
  readonly code: ErrorCode | null;
}

interface DeliverUntilEnded {
  readonly kennitala: Kennitala;
  readonly id: string;
  readonly limitMs: number;
  readonly pauseMs: number;
}

/**
 * Delivers what waits of a member until the change has ended or the registry's word is plain. One delivery alone is not
 * enough: it leaves the change where it is while somebody else delivers the member's edits, when the store is contended,
 * and when an edit that comes before may still be on its way. No event wakes a retried change afterwards, so it would lie
 * there until the nightly sweep.
 *
 * Throws `store_unavailable` when it cannot be read what became of the change, and `not_found` when it is gone.
 */
const deliverUntilEnded = async (
  { kennitala, id, limitMs, pauseMs }: DeliverUntilEnded,
  dependencies: DeliveryDependencies,
): Promise<Retried> => {
  const signal = AbortSignal.timeout(limitMs);
  for (;;) {
    const outcomes = await deliverMembers([kennitala], { signal, isUrgent: true }, dependencies);
    const status = await readStatus(kennitala, id, dependencies);
    if (status !== 'pending') return { outcome: ENDED[status], code: null };
    const tried = toRetried(outcomes.get(kennitala));
    if (tried.isFinal || signal.aborted) return tried.retried;
    await sleep(pauseMs);
  }
};

const ENDED = { synced: 'delivered', failed: 'given_up', conflict: 'conflict' } as const satisfies Record<
  Exclude<SyncStatus, 'pending'>,
  RetryOutcome
>;

const readStatus = async (
  kennitala: Kennitala,
  id: string,
  { store, now }: DeliveryDependencies,
): Promise<SyncStatus> =>
  store.transact(kennitala, { item: id }, now(), ({ item }) => {
    if (item === null) throw new SyncError('not_found', 'There is no change with that id any more.');
    return { result: item.status };
  });

/** What is said of a change that waits, and whether another try at once could be of use. */
const toRetried = (outcome: MemberOutcome | undefined): { retried: Retried; isFinal: boolean } => {
  const waiting = (code: ErrorCode | null) => ({ outcome: 'waiting' as const, code });
  switch (outcome?.kind) {
    case 'busy':
      return { retried: { outcome: 'busy', code: null }, isFinal: false };
    case 'waiting':
      return { retried: waiting(outcome.failure?.code ?? null), isFinal: outcome.failure !== null };
    case 'failed':
      return { retried: waiting(outcome.failure.code), isFinal: !outcome.failure.retryable };
    case 'done':
    case undefined:
      return { retried: waiting(null), isFinal: false };
    default: {
      const never: never = outcome;
      return never;
    }
  }
};
