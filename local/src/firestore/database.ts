import { FirestoreMock } from '@firebase-bridge/firestore-admin';
import { status } from '@grpc/grpc-js';
import { type Engine, makeEngine } from './engine.ts';
import type { DocumentChange } from './events.ts';
import { parseResourceName, RpcError } from './names.ts';
import type { BatchWriteResponse, CommitRequest, CommitResponse, V1Write } from './protocol.ts';
import { makeTransactions, type Transactions } from './transactions.ts';
import { applyWrites } from './writes.ts';

/** One `projects/p/databases/d`: the engine, its transactions, and the only way to write to it. */
export interface Database {
  readonly name: string;
  readonly engine: Engine;
  readonly transactions: Transactions;
  /** All writes or none. @throws the codes of Cloud Firestore: 3, 5, 6, 9, and 10 for a transaction that must retry */
  commit(request: CommitRequest): Promise<CommitResponse>;
  /** Each write for itself, in order; its refusal stands in `status`. */
  batchWrite(writes: V1Write[]): Promise<BatchWriteResponse>;
  /** Deletes every document; listeners see it, triggers do not. */
  clear(): Promise<void>;
}

/** Told of the changes of one commit before its client has the answer. */
type ChangeSink = (changes: DocumentChange[], options: { triggers: boolean }) => void;

export function makeDatabase(name: string, engine: Engine, sink: ChangeSink): Database {
  const transactions = makeTransactions(engine);

  const apply = (writes: V1Write[], triggers = true): Promise<CommitResponse> => {
    const { changes, response } = applyWrites(engine, name, writes);
    transactions.noteChanges(changes.map(({ path }) => path));
    if (changes.length > 0) sink(changes, { triggers });
    return response;
  };

  return {
    name,
    engine,
    transactions,
    async commit({ writes, transaction: id }) {
      if (!id?.length) {
        await transactions.waitForRetries(pathsOf(writes ?? []));
        return await apply(writes ?? []);
      }
      const transaction = transactions.get(id);
      if (transaction.isReadOnly && writes?.length) {
        throw new RpcError(status.INVALID_ARGUMENT, 'Cannot modify entities in a read-only transaction.');
      }
      try {
        if (writes?.length) {
          // No await may stand between the last check and the writes, or another commit comes between.
          while (!transaction.queriesHold()) await transaction.recheckQueries();
          transaction.assertReadsHold();
        }
        return await apply(writes ?? []);
      } finally {
        transaction.finish();
      }
    },
    async batchWrite(writes) {
      await transactions.waitForRetries(pathsOf(writes));
      const results = await Promise.allSettled(writes.map(async (write) => await apply([write])));
      return {
        writeResults: results.map((result) =>
          result.status === 'fulfilled' ? (result.value.writeResults?.[0] ?? {}) : {},
        ),
        status: results.map((result) =>
          result.status === 'fulfilled' ? { code: status.OK } : toStatus(result.reason),
        ),
      };
    },
    async clear() {
      const writes = engine.paths().map((path) => ({ delete: `${name}/documents/${path}` }));
      if (writes.length > 0) await apply(writes, false);
    },
  };
}

function pathsOf(writes: V1Write[]): string[] {
  return writes.map((write) => parseResourceName(write.delete ?? write.update?.name).path);
}

function toStatus(reason: unknown): { code: number; message: string } {
  const code = reason instanceof Error && 'code' in reason ? Number(reason.code) : status.INTERNAL;
  return { code, message: reason instanceof Error ? reason.message : 'unknown' };
}

/** Every database of every project; one is made when it is first named. */
interface Databases {
  /** @throws RpcError INVALID_ARGUMENT (3) for a name that names no database */
  find(name: string | null | undefined): Database;
  all(): Database[];
  close(): Promise<void>;
}

export function makeDatabases(sink: ChangeSink): Databases {
  const mock = new FirestoreMock();
  const databases = new Map<string, Database>();
  return {
    find(name) {
      const id = parseResourceName(name).database;
      const known = databases.get(id);
      if (known) return known;
      const database = makeDatabase(id, makeEngine(mock, id), sink);
      databases.set(id, database);
      return database;
    },
    all: () => [...databases.values()],
    async close() {
      await Promise.all([...databases.values()].map(({ engine }) => engine.close()));
      mock.deleteAll();
    },
  };
}
