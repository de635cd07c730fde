import { type DocumentSnapshot, type Firestore, type Query, Timestamp } from 'firebase-admin/firestore';
import { SyncError } from '../../lib/errors.ts';
import type { MemberTrace, Page, SweepDay, TwoWayReader } from '../../ops/ports.ts';
import type { ConflictRecord } from '../../twoway/conflict.ts';
import type { QueueItem } from '../../twoway/queue.ts';
import { readPage } from './ops-runs.ts';
import { makeStoreCalls, timeIn } from './store-call.ts';
import { fromConflictDocument, tryItemDocument } from './twoway-documents.ts';

/** Of one member. */
const ENTRIES_READ = 200;

/** `sync_queue`, `sync_conflicts` and `sync_logs` for reading. Lists leave out what cannot be read. */
export const makeTwoWayReader = (
  client: () => Promise<Firestore>,
): TwoWayReader & Pick<MemberTrace, 'queued' | 'conflictsOf'> => {
  const call = makeStoreCalls(client);
  const queueOf = (db: Firestore) => db.collection('sync_queue');
  const conflictsIn = (db: Firestore) => db.collection('sync_conflicts');

  return {
    queue: ({ status, ...page }) =>
      call('answer the queue', async (db) => {
        const query = status === undefined ? queueOf(db) : queueOf(db).where('sync_status', '==', status);
        return readable(await readPage(query, 'created_at', page, tryQueueItem));
      }),
    queueItem: (id) =>
      call('answer a change', async (db) =>
        readOne(await queueOf(db).doc(id).get(), tryQueueItem, 'The change'),
      ),
    conflicts: ({ state, ...page }) =>
      call('answer the conflicts', async (db) => {
        const query = state === undefined ? conflictsIn(db) : conflictsIn(db).where('state', '==', state);
        return readable(await readPage(query, 'detected_at', page, tryConflict));
      }),
    conflict: (id) =>
      call('answer a conflict', async (db) =>
        readOne(await conflictsIn(db).doc(id).get(), tryConflict, 'The conflict'),
      ),
    queued: (kennitala) =>
      call('answer the changes of the member', async (db) => {
        const { docs } = await queueOf(db).where('kennitala', '==', kennitala).limit(ENTRIES_READ).get();
        return docs.flatMap((document) => tryQueueItem(document) ?? []);
      }),
    conflictsOf: (kennitala) =>
      call('answer the conflicts of the member', async (db) => {
        const { docs } = await conflictsIn(db).where('kennitala', '==', kennitala).limit(ENTRIES_READ).get();
        return docs.flatMap((document) => tryConflict(document) ?? []);
      }),
    figures: () =>
      call('count what waits', async (db) => {
        const pending = queueOf(db).where('sync_status', '==', 'pending');
        // Those that an operator has given up wait for nobody.
        const failed = queueOf(db).where('sync_status', '==', 'failed').where('synced_at', '==', null);
        const open = conflictsIn(db).where('state', '==', 'open');
        const [pendingCount, failedCount, openCount, ...oldest] = await Promise.all([
          countOf(pending),
          countOf(failed),
          countOf(open),
          oldestOf(pending, 'created_at'),
          oldestOf(failed, 'created_at'),
          oldestOf(open, 'detected_at'),
        ]);
        const { docs } = await db.collection('sync_logs').orderBy('started_at', 'desc').limit(1).get();
        const [last] = docs;
        const at = last === undefined ? null : timeIn(last.get('started_at'));
        return {
          pending: pendingCount,
          deadLetters: failedCount,
          openConflicts: openCount,
          oldestPendingAt: oldest[0] ?? null,
          oldestDeadLetterAt: oldest[1] ?? null,
          oldestOpenConflictAt: oldest[2] ?? null,
          lastSweep: last === undefined || at === null ? null : { at, status: String(last.get('status')) },
        };
      }),
    deadLettersSince: (from, most) =>
      call('answer the dead letters of the days', async (db) => {
        const { docs } = await queueOf(db)
          .where('sync_status', '==', 'failed')
          .where('created_at', '>=', Timestamp.fromDate(from))
          .orderBy('created_at', 'desc')
          .limit(most)
          .select('created_at')
          .get();
        return docs.flatMap((document) => timeIn(document.get('created_at')) ?? []);
      }),
    sweepsSince: (from, most) =>
      call('answer the sweeps of the days', async (db) => {
        const { docs } = await db
          .collection('sync_logs')
          .where('started_at', '>=', Timestamp.fromDate(from))
          .orderBy('started_at', 'desc')
          .limit(most)
          .get();
        return docs.flatMap(toSweepDay);
      }),
  };
};

const tryQueueItem = (document: DocumentSnapshot): QueueItem | null => {
  const data = document.data();
  return data === undefined ? null : tryItemDocument(document.id, data);
};

const tryConflict = (document: DocumentSnapshot): ConflictRecord | null => {
  try {
    return fromConflictDocument(document.id, document.data() ?? {});
  } catch {
    return null;
  }
};

const countOf = async (query: Query): Promise<number> => (await query.count().get()).data().count;

const oldestOf = async (query: Query, field: string): Promise<Date | null> => {
  const { docs } = await query.orderBy(field, 'asc').limit(1).select(field).get();
  return timeIn(docs[0]?.get(field));
};

const readable = <T>({ items, next }: Page<T | null>): Page<T> => ({
  items: items.filter((item) => item !== null),
  next,
});

/** @throws SyncError `internal` for a document that cannot be read: to say that there is none would be wrong. */
const readOne = <T>(
  document: DocumentSnapshot,
  tryItem: (document: DocumentSnapshot) => T | null,
  what: string,
): T | null => {
  if (!document.exists) return null;
  const item = tryItem(document);
  if (item === null) throw new SyncError('internal', `${what} is not of the agreed form.`);
  return item;
};

const toSweepDay = (document: DocumentSnapshot): SweepDay[] => {
  const at = timeIn(document.get('started_at'));
  if (at === null) return [];
  const count = (path: string): number => Number(document.get(path) ?? 0) || 0;
  return [
    {
      at,
      sent: count('firestore_to_django.success'),
      received: count('django_to_firestore.success'),
      conflicts: count('conflicts'),
      failed: count('firestore_to_django.failed') + count('django_to_firestore.failed'),
    },
  ];
};
