import type { DocumentData, Firestore, Timestamp } from 'firebase-admin/firestore';
import { SyncError } from '../../lib/errors.ts';
import type {
  BeginOptions,
  Begun,
  FinishOptions,
  LastSuccess,
  Lease,
  PlannedChanges,
  RunStore,
  ScheduledOccurrence,
} from '../../mirror/run-store.ts';
import { CHANGES_PER_DOCUMENT, type MirrorName, type RunRecord } from '../../mirror/types.ts';
import { fromDocument, toDocument } from './run-record-document.ts';
import { STORE_CALL_LIMIT_MS, storeCall } from './store-call.ts';

/** About 3 MB a commit: well below Firestore's 10 MiB. */
const DOCUMENTS_PER_COMMIT = 40;

/** `sync_state/{mirror}`; times are Timestamps. */
interface State {
  readonly lease?: { readonly owner: string; readonly expiresAt: Timestamp } | null;
  readonly lastSuccess?: { readonly runId: string; readonly at: Timestamp; readonly memberCount: number };
  readonly lastDone?: ScheduledOccurrence & { readonly runId: string };
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
  const call = <T>(what: string, work: () => Promise<T>): Promise<T> =>
    storeCall('audit_unavailable', what, callLimitMs, work);

  const refs = (db: Firestore) => ({
    state: (mirror: MirrorName) => db.collection('sync_state').doc(mirror),
    record: (runId: string) => db.collection('sync_audit').doc(runId),
  });

  const begin = ({ record, leaseExpiresAt, occurrence }: BeginOptions): Promise<Begun> =>
    call('open the run record', async () => {
      const db = await client();
      const stateRef = refs(db).state(record.mirror);
      return db.runTransaction(async (transaction): Promise<Begun> => {
        const state = ((await transaction.get(stateRef)).data() ?? {}) as State;
        if (occurrence !== null && isSame(state.lastDone, occurrence)) {
          return { kind: 'already-done', runId: state.lastDone.runId };
        }
        const held = state.lease ?? null;
        if (held !== null && held.expiresAt.toMillis() > record.timestamp.getTime()) {
          return { kind: 'held', owner: held.owner, expiresAt: held.expiresAt.toDate() };
        }
        if (held !== null) {
          transaction.set(refs(db).record(held.owner), abandonedBy(record), { merge: true });
        }
        transaction.create(refs(db).record(record.runId), toDocument(record));
        transaction.set(
          stateRef,
          { lease: { owner: record.runId, expiresAt: leaseExpiresAt } },
          { merge: true },
        );
        return {
          kind: 'begun',
          lease: { mirror: record.mirror, owner: record.runId, expiresAt: leaseExpiresAt },
          lastSuccess: lastSuccessOf(state),
          abandonedRunId: held?.owner ?? null,
        };
      });
    });

  const recordPlan = (lease: Lease, record: RunRecord, changes: PlannedChanges): Promise<void> =>
    call('take the plan', async () => {
      const db = await client();
      const documents = documentsOf(record, changes).map(
        (data, n) => [refs(db).record(record.runId).collection('changes').doc(String(n)), data] as const,
      );
      while (documents.length > DOCUMENTS_PER_COMMIT) {
        const batch = db.batch();
        for (const [ref, data] of documents.splice(0, DOCUMENTS_PER_COMMIT)) batch.set(ref, data);
        await batch.commit();
      }
      await db.runTransaction(async (transaction) => {
        const state = ((await transaction.get(refs(db).state(lease.mirror))).data() ?? {}) as State;
        if (state.lease?.owner !== lease.owner) {
          throw new SyncError(
            'lease_lost',
            `Run ${state.lease?.owner ?? 'none'} holds the ${lease.mirror} now; this run changed nothing.`,
          );
        }
        transaction.set(refs(db).record(record.runId), toDocument(record));
        for (const [ref, data] of documents) transaction.set(ref, data);
      });
    });

  const finish = ({ lease, record, occurrenceDone }: FinishOptions): Promise<void> =>
    call('close the run record', async () => {
      const db = await client();
      const stateRef = refs(db).state(lease.mirror);
      await db.runTransaction(async (transaction) => {
        const state = ((await transaction.get(stateRef)).data() ?? {}) as State;
        transaction.set(refs(db).record(record.runId), toDocument(record));
        if (state.lease?.owner !== lease.owner) return;
        transaction.set(stateRef, stateAfter(record, occurrenceDone), { merge: true });
      });
    });

  return {
    begin,
    recordPlan,
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

const stateAfter = (record: RunRecord, occurrenceDone: ScheduledOccurrence | null): DocumentData => ({
  lease: null,
  last: { runId: record.runId, outcome: record.outcome, errorCode: record.errorCode, at: record.timestamp },
  ...(record.outcome === 'published' || record.outcome === 'unchanged'
    ? { lastSuccess: { runId: record.runId, at: record.timestamp, memberCount: record.memberCount } }
    : {}),
  ...(occurrenceDone === null ? {} : { lastDone: { ...occurrenceDone, runId: record.runId } }),
});

const abandonedBy = (next: RunRecord): DocumentData => ({
  status: 'error',
  outcome: 'failed',
  errorCode: 'abandoned',
  error: `The run ended without closing this record; run ${next.runId} closed it. That run says what it found.`,
});

const documentsOf = (record: RunRecord, { added, removed }: PlannedChanges): DocumentData[] => {
  const documents: DocumentData[] = [];
  const documentCount = Math.ceil((added.length + removed.length) / CHANGES_PER_DOCUMENT);
  for (let n = 0; n < documentCount; n += 1) {
    const from = n * CHANGES_PER_DOCUMENT;
    const until = from + CHANGES_PER_DOCUMENT;
    documents.push({
      addedKennitalas: added.slice(from, until),
      removedKennitalas: removed.slice(Math.max(0, from - added.length), Math.max(0, until - added.length)),
      expireAt: record.expireAt,
    });
  }
  return documents;
};
