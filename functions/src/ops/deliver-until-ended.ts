import { setTimeout as sleep } from 'node:timers/promises';
import type { Kennitala } from '../domain/kennitala.ts';
import { type ErrorCode, SyncError } from '../lib/errors.ts';
import { deliverMembers } from '../twoway/deliver.ts';
import type { DeliveryDependencies, MemberOutcome } from '../twoway/delivery.ts';
import type { SyncStatus } from '../twoway/queue.ts';
import type { RetryOutcome } from './schemas.ts';

/** What came of a try; `code` says why the change still waits. */
export interface Retried {
  readonly outcome: RetryOutcome;
  readonly code: ErrorCode | null;
}

export interface DeliverUntilEnded {
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
export const deliverUntilEnded = async (
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
