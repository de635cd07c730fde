import { SyncError } from '../lib/errors.ts';
import { deliverMembers } from './deliver.ts';
import { carries } from './delivery.ts';
import type { DeliveryDependencies } from './delivery-dependencies.ts';
import { BEFORE_ALL } from './edit-time.ts';
import type { MemberOutcome } from './member-outcome.ts';
import type { Reads } from './ports.ts';
import type { QueueItem } from './queue-item.ts';
import { type MemberWrite, planTracking, type Tracked, tryEdit } from './track-edit.ts';

/**
 * Takes one write of a member's document: what the member themselves changed goes into the queue, and from there to the
 * registry at once.
 *
 * Throws when the event should be delivered again: while its edit could not be written down (`store_unavailable`), and
 * while the edit is in a delivery that has not come through. The platform's repetition of the event is what wakes a
 * waiting delivery within minutes; after a day, when it gives up, the nightly sweep does.
 */
export const trackMemberWrite = async (
  write: MemberWrite,
  signal: AbortSignal,
  dependencies: DeliveryDependencies,
): Promise<'ignored' | 'settled' | 'queued'> => {
  const edit = tryEdit(write);
  if (edit === null) return 'ignored';
  const { store, now, logs, reference } = dependencies;
  const at = now();
  const take = (reads: Reads) =>
    store.transact<Tracked | null>(write.kennitala, { ...reads, item: edit.id }, at, (view) =>
      planTracking(view, edit, {
        now: at,
        knowsConflicts: reads.openConflicts === true,
        metaThen: write.after?.meta ?? null,
      }),
    );
  const tracked =
    (await take({ laterThan: edit.editedAt })) ??
    (await take({ laterThan: BEFORE_ALL, openConflicts: true }));
  if (tracked === null) throw new SyncError('internal', 'An edit was not tracked.');
  const { item, isNew } = tracked;
  if (isNew) logs.tracked(await reference(write.kennitala), Object.keys(edit.changes));
  const outcome = (await deliverMembers([write.kennitala], { signal }, dependencies)).get(write.kennitala);
  if (outcome === undefined) throw new SyncError('internal', 'A delivery has no outcome.');
  return assertOnItsWay(outcome, item);
};

const assertOnItsWay = (outcome: MemberOutcome, item: QueueItem): 'settled' | 'queued' => {
  switch (outcome.kind) {
    case 'done':
      return 'settled';
    case 'busy':
      // Whoever delivers takes up what else waits when they are done; but they may have died over this edit.
      if (!isIn(outcome, item)) return 'queued';
      throw new SyncError('registry_unavailable', 'Another delivery of this edit is under way.');
    case 'waiting':
      throw (
        outcome.failure ??
        new SyncError('registry_unavailable', `The edit is tried again at ${outcome.until.toISOString()}.`)
      );
    case 'failed':
      throw outcome.failure;
    default: {
      const never: never = outcome;
      return never;
    }
  }
};

const isIn = ({ delivery }: Extract<MemberOutcome, { kind: 'busy' }>, item: QueueItem): boolean =>
  Object.keys(item.changes).some((path) => carries(delivery.paths, item, path));
