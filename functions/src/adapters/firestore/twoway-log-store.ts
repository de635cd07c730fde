import { type DocumentData, type Firestore, Timestamp } from 'firebase-admin/firestore';
import type { TwoWayLog } from '../../twoway/ports.ts';
import type { TwoWayRecord } from '../../twoway/run-record.ts';
import { storeCall } from './store-call.ts';

const CALL_LIMIT_MS = 10_000;

/** `sync_logs/{id}` over Firestore. */
export const makeTwoWayLog = (client: () => Promise<Firestore>): TwoWayLog => ({
  write: (record) =>
    storeCall('store_unavailable', 'take the record of a run', CALL_LIMIT_MS, async () => {
      await (await client()).collection('sync_logs').doc(record.id).set(toLogDocument(record));
    }),
});

const toLogDocument = (record: TwoWayRecord): DocumentData => ({
  type: 'bidirectional_sync',
  trigger: record.trigger,
  status: record.status,
  started_at: Timestamp.fromDate(record.startedAt),
  completed_at: record.completedAt === null ? null : Timestamp.fromDate(record.completedAt),
  duration_seconds:
    record.completedAt === null ? null : (record.completedAt.getTime() - record.startedAt.getTime()) / 1_000,
  firestore_to_django: { ...record.firestoreToDjango },
  django_to_firestore: { ...record.djangoToFirestore },
  conflicts: record.conflicts,
  cleaned: record.cleaned,
  error_code: record.errorCode,
  error: record.error,
  requested_by: record.requestedBy,
  expireAt: Timestamp.fromDate(record.expireAt),
});
