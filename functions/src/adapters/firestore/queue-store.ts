import {
  type DocumentData,
  type DocumentSnapshot,
  type Firestore,
  type Query,
  type QuerySnapshot,
  Timestamp,
  type Transaction,
} from 'firebase-admin/firestore';
import { isKennitala, type Kennitala } from '../../domain/kennitala.ts';
import { withHeard } from '../../domain/member/decide-change.ts';
import type { Origin } from '../../domain/member/member.ts';
import { chunksOf } from '../../lib/concurrency.ts';
import type { ConflictRecord } from '../../twoway/conflict.ts';
import type {
  DueOptions,
  MemberUpdate,
  MemberView,
  Reads,
  Step,
  TwoWayLog,
  TwoWayRecord,
  TwoWayStore,
} from '../../twoway/ports.ts';
import type { QueueItem } from '../../twoway/queue.ts';
import { type CurrentChainKey, takeChained } from './chain.ts';
import { fromMemberDocument, memberRef, storedIn, toMemberDocument } from './member-document.ts';
import { makeStoreCalls, toDocumentState, VALUES_PER_FILTER, whileAwaited } from './store-call.ts';
import {
  fromConflictDocument,
  toConflictDocument,
  toEditTimeOf,
  toEditTimestamp,
  toItemDocument,
  tryItemDocument,
} from './twoway-documents.ts';

const CALL_LIMIT_MS = 20_000;
/** A member's edits, deliveries and webhooks contend for one document; each attempt waits a little longer. */
const TRANSACTION_ATTEMPTS = 10;
const PAGE = 500;
/** Below the 500 writes of one commit. */
const DELETED_AT_ONCE = 400;

export interface QueueStoreOptions {
  readonly callLimitMs?: number;
}

/** `sync_queue`, `sync_conflicts` and the member's document over Firestore. */
export const makeQueueStore = (
  client: () => Promise<Firestore>,
  { callLimitMs = CALL_LIMIT_MS }: QueueStoreOptions = {},
): TwoWayStore => {
  const call = makeStoreCalls(client, callLimitMs);

  return {
    transact: (kennitala, reads, at, decide) =>
      call('take a change of the queue', (db, isOver) =>
        db.runTransaction(
          whileAwaited(isOver, async (transaction) => {
            const step = decide(await readView(db, transaction, kennitala, reads));
            writeStep(db, transaction, kennitala, step, at);
            return step.result;
          }),
          { maxAttempts: TRANSACTION_ATTEMPTS },
        ),
      ),
    transactAll: (kennitalas, at, decide) =>
      call('take changes of the queue', (db, isOver) =>
        db.runTransaction(
          whileAwaited(isOver, async (transaction) => {
            const results = new Map<Kennitala, ReturnType<typeof decide>['result']>();
            for (const [kennitala, view] of await readViews(db, transaction, kennitalas)) {
              const step = decide(kennitala, view);
              writeStep(db, transaction, kennitala, step, at);
              results.set(kennitala, step.result);
            }
            return results;
          }),
          { maxAttempts: TRANSACTION_ATTEMPTS },
        ),
      ),
    members: (options) => call('answer what waits', (db) => membersOf(queryOf(db, options), options)),
    conflictMember: (id) =>
      call('answer a conflict', async (db) => {
        const found = (await db.collection('sync_conflicts').doc(id).get()).data();
        return found === undefined ? null : fromConflictDocument(id, found).kennitala;
      }),
    deleteSynced: (before) =>
      call('delete old items of the queue', async (db) => {
        const ended = (status: QueueItem['status']) =>
          db
            .collection('sync_queue')
            .where('sync_status', '==', status)
            .where('synced_at', '<', before)
            .orderBy('synced_at')
            .limit(DELETED_AT_ONCE)
            .get();
        const found = (await ended('synced')).docs;
        // Dead letters that an operator has given up hold values of a member too.
        const old = found.length > 0 ? found : (await ended('failed')).docs;
        const batch = db.batch();
        for (const { ref } of old) batch.delete(ref);
        if (old.length > 0) await batch.commit();
        return old.length;
      }),
  };
};

const readView = async (
  db: Firestore,
  transaction: Transaction,
  kennitala: Kennitala,
  reads: Reads,
): Promise<MemberView> => {
  const queue = db.collection('sync_queue');
  const ofMember = queue.where('kennitala', '==', kennitala);
  const ask = async (query: Query | null): Promise<QueueItem[]> =>
    query === null ? [] : itemsIn(await transaction.get(query));
  const refs = [
    memberRef(db, kennitala),
    ...(reads.item === undefined ? [] : [queue.doc(reads.item)]),
    ...(reads.conflict === undefined ? [] : [db.collection('sync_conflicts').doc(reads.conflict)]),
  ];
  const [snapshots, pending, later, failed, openConflicts] = await Promise.all([
    transaction.getAll(...refs),
    ask(ofMember.where('sync_status', '==', 'pending')),
    ask(
      reads.laterThan === undefined
        ? null
        : ofMember.where('edited_at', '>', toEditTimestamp(reads.laterThan)).orderBy('edited_at'),
    ),
    ask(reads.failed === true ? ofMember.where('sync_status', '==', 'failed') : null),
    reads.openConflicts === true ? readOpenConflicts(db, transaction, kennitala) : [],
  ]);
  const found = new Map(snapshots.map((snapshot) => [snapshot.ref.path, snapshot]));
  return {
    ...memberIn(kennitala, found.get(`members/${kennitala}`)),
    pending,
    later,
    failed,
    item: itemIn(found.get(`sync_queue/${reads.item}`)),
    conflict: conflictIn(found.get(`sync_conflicts/${reads.conflict}`)),
    openConflicts,
  };
};

const readOpenConflicts = async (
  db: Firestore,
  transaction: Transaction,
  kennitala: Kennitala,
): Promise<ConflictRecord[]> => {
  const ofMember = db.collection('sync_conflicts').where('kennitala', '==', kennitala);
  const { docs } = await transaction.get(ofMember.where('state', '==', 'open'));
  return docs.map((document) => fromConflictDocument(document.id, document.data()));
};

const readViews = async (
  db: Firestore,
  transaction: Transaction,
  kennitalas: readonly Kennitala[],
): Promise<Map<Kennitala, MemberView>> => {
  const waiting = db.collection('sync_queue').where('sync_status', '==', 'pending');
  const [snapshots, ...found] = await Promise.all([
    transaction.getAll(...kennitalas.map((kennitala) => memberRef(db, kennitala))),
    ...chunksOf(kennitalas, VALUES_PER_FILTER).map((some) =>
      transaction.get(waiting.where('kennitala', 'in', some)),
    ),
  ]);
  const items = found.flatMap(itemsIn);
  return new Map(
    kennitalas.map((kennitala, n) => [
      kennitala,
      {
        ...NOTHING_ASKED,
        ...memberIn(kennitala, snapshots[n]),
        pending: items.filter((item) => item.kennitala === kennitala),
      },
    ]),
  );
};

const NOTHING_ASKED = { item: null, later: [], failed: [], conflict: null, openConflicts: [] };

const memberIn = (
  kennitala: Kennitala,
  snapshot: DocumentSnapshot | undefined,
): Pick<MemberView, 'stored' | 'state' | 'createdAt'> => {
  const { createTime } = snapshot ?? {};
  return {
    stored: snapshot === undefined ? null : storedIn(kennitala, snapshot),
    state: toDocumentState(snapshot?.updateTime),
    createdAt: createTime === undefined ? null : toEditTimeOf(createTime),
  };
};

const writeStep = <T>(
  db: Firestore,
  transaction: Transaction,
  kennitala: Kennitala,
  { items = [], member = null, conflicts = [] }: Step<T>,
  at: Date,
): void => {
  for (const item of items) transaction.set(db.collection('sync_queue').doc(item.id), toItemDocument(item));
  if (member !== null) transaction.update(memberRef(db, kennitala), toUpdate(kennitala, member, at));
  for (const conflict of conflicts) {
    transaction.set(db.collection('sync_conflicts').doc(conflict.id), toConflictDocument(conflict));
  }
};

/**
 * Only the fields that change, so that a field unknown to the table stays; the metadata as a whole, as every server writes
 * them.
 */
const toUpdate = (
  kennitala: Kennitala,
  { values, meta }: MemberUpdate,
  at: Date,
): Record<string, unknown> => {
  const { member } = fromMemberDocument(kennitala, {});
  const written = toMemberDocument(
    member,
    { ...withHeard(meta, values), source_hash: meta.source_hash ?? '', origin: originOf(meta) },
    at,
  );
  return { ...values, metadata: { ...written['metadata'], source_hash: meta.source_hash } };
};

/** A tombstone stays what it is: who made it says whether its version is that of the deletion. */
const originOf = ({ deleted_at, origin }: MemberUpdate['meta']): Origin =>
  deleted_at === null ? 'two-way' : (origin ?? 'two-way');

const itemsIn = ({ docs }: QuerySnapshot): QueueItem[] =>
  docs.flatMap((document) => tryItemDocument(document.id, document.data()) ?? []);

const itemIn = (snapshot: DocumentSnapshot | undefined): QueueItem | null => {
  const data = snapshot?.data();
  return snapshot === undefined || data === undefined ? null : tryItemDocument(snapshot.id, data);
};

const conflictIn = (snapshot: DocumentSnapshot | undefined) => {
  const data = snapshot?.data();
  return snapshot === undefined || data === undefined ? null : fromConflictDocument(snapshot.id, data);
};

const queryOf = (db: Firestore, { which, now }: DueOptions): Query => {
  const queue = db.collection('sync_queue');
  if (which === 'failed') return queue.where('sync_status', '==', 'failed');
  const pending = queue.where('sync_status', '==', 'pending');
  return (which === 'due' ? pending.where('next_attempt_at', '<=', now) : pending).orderBy('next_attempt_at');
};

const membersOf = async (query: Query, { limit, except }: DueOptions): Promise<Kennitala[]> => {
  const members = new Set<Kennitala>();
  for (let page = query.limit(PAGE); ; ) {
    const { docs } = await page.select('kennitala', 'next_attempt_at').get();
    for (const document of docs) {
      const kennitala: unknown = document.get('kennitala');
      if (typeof kennitala !== 'string' || !isKennitala(kennitala) || except.has(kennitala)) continue;
      members.add(kennitala);
      if (members.size >= limit) return [...members];
    }
    const last = docs.at(-1);
    if (last === undefined || docs.length < PAGE) return [...members];
    page = query.startAfter(last).limit(PAGE);
  }
};

/** `sync_logs/{id}` over Firestore. */
export const makeTwoWayLog = (client: () => Promise<Firestore>, chainKey: CurrentChainKey): TwoWayLog => {
  const call = makeStoreCalls(client);
  return {
    write: (record) =>
      call('take the record of a run', async (db, isOver) => {
        const kind = record.completedAt === null ? 'opened' : 'closed';
        const ref = db.collection('sync_logs').doc(record.id);
        const chained = { stream: 'sweeps', kind, ref, data: toLogDocument(record), isNew: false } as const;
        await takeChained(db, await chainKey(), chained, isOver);
      }),
  };
};

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
