import type { DocumentData, DocumentReference, Firestore, Timestamp } from 'firebase-admin/firestore';
import { SyncError } from '../../lib/errors.ts';
import {
  type LastSuccess,
  type MirrorName,
  pausedError,
  type RunRecord,
  type Unfinished,
} from '../../mirror/mirror.ts';
import type {
  BeginOptions,
  Begun,
  FinishOptions,
  Lease,
  PlannedChanges,
  RunStore,
  ScheduledOccurrence,
} from '../../mirror/run-store.ts';
import { documentsToCommit } from './ops-runs.ts';
import { fromDocument, toDocument } from './run-record-document.ts';
import { STORE_CALL_LIMIT_MS, storeCall, tryCommit } from './store-call.ts';

/** How often taking the lease is tried while others write the same state. */
const BEGIN_ATTEMPTS = 5;

/** `sync_state/{mirror}`; times are Timestamps. */
interface State {
  readonly lease?: { readonly owner: string; readonly expiresAt: Timestamp; readonly planId?: string } | null;
  readonly lastSuccess?: { readonly runId: string; readonly at: Timestamp; readonly memberCount: number };
  readonly unfinished?: Unfinished | null;
  readonly lastDone?: ScheduledOccurrence & { readonly runId: string };
  readonly pause?: { readonly reason: string; readonly by: string; readonly at: Timestamp } | null;
}

type Documents = readonly (readonly [id: string, data: DocumentData])[];

/** What a batch and a transaction have in common. */
interface Writer {
  set(ref: DocumentReference, data: DocumentData): unknown;
}

export interface RunStoreOptions {
  /** How long one call, its retries included, may take. */
  readonly callLimitMs?: number;
}

/** The run store over Firestore: leases in `sync_state`, records in `sync_audit`. */
export const makeRunStore = (
  client: () => Promise<Firestore>,
  { callLimitMs = STORE_CALL_LIMIT_MS }: RunStoreOptions = {},
): RunStore => {
  const call = <T>(what: string, work: (isOver: () => boolean) => Promise<T>): Promise<T> =>
    storeCall('audit_unavailable', what, callLimitMs, work);

  const refs = (db: Firestore) => ({
    state: (mirror: MirrorName) => db.collection('sync_state').doc(mirror),
    record: (runId: string) => db.collection('sync_audit').doc(runId),
  });

  /**
   * When each lease's state was last written by its own run. A write on that condition needs no reading before it, which
   * spares a round trip; where the condition fails, a transaction reads and decides.
   */
  const writtenAt = new WeakMap<Lease, Timestamp>();

  const begin = ({
    record,
    leaseExpiresAt,
    occurrence,
    passesPause = false,
    whenFree,
  }: BeginOptions): Promise<Begun> =>
    call('open the run record', async (isOver) => {
      const db = await client();
      const stateRef = refs(db).state(record.mirror);
      const recordRef = refs(db).record(record.runId);
      for (let attempt = 1; attempt <= BEGIN_ATTEMPTS; attempt += 1) {
        const found = await stateRef.get();
        // Whoever asked has gone: a lease taken now would only keep others out.
        if (isOver()) break;
        const state = (found.data() ?? {}) as State;
        if (occurrence !== null && isSame(state.lastDone, occurrence)) {
          return { kind: 'already-done', runId: state.lastDone.runId };
        }
        const pause = state.pause ?? null;
        if (pause !== null && !passesPause) {
          return { kind: 'paused', pause: { ...pause, at: pause.at.toDate() } };
        }
        const held = state.lease ?? null;
        // Our own name there means that the answer to our commit was lost.
        const before = held?.owner === record.runId ? null : held;
        if (before !== null && before.expiresAt.toMillis() > record.timestamp.getTime()) {
          return { kind: 'held', owner: before.owner, expiresAt: before.expiresAt.toDate() };
        }
        const left = {
          lastSuccess: lastSuccessOf(state),
          unfinished: state.unfinished ?? null,
          abandonedRunId: before?.owner ?? null,
        };
        whenFree?.(left);
        const batch = db.batch();
        if (before !== null) batch.set(refs(db).record(before.owner), abandonedBy(record), { merge: true });
        batch.set(recordRef, toDocument(record));
        const taken = { lease: { owner: record.runId, expiresAt: leaseExpiresAt } };
        if (found.updateTime === undefined) batch.create(stateRef, taken);
        else batch.update(stateRef, taken, { lastUpdateTime: found.updateTime });
        const time = await tryCommit(batch);
        if (time === null) continue;
        const lease = { mirror: record.mirror, owner: record.runId, expiresAt: leaseExpiresAt, passesPause };
        writtenAt.set(lease, time);
        return { kind: 'begun', lease, ...left };
      }
      throw new SyncError(
        'audit_unavailable',
        'The lease changed hands again and again while it was asked for.',
      );
    });

  const writeLists = (db: Firestore, to: Writer, { runId }: RunRecord, documents: Documents): void => {
    const lists = refs(db).record(runId).collection('changes');
    for (const [id, data] of documents) to.set(lists.doc(id), data);
  };

  const commitLists = async (record: RunRecord, documents: Documents): Promise<void> => {
    if (documents.length === 0) return;
    await call('take the lists of changes', async () => {
      const db = await client();
      const batch = db.batch();
      writeLists(db, batch, record, documents);
      await batch.commit();
    });
  };

  const keepLists: RunStore['keepLists'] = async (record, changes) => {
    for (const documents of documentsToCommit(record, changes)) await commitLists(record, documents);
  };

  /** A first list of a million makes many commits, so each has the time limit for itself. */
  const recordPlan = async (lease: Lease, record: RunRecord, changes: PlannedChanges): Promise<void> => {
    let last: Documents = [];
    for (const documents of documentsToCommit(record, changes)) {
      await commitLists(record, last);
      last = documents;
    }
    await call('take the plan', async () => {
      const db = await client();
      const stateRef = refs(db).state(lease.mirror);
      const recordRef = refs(db).record(record.runId);
      const alongside = {
        ...(changes.letThrough !== undefined && { unfinished: changes.letThrough }),
        ...(changes.pause !== undefined && { pause: changes.pause }),
      };
      const time = writtenAt.get(lease);
      writtenAt.delete(lease);
      if (time !== undefined) {
        const batch = db.batch();
        batch.set(recordRef, toDocument(record));
        writeLists(db, batch, record, last);
        batch.update(stateRef, { 'lease.planId': record.planId, ...alongside }, { lastUpdateTime: time });
        const written = await tryCommit(batch);
        if (written !== null) {
          writtenAt.set(lease, written);
          return;
        }
      }
      await db.runTransaction(async (transaction) => {
        const state = ((await transaction.get(stateRef)).data() ?? {}) as State;
        if (state.lease?.owner !== lease.owner) {
          throw new SyncError(
            'lease_lost',
            `Run ${state.lease?.owner ?? 'none'} holds the ${lease.mirror} now; this run changed nothing.`,
          );
        }
        const pause = state.pause ?? null;
        if (pause !== null && lease.passesPause !== true) throw pausedError(pause.at.toDate());
        transaction.set(recordRef, toDocument(record));
        writeLists(db, transaction, record, last);
        transaction.update(stateRef, { 'lease.planId': record.planId, ...alongside });
      });
    });
  };

  const finish = ({ lease, record, occurrenceDone, pause }: FinishOptions): Promise<void> =>
    call('close the run record', async () => {
      const db = await client();
      const stateRef = refs(db).state(lease.mirror);
      const recordRef = refs(db).record(record.runId);
      const after = { ...stateAfter(record, occurrenceDone), ...(pause !== undefined && { pause }) };
      const time = writtenAt.get(lease);
      if (time !== undefined) {
        const batch = db.batch();
        batch.set(recordRef, toDocument(record));
        batch.update(stateRef, after, { lastUpdateTime: time });
        if ((await tryCommit(batch)) !== null) return;
      }
      await db.runTransaction(async (transaction) => {
        const state = ((await transaction.get(stateRef)).data() ?? {}) as State;
        transaction.set(recordRef, toDocument(record));
        if (state.lease?.owner !== lease.owner) return;
        transaction.set(stateRef, after, { merge: true });
      });
    });

  return {
    begin,
    recordPlan,
    keepLists,
    finish,
    append: (record) =>
      call('take the run record', async () => {
        const db = await client();
        await refs(db).record(record.runId).create(toDocument(record));
      }),
    readLastSuccess: (mirror) =>
      call('answer the last success', async () => {
        const db = await client();
        return lastSuccessOf(((await refs(db).state(mirror).get()).data() ?? {}) as State);
      }),
    readUnfinished: (mirror) =>
      call('answer what is unfinished', async () => {
        const db = await client();
        return (((await refs(db).state(mirror).get()).data() ?? {}) as State).unfinished ?? null;
      }),
    recent: (mirror, limit) =>
      call('answer the last runs', async () => {
        const db = await client();
        const found = await db
          .collection('sync_audit')
          .where('mirror', '==', mirror)
          .orderBy('timestamp', 'desc')
          .limit(limit)
          .get();
        return found.docs.map((document) => fromDocument(document.data()));
      }),
  };
};

const isSame = (
  done: State['lastDone'],
  occurrence: ScheduledOccurrence,
): done is NonNullable<State['lastDone']> => done?.job === occurrence.job && done.time === occurrence.time;

const lastSuccessOf = ({ lastSuccess }: State): LastSuccess | null =>
  lastSuccess === undefined ? null : { ...lastSuccess, at: lastSuccess.at.toDate() };

const stateAfter = (record: RunRecord, occurrenceDone: ScheduledOccurrence | null): DocumentData => {
  const { runId, outcome, errorCode, timestamp: at, memberCount } = record;
  const isAsPlanned = outcome === 'published' || outcome === 'unchanged';
  // After a rollback the mirror is as planned, but not equal to the registry.
  const isSuccess = isAsPlanned && record.rollbackOf === undefined && record.trigger !== 'proof';
  return {
    lease: null,
    ...(outcome !== 'skipped' && { last: { runId, outcome, errorCode, at } }),
    ...(saysRegistryCount(record) && { registry: { count: memberCount, at, runId } }),
    ...(isAsPlanned && { members: memberCount }),
    ...(isSuccess && { lastSuccess: { runId, at, memberCount }, unfinished: null }),
    ...(outcome === 'partial' && { unfinished: record.unfinished }),
    ...(occurrenceDone !== null && { lastDone: { ...occurrenceDone, runId } }),
  };
};

/** What the registry counted, for who compares mirrors with it; a rollback has another source. */
const saysRegistryCount = ({ outcome, planId, rollbackOf, memberCount }: RunRecord): boolean =>
  (outcome === 'published' || outcome === 'unchanged' || outcome === 'blocked') &&
  planId !== null &&
  rollbackOf === undefined &&
  memberCount !== null;

const abandonedBy = (next: RunRecord): DocumentData => ({
  status: 'error',
  outcome: 'failed',
  errorCode: 'abandoned',
  error: `The run ended without closing this record; run ${next.runId} closed it. That run says what it found.`,
});
