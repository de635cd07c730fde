import { AggregateField, type Firestore } from 'firebase-admin/firestore';
import { SyncError } from '../../lib/errors.ts';
import type { PortalDigests } from '../../proof/digest-ports.ts';
import { toPortalDocument } from './portal-index.ts';
import { storeCall } from './store-call.ts';

/** A million index entries are summed in seconds. */
const CALL_LIMIT_MS = 60_000;

const ACTIVE = ['membership.status', '==', 'active'] as const;
const BUCKET = 'metadata.digest.bucket';

/**
 * Sums of `metadata.digest`, by the one composite index that holds the status, the bucket and both numbers: one read for
 * each thousand index entries (https://firebase.google.com/docs/firestore/pricing#aggregation_queries). Documents that lack
 * a summed field take part in no aggregation of their query, so all active members are counted by a query of its own.
 */
export const makePortalDigests = (client: () => Promise<Firestore>): PortalDigests => {
  const call = <T>(what: string, work: (db: Firestore) => Promise<T>): Promise<T> =>
    storeCall('store_unavailable', what, CALL_LIMIT_MS, async () => work(await client()));
  return {
    sums: (from, until) =>
      call('answer sums of digests', async (db) => {
        const found = await db
          .collection('members')
          .where(...ACTIVE)
          .where(BUCKET, '>=', from)
          .where(BUCKET, '<', until)
          .aggregate({
            count: AggregateField.count(),
            a: AggregateField.sum('metadata.digest.a'),
            b: AggregateField.sum('metadata.digest.b'),
          })
          .get();
        const { count, a, b } = found.data();
        if (![count, a, b].every(Number.isSafeInteger)) {
          throw new SyncError(
            'store_unavailable',
            'Firestore added up digests to no whole number that is exact: a document holds something else, or there are more than two million.',
          );
        }
        return { count, a, b };
      }),
    countActive: () =>
      call('count the active members', async (db) => {
        const found = await db
          .collection('members')
          .where(...ACTIVE)
          .count()
          .get();
        return found.data().count;
      }),
    documents: (bucket) =>
      call('answer the members of a bucket', async (db) => {
        const found = await db
          .collection('members')
          .where(...ACTIVE)
          .where(BUCKET, '==', bucket)
          .get();
        return found.docs
          .map(toPortalDocument)
          .sort((one, other) => ((one.kennitala ?? '') < (other.kennitala ?? '') ? -1 : 1));
      }),
  };
};
