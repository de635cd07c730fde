import type { DocumentData, DocumentReference, Firestore, Timestamp } from 'firebase-admin/firestore';
import { SyncError } from '../../lib/errors.ts';
import { type MirrorName, pausedError, type RunRecord } from '../../mirror/mirror.ts';
import type {
  BeginOptions,
  Begun,
  FinishOptions,
  Lease,
  PlannedChanges,
  RunStore,
} from '../../mirror/run-store.ts';
import {
  digestOfAll,
  type Link,
  type LinkKind,
  linesDigest,
  toHeadText,
  toLinkText,
} from '../../proof/chain.ts';
import type { ChainKey } from '../../proof/chain-key.ts';
import {
  addLink,
  type CurrentChainKey,
  headIn,
  linkOf,
  linksIn,
  readStreams,
  streamRef,
  takeChained,
  withLink,
} from './chain.ts';
import { documentsToCommit } from './change-lists.ts';
import {
  abandonedBy,
  changedFields,
  fromDocument,
  isDone,
  lastSuccessOf,
  type StoredMirrorState,
  stateAfter,
  toDocument,
} from './run-documents.ts';
import { makeStoreCalls, STORE_CALL_LIMIT_MS, tryCommit, whileAwaited } from './store-call.ts';

/** How often taking the lease is tried while others write the same state. */
const BEGIN_ATTEMPTS = 5;

/** Runs that came to one plan: a person asks a handful of times. */
const PLAN_RUNS_READ = 200;

type Documents = readonly (readonly [id: string, data: DocumentData])[];

/** What a batch and a transaction have in common. */
interface Writer {
  set(ref: DocumentReference, data: DocumentData): unknown;
  delete(ref: DocumentReference): unknown;
}

/** What a lease's last write left. */
interface Written {
  /**
   * When the lease's state was written by its own run. A write on that condition needs no reading before it, which spares a
   * round trip; where the condition fails, a transaction reads and decides.
   */
  readonly time: Timestamp | null;
  /** The head of the chain as far as this run knows. */
  readonly head: Link;
  /** The run's record as it was written. */
  readonly record: RunRecord;
}

/** Throws `lease_lost`. */
const assertHeld = (lease: Lease, owner: string | undefined, so: string): void => {
  if (owner === lease.owner) return;
  throw new SyncError('lease_lost', `Run ${owner ?? 'none'} holds the ${lease.mirror} now; ${so}.`);
};

type Lists = Pick<PlannedChanges, 'added' | 'removed'>;

interface RecordWrite {
  readonly kind: LinkKind;
  /** Fields of the mirror's state. */
  readonly state: DocumentData;
  readonly beside?: (db: Firestore, to: Writer) => void;
  /** Whether the state is this run's to write; may throw. */
  readonly otherwise: (state: StoredMirrorState) => boolean;
}

export interface RunStoreOptions {
  /** How long one call, its retries included, may take. */
  readonly callLimitMs?: number;
}

/** The run store over Firestore: leases and heads of chains in `sync_state`, records in `sync_audit`. */
export const makeRunStore = (
  client: () => Promise<Firestore>,
  chainKey: CurrentChainKey,
  { callLimitMs = STORE_CALL_LIMIT_MS }: RunStoreOptions = {},
): RunStore => {
  const call = makeStoreCalls(client, callLimitMs, 'audit_unavailable');

  const refs = (db: Firestore) => ({
    state: (mirror: MirrorName) => streamRef(db, mirror),
    record: (runId: string) => db.collection('sync_audit').doc(runId),
  });

  const written = new WeakMap<Lease, Written>();

  const begin = ({
    record,
    leaseExpiresAt,
    occurrence,
    passesPause = false,
    whenFree,
  }: BeginOptions): Promise<Begun> => {
    // Beside the reading, since it can be a request of its own.
    const keyed = chainKey();
    keyed.catch(() => undefined);
    return call('open the run record', async (db, isOver) => {
      const stateRef = refs(db).state(record.mirror);
      const recordRef = refs(db).record(record.runId);
      for (let attempt = 1; attempt <= BEGIN_ATTEMPTS; attempt += 1) {
        const { own: found, others } = await readStreams(db, record.mirror);
        // Whoever asked has gone: a lease taken now would only keep others out.
        if (isOver()) break;
        const state = (found.data() ?? {}) as StoredMirrorState;
        if (occurrence !== null && isDone(state.lastDone, occurrence)) {
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
          cursor: state.cursor ?? null,
          abandonedRunId: before?.owner ?? null,
        };
        whenFree?.(left);
        const key = await keyed;
        const batch = db.batch();
        const stream = record.mirror;
        let head = headIn(state);
        if (before !== null) {
          const ref = refs(db).record(before.owner);
          const data = abandonedBy(record);
          const expireAt = head?.record === before.owner ? new Date(head.expireAt) : record.expireAt;
          head = linkOf(head, { stream, kind: 'abandoned', ref, data, expireAt }, key);
          batch.set(ref, { ...data, chain: addLink(head) }, { merge: true });
        }
        const data = toDocument(record);
        const link = linkOf(head, { stream, kind: 'opened', ref: recordRef, data, others }, key);
        batch.set(recordRef, { ...data, chain: [toLinkText(link)] });
        const taken = { lease: { owner: record.runId, expiresAt: leaseExpiresAt }, chain: link };
        if (found.updateTime === undefined) batch.create(stateRef, taken);
        else batch.update(stateRef, taken, { lastUpdateTime: found.updateTime });
        const time = await tryCommit(batch);
        if (time === null) continue;
        const lease = { mirror: record.mirror, owner: record.runId, expiresAt: leaseExpiresAt, passesPause };
        written.set(lease, { time, head: link, record });
        return { kind: 'begun', lease, ...left };
      }
      throw new SyncError(
        'audit_unavailable',
        'The lease changed hands again and again while it was asked for.',
      );
    });
  };

  const listsOf = (db: Firestore, { runId }: RunRecord) => refs(db).record(runId).collection('changes');

  const writeLists = (db: Firestore, to: Writer, record: RunRecord, documents: Documents): void => {
    for (const [id, data] of documents) to.set(listsOf(db, record).doc(id), data);
  };

  const commitLists = async (record: RunRecord, documents: Documents): Promise<void> => {
    if (documents.length === 0) return;
    await call('take the lists of changes', async (db) => {
      const batch = db.batch();
      writeLists(db, batch, record, documents);
      await batch.commit();
    });
  };

  /**
   * Commits all groups of lists but the last, which is returned with the record that names all of them. A first list of a
   * million makes many commits, so each has the time limit for itself.
   */
  const prepareLists = async (key: ChainKey, record: RunRecord, changes: Lists) => {
    const digests: string[] = [];
    let last: Documents = [];
    for (const documents of documentsToCommit(record, changes)) {
      await commitLists(record, last);
      last = documents.map(({ id, people, data }) => {
        const digest = linesDigest(key, `${record.runId}/${id}`, people);
        digests.push(digest);
        return [id, { ...data, digest }] as const;
      });
    }
    const { lists: before, ...rest } = record;
    const documents = digests.length;
    const listed: RunRecord =
      documents === 0 ? rest : { ...rest, lists: { documents, digest: digestOfAll(digests) } };
    // A plan that was overtaken may have had more.
    const surplus = Array.from({ length: (before?.documents ?? 0) - documents }, (_, n) => documents + n);
    const write = (db: Firestore, to: Writer): void => {
      writeLists(db, to, record, last);
      for (const n of surplus) to.delete(listsOf(db, record).doc(String(n)));
    };
    return { listed, write };
  };

  const keepLists: RunStore['keepLists'] = async (record, changes) => {
    const { listed, write } = await prepareLists(await chainKey(), record, changes);
    if (listed.lists === undefined && record.lists === undefined) return listed;
    await call('take the lists of changes', async (db) => {
      const batch = db.batch();
      write(db, batch);
      await batch.commit();
    });
    return listed;
  };

  /**
   * One write of a run's record and of its mirror's state, with the link: on the condition that nobody else has written the
   * state since this run did, or else as `otherwise` decides by what a transaction reads.
   */
  const writeRecord = async (
    lease: Lease,
    record: RunRecord,
    { kind, state, beside, otherwise }: RecordWrite,
    isOver: () => boolean,
  ): Promise<void> => {
    const [db, key] = await Promise.all([client(), chainKey()]);
    const stateRef = refs(db).state(lease.mirror);
    const ref = refs(db).record(record.runId);
    const data = toDocument(record);
    const chained = { stream: lease.mirror, kind, ref, data };
    const known = written.get(lease);
    if (known !== undefined && known.time !== null) {
      written.set(lease, { ...known, time: null });
      const batch = db.batch();
      const head = linkOf(known.head, chained, key);
      batch.update(ref, { ...changedFields(known.record, record, data), chain: addLink(head) });
      beside?.(db, batch);
      batch.update(stateRef, { ...state, chain: head }, { lastUpdateTime: known.time });
      const time = await tryCommit(batch);
      if (time !== null) {
        written.set(lease, { time, head, record });
        return;
      }
    }
    const decide = whileAwaited(isOver, async (transaction) => {
      const [found, own] = await transaction.getAll(stateRef, ref);
      const before = (found?.data() ?? {}) as StoredMirrorState;
      const isOurs = otherwise(before);
      const link = linkOf(headIn(before), chained, key);
      // Read and not remembered: the answer to a commit of ours may have been lost, or another run may have closed the record.
      transaction.set(ref, { ...data, chain: withLink(linksIn(own?.data()), link) });
      beside?.(db, transaction);
      if (isOurs) transaction.update(stateRef, { ...state, chain: link });
      else transaction.set(stateRef, { chain: link }, { merge: true });
      return link;
    });
    written.set(lease, { time: null, head: await db.runTransaction(decide), record });
  };

  const recordPlan: RunStore['recordPlan'] = async (lease, record, changes) => {
    const { listed, write } = await prepareLists(await chainKey(), record, changes);
    const planned: RecordWrite = {
      kind: 'planned',
      state: {
        'lease.planId': record.planId,
        ...(changes.letThrough !== undefined && {
          unfinished: changes.letThrough,
          cursor: changes.cursor ?? null,
        }),
        ...(changes.pause !== undefined && { pause: changes.pause }),
      },
      beside: write,
      otherwise: ({ lease: held, pause }) => {
        assertHeld(lease, held?.owner, 'this run changed nothing');
        if (pause && lease.passesPause !== true) throw pausedError(pause.at.toDate());
        return true;
      },
    };
    await call('take the plan', (_db, isOver) => writeRecord(lease, listed, planned, isOver));
    return listed;
  };

  /** No part of any record, so no link is made of it. */
  const keepCursor: RunStore['keepCursor'] = (lease, cursor, unfinished) =>
    call('take how far the run is', async (db, isOver) => {
      const stateRef = refs(db).state(lease.mirror);
      const known = written.get(lease);
      if (known !== undefined && known.time !== null) {
        const batch = db.batch();
        batch.update(stateRef, { cursor, unfinished }, { lastUpdateTime: known.time });
        const time = await tryCommit(batch);
        written.set(lease, { ...known, time });
        if (time !== null) return;
      }
      const decide = whileAwaited(isOver, async (transaction) => {
        const { lease: held } = ((await transaction.get(stateRef)).data() ?? {}) as StoredMirrorState;
        assertHeld(lease, held?.owner, 'what this run has written stands');
        transaction.update(stateRef, { cursor, unfinished });
      });
      await db.runTransaction(decide);
    });

  const finish = ({ lease, record, occurrenceDone, cursor, pause }: FinishOptions): Promise<void> => {
    const closed: RecordWrite = {
      kind: 'closed',
      state: {
        ...stateAfter(record, occurrenceDone),
        ...(cursor !== undefined && { cursor }),
        ...(pause !== undefined && { pause }),
      },
      otherwise: (state) => state.lease?.owner === lease.owner,
    };
    return call('close the run record', (_db, isOver) => writeRecord(lease, record, closed, isOver));
  };

  return {
    begin,
    recordPlan,
    keepLists,
    keepCursor,
    finish,
    headOf: (lease) => {
      const head = written.get(lease)?.head;
      return head === undefined ? null : toHeadText(head);
    },
    append: (record) =>
      call('take the run record', async (db, isOver) => {
        const ref = refs(db).record(record.runId);
        const data = toDocument(record);
        const chained = { stream: 'aside', kind: 'closed', ref, data, isNew: true } as const;
        await takeChained(db, await chainKey(), chained, isOver);
      }),
    readLastSuccess: (mirror) =>
      call('answer the last success', async (db) => {
        return lastSuccessOf(((await refs(db).state(mirror).get()).data() ?? {}) as StoredMirrorState);
      }),
    readPlanners: (planId) =>
      call('answer who made a plan', async (db) => {
        // Run ids sort by time, so the earliest come first.
        const { docs } = await db
          .collection('sync_audit')
          .where('planId', '==', planId)
          .limit(PLAN_RUNS_READ)
          .get();
        return docs.flatMap((document) => {
          const { approvedBy, requestedBy } = fromDocument(document.data());
          return approvedBy === null && requestedBy !== null ? [requestedBy] : [];
        });
      }),
    readUnfinished: (mirror) =>
      call('answer what is unfinished', async (db) => {
        return (((await refs(db).state(mirror).get()).data() ?? {}) as StoredMirrorState).unfinished ?? null;
      }),
    recent: (mirror, limit) =>
      call('answer the last runs', async (db) => {
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
