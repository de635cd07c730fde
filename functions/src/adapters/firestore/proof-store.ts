import { type Firestore, Timestamp } from 'firebase-admin/firestore';
import { z } from 'zod';
import { ERROR_CODES, type ErrorCode } from '../../lib/errors.ts';
import type { ProofRecord, ProofStore } from '../../proof/digest-ports.ts';
import { STORE_CALL_LIMIT_MS, storeCall } from './store-call.ts';

const time = z.instanceof(Timestamp).transform((timestamp) => timestamp.toDate());
const errorCode = z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]).nullable();
const store = z.object({
  state: z.enum(['equal', 'differs', 'unknown', 'absent']),
  differences: z.number().nullable(),
  errorCode,
});
const shape = z.object({
  at: time,
  outcome: z.enum(['equal', 'under_way', 'differs', 'unprovable', 'unknown']),
  because: z
    .enum(['no_companion_app', 'digests_missing', 'events', 'run_under_way', 'paused', 'blocked'])
    .nullable(),
  provedAt: time.nullable(),
  unprovedSince: time.nullable(),
  members: z.number().nullable(),
  unreadable: z.number(),
  stores: z.object({ roster: store, portal: store, register: store }),
  errorCode,
  healings: z.number(),
  healedAt: time.nullable(),
});

/** `sync_state/proof`: one document, written over by each proof. */
export const makeProofStore = (client: () => Promise<Firestore>): ProofStore => {
  const ref = async () => (await client()).collection('sync_state').doc('proof');
  return {
    read: () =>
      storeCall('store_unavailable', 'answer the last proof', STORE_CALL_LIMIT_MS, async () => {
        const data = (await (await ref()).get()).data();
        // What another version wrote counts for nothing: the next proof is a few minutes away.
        return data === undefined ? null : (shape.safeParse(data).data ?? null);
      }),
    write: (record: ProofRecord) =>
      storeCall('store_unavailable', 'take the proof', STORE_CALL_LIMIT_MS, async () => {
        await (await ref()).set({ ...record });
      }),
  };
};
