import type { App } from 'firebase-admin/app';
import { type Firestore, Timestamp, type Transaction, type WriteBatch } from 'firebase-admin/firestore';
import { z } from 'zod';
import { lazy } from '../../lib/concurrency.ts';
import { type ErrorCode, SyncError } from '../../lib/errors.ts';
import type { DocumentState } from '../../portal/ports.ts';

/** Longer than a slow day of Firestore, short enough that a run can still say that it failed. */
export const STORE_CALL_LIMIT_MS = 10_000;

/** What a failed call means to whoever made it. */
type StoreFailure = Extract<ErrorCode, 'audit_unavailable' | 'store_unavailable'>;

/**
 * Runs one call to Firestore with a time limit and makes every failure the given code, with the gRPC code as
 * the only detail: Firestore's own messages quote document paths. SyncErrors pass. A call that ran out of time
 * may still take effect; callers must be safe against that. `call` is told when its time is over: what it has not begun
 * by then nobody waits for.
 */
const storeCall = async <T>(
  failure: StoreFailure,
  what: string,
  limitMs: number,
  call: (isOver: () => boolean) => Promise<T>,
): Promise<T> => {
  const unavailable = (why: string, cause?: unknown, code: number | null = null): SyncError =>
    new SyncError(failure, `Firestore did not ${what}: ${why}. Check Firestore's state and our access.`, {
      cause,
      details: code === null ? {} : { grpcCode: code },
    });
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      isOver = true;
      reject(unavailable(`no answer within ${limitMs} ms`));
    }, limitMs);
  });
  try {
    return await Promise.race([call(() => isOver), limit]);
  } catch (cause) {
    if (cause instanceof SyncError) throw cause;
    const code = grpcCodeOf(cause);
    throw unavailable(code === null ? 'unexpected failure' : `gRPC code ${code}`, cause, code);
  } finally {
    clearTimeout(timer);
  }
};

/** The calls of one store: each is given the client, which is made by the first of them. `what` is for messages. */
export const makeStoreCalls =
  (
    client: () => Promise<Firestore>,
    limitMs = STORE_CALL_LIMIT_MS,
    failure: StoreFailure = 'store_unavailable',
  ) =>
  <T>(what: string, work: (db: Firestore, isOver: () => boolean) => Promise<T>): Promise<T> =>
    storeCall(failure, what, limitMs, async (isOver) => work(await client(), isOver));

/**
 * A transaction of a call. The client tries one again for minutes; after the call's time it would only stand in the way of whoever
 * asks again, and keep a process awake.
 */
export const whileAwaited =
  <T>(isOver: () => boolean, attempt: (transaction: Transaction) => Promise<T>) =>
  async (transaction: Transaction): Promise<T> => {
    assertAwaited(isOver);
    return attempt(transaction);
  };

/** Before each further step of a call that makes several: after its time nobody is told of what they do. */
export const assertAwaited = (isOver: () => boolean): void => {
  if (isOver()) throw new Error('Nobody waits for this call any more.');
};

const grpcCodeOf = (cause: unknown): number | null => {
  const code = (cause as { code?: unknown } | null)?.code;
  return typeof code === 'number' ? code : null;
};

/** NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION: a document is not as the batch's preconditions say. */
const OVERTAKEN = new Set<unknown>([5, 6, 9]);

/**
 * Commits a batch of which some writes have a precondition. Returns the time of its last write, for the precondition
 * of the next one, or null when a precondition does not hold; then nothing was written. The client may have sent the
 * batch twice, so null can also mean that the first answer was lost: read before concluding anything.
 */
export const tryCommit = async (batch: WriteBatch): Promise<Timestamp | null> => {
  try {
    return (await batch.commit()).at(-1)?.writeTime ?? null;
  } catch (cause) {
    if (OVERTAKEN.has((cause as { code?: unknown } | null)?.code)) return null;
    throw cause;
  }
};

/** A document's state is the time of its last update, which each write changes; null when there is no document. */
export const toDocumentState = (updateTime: Timestamp | undefined): DocumentState =>
  updateTime === undefined ? null : `${updateTime.seconds}.${updateTime.nanoseconds}`;

export const fromDocumentState = (state: string): Timestamp => {
  const [seconds, nanoseconds] = state.split('.').map(Number);
  return new Timestamp(seconds ?? Number.NaN, nanoseconds ?? Number.NaN);
};

/** A time that a document holds; null for what is none. */
export const timeIn = (value: unknown): Date | null => (value instanceof Timestamp ? value.toDate() : null);

/** The same for a document that is read under a schema. */
export const storedTime = z.instanceof(Timestamp).transform((timestamp) => timestamp.toDate());

/** Firestore's limit for the values of an `in` filter (https://firebase.google.com/docs/firestore/query-data/queries). */
export const VALUES_PER_FILTER = 30;

/** The process's firebase-admin app, made on first use. */
export const makeFirebaseApp = (projectId: string): (() => Promise<App>) =>
  lazy(async () => {
    const { getApps, initializeApp } = await import('firebase-admin/app');
    return getApps().find(({ name }) => name === APP_NAME) ?? initializeApp({ projectId }, APP_NAME);
  });

const APP_NAME = 'membership-sync';

/** The process's Firestore client, made on first use: loading it takes longer than everything else together. */
export const makeFirestoreClient = (app: () => Promise<App>): (() => Promise<Firestore>) =>
  lazy(async () => {
    const [{ getFirestore }, made] = await Promise.all([import('firebase-admin/firestore'), app()]);
    return getFirestore(made);
  });
