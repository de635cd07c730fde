import {
  type DocumentData,
  type DocumentSnapshot,
  FieldPath,
  type Firestore,
  type Query,
  Timestamp,
} from 'firebase-admin/firestore';
import { z } from 'zod';
import { SyncError } from '../../lib/errors.ts';
import type { RunRecord } from '../../mirror/mirror.ts';
import type {
  OperatorAction,
  OperatorActions,
  Page,
  PageRequest,
  RunDay,
  RunHistory,
} from '../../ops/ports.ts';
import { type Chained, type CurrentChainKey, takeChained } from './chain.ts';
import { toListDocument } from './change-lists.ts';
import { fromDocument } from './run-documents.ts';
import { makeStoreCalls, STORE_CALL_LIMIT_MS } from './store-call.ts';

/** A month of nightly runs and many more on demand. */
const MISSED_RUNS_READ = 1_000;

/** Of one plan, or on top of one version: an operator makes a handful. */
const RELATED_RUNS_READ = 200;

/** `sync_audit` for reading. */
export const makeRunHistory = (client: () => Promise<Firestore>): RunHistory => {
  const call = makeStoreCalls(client);

  return {
    page: ({ mirror, outcome, from, until, ...page }) =>
      call('answer the runs', async (db) => {
        const all = db.collection('sync_audit');
        const ofMirror = mirror === undefined ? all : all.where('mirror', '==', mirror);
        const query = outcome === undefined ? ofMirror : ofMirror.where('outcome', '==', outcome);
        const since = from === undefined ? query : query.where('timestamp', '>=', Timestamp.fromDate(from));
        const within = until === undefined ? since : since.where('timestamp', '<', Timestamp.fromDate(until));
        return readPage(within, 'timestamp', page, toRecord);
      }),
    read: (runId) =>
      call('answer a run', async (db) => {
        const found = await db.collection('sync_audit').doc(runId).get();
        return found.exists ? toRecord(found) : null;
      }),
    byPlan: (planId) =>
      call('answer the runs of a plan', async (db) => {
        const { docs } = await db
          .collection('sync_audit')
          .where('planId', '==', planId)
          .limit(RELATED_RUNS_READ)
          .get();
        return docs.map(toRecord);
      }),
    replacing: (generation) =>
      call('answer what replaced a version', async (db) => {
        const { docs } = await db
          .collection('sync_audit')
          .where('previousGeneration', '==', generation)
          .limit(RELATED_RUNS_READ)
          .get();
        return docs.map(toRecord);
      }),
    changes: (runId, page) =>
      call('answer the lists of a run', async (db) => {
        const lists = db.collection('sync_audit').doc(runId).collection('changes');
        const [found, following] = await db.getAll(lists.doc(String(page)), lists.doc(String(page + 1)));
        if (!found?.exists) return null;
        const { added, removed } = toListDocument(found.data() ?? {});
        return { added, removed, isLast: following?.exists !== true };
      }),
    since: (from, most) =>
      call('answer the runs of the days', async (db) => {
        const { docs } = await db
          .collection('sync_audit')
          .where('timestamp', '>=', Timestamp.fromDate(from))
          .orderBy('timestamp', 'desc')
          .limit(most)
          .select(...DAY_FIELDS)
          .get();
        return docs.map(toRunDay);
      }),
    missedSince: (from) =>
      call('answer the missed events', async (db) => {
        const { docs } = await db
          .collection('sync_audit')
          .where('mirror', '==', 'portal')
          .where('timestamp', '>=', Timestamp.fromDate(from))
          .orderBy('timestamp', 'desc')
          .limit(MISSED_RUNS_READ)
          .select(...DAY_FIELDS)
          .get();
        return docs.map(toRunDay).flatMap(({ timestamp, outcome, missedEvents }) => {
          const isWritten = outcome === 'published' || outcome === 'partial';
          return isWritten && missedEvents ? [{ at: timestamp, missed: missedEvents }] : [];
        });
      }),
  };
};

const DAY_FIELDS = [
  'mirror',
  'outcome',
  'timestamp',
  'duration_ms',
  'memberCount',
  'changes',
  'missedEvents',
] as const satisfies (keyof RunDay)[];

const toRunDay = (document: DocumentSnapshot): RunDay => {
  const data = document.data() ?? {};
  return { ...data, timestamp: (data['timestamp'] as Timestamp).toDate() } as RunDay;
};

export const toRecord = (document: DocumentSnapshot): RunRecord => fromDocument(document.data() ?? {});

const cursorShape = z.tuple([z.number().int(), z.number().int().min(0).max(999_999_999), z.string().min(1)]);

/**
 * One page of a query, newest first by a field of type Timestamp, documents of one moment by their id. The cursor is the
 * place after the last document, so that what is written meanwhile moves nothing.
 * Throws `invalid_request` for a `before` that no page gave.
 */
export const readPage = async <T>(
  query: Query,
  timeField: string,
  { limit, before }: PageRequest,
  toItem: (document: DocumentSnapshot) => T,
): Promise<Page<T>> => {
  const ordered = query.orderBy(timeField, 'desc').orderBy(FieldPath.documentId(), 'desc');
  const from = before === undefined ? ordered : ordered.startAfter(...placeOf(before));
  const { docs } = await from.limit(limit + 1).get();
  const shown = docs.slice(0, limit);
  const last = docs.length > limit ? shown.at(-1) : undefined;
  return { items: shown.map(toItem), next: last === undefined ? null : cursorOf(last, timeField) };
};

const cursorOf = (document: DocumentSnapshot, timeField: string): string => {
  const time = document.get(timeField) as Timestamp;
  return Buffer.from(JSON.stringify([time.seconds, time.nanoseconds, document.id])).toString('base64url');
};

const placeOf = (cursor: string): [Timestamp, string] => {
  try {
    const text = Buffer.from(cursor, 'base64url').toString('utf8');
    const [seconds, nanoseconds, id] = cursorShape.parse(JSON.parse(text));
    return [new Timestamp(seconds, nanoseconds), id];
  } catch {
    throw new SyncError('invalid_request', 'before: take it from `next` of the page before.');
  }
};

/** As long as the records of the runs that the actions are about. */
const KEPT_MONTHS = 12;

/** `operator_actions/{id}`: who looked at what is personal, and who decided what. */
export const makeOperatorActions = (
  client: () => Promise<Firestore>,
  chainKey: CurrentChainKey,
): OperatorActions => {
  const read = makeStoreCalls(client);
  const record = makeStoreCalls(client, STORE_CALL_LIMIT_MS, 'audit_unavailable');
  return {
    record: (action) =>
      record('take the record of the action', async (db, isOver) => {
        await takeChained(db, await chainKey(), chainedAction(db, action), isOver);
      }),
    pauses: (limit) =>
      read('answer the pauses', async (db) => {
        const { docs } = await db
          .collection('operator_actions')
          .where('action', 'in', ['pause', 'resume'])
          .orderBy('at', 'desc')
          .limit(limit)
          .get();
        return docs.map((document) => fromActionDocument(document.data()));
      }),
  };
};

/** A new record of its own name, and its place in the chain of what operators do. */
export const chainedAction = (db: Firestore, action: OperatorAction): Chained & { readonly isNew: true } => ({
  stream: 'operators',
  kind: 'closed',
  ref: db.collection('operator_actions').doc(),
  data: toActionDocument(action),
  isNew: true,
});

const toActionDocument = (action: OperatorAction): DocumentData => {
  const expireAt = new Date(action.at);
  expireAt.setUTCMonth(expireAt.getUTCMonth() + KEPT_MONTHS);
  return { ...action, at: Timestamp.fromDate(action.at), expireAt: Timestamp.fromDate(expireAt) };
};

export const fromActionDocument = ({ chain, erased, ...data }: DocumentData): OperatorAction =>
  ({ ...data, at: (data['at'] as Timestamp).toDate() }) as OperatorAction;
