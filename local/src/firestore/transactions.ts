import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { status } from '@grpc/grpc-js';
import { Timestamp } from 'firebase-admin/firestore';
import { type Engine, HISTORY_MILLIS } from './engine.ts';
import { invalid, RpcError } from './names.ts';
import type * as wire from './protocol.ts';

/** Cloud Firestore, "Quotas and limits": a transaction ends after 270 s, or after 60 s of idleness. */
const LIFETIME_MILLIS = 270_000;
const IDLE_MILLIS = 60_000;
/** How long a write waits for a transaction that tries again; then the transaction is given up. */
const LOCK_MILLIS = 10_000;

/** A query that a transaction has read, so that its commit can tell whether the answer still holds. */
interface QueryRead {
  /** The id of the collections that were searched, or '' for all. */
  readonly collectionId: string;
  readonly names: readonly string[];
  /** The names that the same query finds now. */
  readonly namesNow: () => readonly string[];
}

export type Transaction = ReturnType<ReturnType<typeof makeTransactions>['begin']>;

export function makeTransactions(engine: Engine) {
  const takeTurn = makeTurns();
  const collectionChangedAt = new Map<string, number>();

  /**
   * A transaction reads one snapshot, taken at its first read. It is optimistic: its commit is refused with ABORTED (10)
   * when anything that it read has changed since, and the client library then tries again.
   */
  const make = (options: wire.V1TransactionOptions | null | undefined) => {
    const id = randomBytes(16);
    const isReadOnly = Boolean(options?.readOnly);
    const pinned = options?.readOnly?.readTime;
    const finished = Promise.withResolvers<void>();
    const paths = new Set<string>();
    const queries: QueryRead[] = [];
    let readTime: Timestamp | undefined;
    let opening: Promise<Timestamp> | undefined;

    const takeSnapshot = async (keys: string[]): Promise<Timestamp> => {
      if (!isReadOnly) await takeTurn(keys, finished.promise);
      readTime = pinned ? toTimestamp(pinned) : engine.clock.fence();
      return readTime;
    };

    return {
      id,
      isReadOnly,
      /** Whether it tries again and has read the document. */
      holdsUp: (path: string) => Boolean(options?.readWrite?.retryTransaction?.length) && paths.has(path),
      ended: finished.promise,
      createdAt: Date.now(),
      usedAt: Date.now(),
      /** Takes the snapshot, or returns the one taken. The keys say what the first read is about. */
      snapshot(keys: string[]): Promise<Timestamp> {
        opening ??= takeSnapshot(keys);
        return opening;
      },
      /** @throws RpcError ABORTED (10) when the document has changed since the snapshot */
      read(path: string, fieldMask?: string[]): wire.V1Document | undefined {
        const at = readTime ?? engine.clock.fence();
        const isOld = toMicros(engine.changedAt(path)) > toMicros(at);
        // Reading on could only end in a refused commit, and would show the caller two versions of the data.
        if (isOld && !isReadOnly) throw conflict();
        if (isOld) assertStillReadable(engine, at);
        paths.add(path);
        return engine.read(path, at, fieldMask);
      },
      addQuery: (query: QueryRead) => void queries.push(query),
      /** @throws RpcError ABORTED (10) when a document that was read has changed, or a query finds others than it did */
      assertReadsHold(): void {
        if (!readTime) return;
        const snapshot = toMicros(readTime);
        const isChanged =
          [...paths].some((path) => toMicros(engine.changedAt(path)) > snapshot) ||
          queries.some(
            ({ collectionId, names, namesNow }) =>
              (collectionChangedAt.get(collectionId) ?? 0) > snapshot &&
              !isDeepStrictEqual(namesNow(), names),
          );
        if (isChanged) throw conflict();
      },
      finish(): void {
        open.delete(id.toString('hex'));
        finished.resolve();
      },
    };
  };
  const open = new Map<string, ReturnType<typeof make>>();

  return {
    begin(options: wire.V1TransactionOptions | null | undefined) {
      for (const transaction of open.values()) if (isOver(transaction)) transaction.finish();
      const transaction = make(options);
      open.set(transaction.id.toString('hex'), transaction);
      return transaction;
    },
    /**
     * Waits for the transactions that try again and have read one of these documents: writes that never wait could make
     * every try fail. A first try holds nobody up, and loses to a write that comes between.
     */
    async waitForRetries(paths: readonly string[]): Promise<void> {
      for (const transaction of open.values()) {
        if (!paths.some(transaction.holdsUp)) continue;
        const patience = setTimeout(transaction.finish, LOCK_MILLIS);
        await transaction.ended;
        clearTimeout(patience);
      }
    },
    /** @throws RpcError INVALID_ARGUMENT (3) for an unknown id or one that has ended */
    get(id: Uint8Array | string) {
      const transaction = open.get(Buffer.from(id as Uint8Array).toString('hex'));
      if (!transaction || isOver(transaction)) {
        transaction?.finish();
        throw invalid('The referenced transaction has expired or is no longer valid.');
      }
      transaction.usedAt = Date.now();
      return transaction;
    },
    /** Remembers when the collections of these documents changed. */
    noteChanges(changed: readonly string[]): void {
      const now = toMicros(engine.clock.now());
      for (const path of changed) collectionChangedAt.set(path.split('/').at(-2) ?? '', now);
      if (changed.length > 0) collectionChangedAt.set('', now);
    },
  };
}

export function toTimestamp(time: { seconds?: unknown; nanos?: number | null }): Timestamp {
  return new Timestamp(Number(time.seconds ?? 0), time.nanos ?? 0);
}

/** The engine would answer that the document does not exist. */
export function assertStillReadable(engine: Engine, readTime: Timestamp): void {
  if (engine.clock.now().toMillis() - readTime.toMillis() < HISTORY_MILLIS) return;
  throw new RpcError(
    status.FAILED_PRECONDITION,
    'The requested read time is too old: this server keeps a minute.',
  );
}

function isOver({ createdAt, usedAt }: { createdAt: number; usedAt: number }): boolean {
  return Date.now() - createdAt > LIFETIME_MILLIS || Date.now() - usedAt > IDLE_MILLIS;
}

function toMicros(time: Timestamp): number {
  return time.seconds * 1_000_000 + time.nanoseconds / 1000;
}

function conflict(): RpcError {
  return new RpcError(
    status.ABORTED,
    'Aborted due to cross-transaction contention: what this transaction has read was changed. Try again.',
  );
}

/** How long a transaction waits for the one before it; longer than any healthy transaction of a test or a demo. */
const TURN_MILLIS = 1000;

/**
 * Lets read-write transactions that begin with the same documents take turns, as the locks of Cloud Firestore's
 * standard edition do. It only saves retries: whether a transaction may commit is decided by what it read.
 * A transaction queues once, for its first read, so two of them can never wait for each other.
 */
export function makeTurns() {
  const last = new Map<string, Promise<void>>();

  /** Resolves when those before it have finished, or after a second; `finished` is the caller's own end. */
  return async function takeTurn(keys: string[], finished: Promise<void>): Promise<void> {
    const others = keys.flatMap((key) => last.get(key) ?? []);
    for (const key of keys) {
      last.set(key, finished);
      void finished.then(() => {
        if (last.get(key) === finished) last.delete(key);
      });
    }
    if (others.length === 0) return;
    const patience = Promise.withResolvers<void>();
    const timer = setTimeout(patience.resolve, TURN_MILLIS);
    await Promise.race([Promise.all(others), patience.promise]);
    clearTimeout(timer);
  };
}
