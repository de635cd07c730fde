import type { Kennitala } from '../domain/kennitala.ts';
import { withWithdrawals } from '../domain/member/consents.ts';
import type { Json } from '../domain/member/field-row.ts';
import type { Caller } from '../http/callers.ts';
import { SyncError } from '../lib/errors.ts';
import { type DeliveryDependencies, withDelivery, withoutPaths } from '../twoway/delivery.ts';
import { BEFORE_ALL, dateOf } from '../twoway/edit.ts';
import type { MemberView, Step } from '../twoway/ports.ts';
import { type Delivery, mergeEdits, type QueueItem, reviveItem, settlePaths } from '../twoway/queue.ts';
import { planShown } from '../twoway/reading.ts';
import { type Decided, decideConflictOnDemand, type ResolveRequest } from '../twoway/resolve-conflict.ts';
import { deliverUntilEnded, type Retried } from './deliver-until-ended.ts';

/** For one member's edits, while an operator waits; below the 60 s that Firebase Hosting waits. */
const DELIVERY_LIMIT_MS = 45_000;
/** Before it is looked again what became of a delivery that somebody else makes. */
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
   * of the same fields go with it, since they are one change to the registry; the portal shows again what they started
   * from. Throws `not_found`, `invalid_request` for a change that has ended, and `lease_held` while it is being delivered.
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
      const at = now();
      await store.transact(kennitala, { item: id }, at, (view) => planFail(view, at));
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

const planFail = ({ item, pending, stored }: MemberView, at: Date): Step<null> => {
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
  const known = knownOfRegistry([...given], pending, begun?.delivery ?? null);
  const withdrawn = withWithdrawals(
    stored?.meta.withdrawn,
    [...mergeEdits(pending)]
      .filter(([path]) => given.has(path))
      .map(([path, { newValue: value, editedAt }]) => ({ path, value, editedAt: dateOf(editedAt) })),
  );
  return {
    items: items
      .filter((one, n) => one !== pending[n])
      // Decided, and so no dead letter that waits for somebody.
      .map((one) => (one.status === 'failed' ? { ...one, syncedAt: at } : one)),
    // Nothing is on its way to the registry any more, so the portal must not show it.
    member:
      stored === null
        ? null
        : {
            values: planShown(stored.member, pending, known, withdrawn),
            meta: { ...stored.meta, withdrawn },
          },
    result: null,
  };
};

/** The best that is known of what the registry holds there: what the edits started from. */
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
