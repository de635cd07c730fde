import type { Timestamp } from 'firebase-admin/firestore';
import type { Database } from './database.ts';
import { assertStillReadable, type Transaction, toTimestamp } from './transactions.ts';
import type { V1Document, V1Timestamp, V1TransactionOptions } from './wire.ts';

/** How a request says what it reads: in a transaction, in one that it begins, at a time, or simply now. */
export interface ReadSelector {
  transaction?: Uint8Array | string | null;
  newTransaction?: V1TransactionOptions | null;
  readTime?: V1Timestamp | null;
}

/** What a request reads from. */
export interface Reader {
  transaction?: Transaction;
  /** The id to hand back when the request began the transaction. */
  startedId?: Buffer;
  /** Absent for a read of the present. */
  readTime?: Timestamp;
  read(path: string, fieldMask?: string[]): V1Document | undefined;
}

/** @param keys what the request reads: transactions that begin with the same key take turns */
export async function openReader(
  database: Database,
  selector: ReadSelector,
  keys: string[],
): Promise<Reader> {
  const { engine, transactions } = database;
  const existing = selector.transaction?.length ? transactions.get(selector.transaction) : undefined;
  const started = selector.newTransaction ? transactions.begin(selector.newTransaction) : undefined;
  const transaction = existing ?? started;
  if (transaction) {
    const reader: Reader = {
      transaction,
      readTime: await transaction.snapshot(keys),
      read: transaction.read,
    };
    if (started) reader.startedId = started.id;
    return reader;
  }
  if (!selector.readTime) return { read: (path, mask) => engine.read(path, undefined, mask) };
  const readTime = toTimestamp(selector.readTime);
  assertStillReadable(engine, readTime);
  return { readTime, read: (path, mask) => engine.read(path, readTime, mask) };
}

export function toProtoTimestamp(time: Timestamp): V1Timestamp {
  return { seconds: String(time.seconds), nanos: time.nanoseconds } as unknown as V1Timestamp;
}
