import { AggregateField, type Firestore } from 'firebase-admin/firestore';
import { z } from 'zod';
import { ERROR_CODES, type ErrorCode, SyncError } from '../../lib/errors.ts';
import { forEachMirror } from '../../mirror/mirror.ts';
import type { PortalDigests, ProofRecord, ProofStore } from '../../proof/digest-ports.ts';
import type { Verified, VerifiedStore } from '../../proof/ports.ts';
import { toPortalDocument } from './portal-documents.ts';
import { makeStoreCalls, storedTime } from './store-call.ts';

const errorCode = z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]).nullable();
const store = z.object({
  state: z.enum(['equal', 'differs', 'unknown', 'absent']),
  differences: z.number().nullable(),
  errorCode,
});
const shape = z.object({
  at: storedTime,
  outcome: z.enum(['equal', 'under_way', 'differs', 'unprovable', 'unknown']),
  because: z
    .enum(['no_companion_app', 'digests_missing', 'events', 'run_under_way', 'paused', 'blocked'])
    .nullable(),
  provedAt: storedTime.nullable(),
  unprovedSince: storedTime.nullable(),
  members: z.number().nullable(),
  unreadable: z.number(),
  stores: z.object(forEachMirror(() => store)),
  errorCode,
  healings: z.number(),
  healedAt: storedTime.nullable(),
});

const verifiedShape = z.object({
  at: storedTime,
  whole: z.boolean(),
  findings: z.number(),
  records: z.number(),
  versions: z.number(),
});

/** One document of `sync_state`, written over by each proof or walk. */
const makeLastOf = <T extends object>(client: () => Promise<Firestore>, name: string, form: z.ZodType<T>) => {
  const call = makeStoreCalls(client);
  const ref = (db: Firestore) => db.collection('sync_state').doc(name);
  return {
    read: (): Promise<T | null> =>
      call(`answer the last ${name}`, async (db) => {
        const data = (await ref(db).get()).data();
        // What another version wrote counts for nothing: the next one is minutes or hours away.
        return data === undefined ? null : (form.safeParse(data).data ?? null);
      }),
    write: (last: T): Promise<void> =>
      call(`take the ${name}`, async (db) => {
        await ref(db).set({ ...last });
      }),
  };
};

export const makeProofStore = (client: () => Promise<Firestore>): ProofStore =>
  makeLastOf<ProofRecord>(client, 'proof', shape);

export const makeVerifiedStore = (client: () => Promise<Firestore>): VerifiedStore =>
  makeLastOf<Verified>(client, 'verification', verifiedShape);

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
  const call = makeStoreCalls(client, CALL_LIMIT_MS);
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
