import { status } from '@grpc/grpc-js';
import { applyWrites } from './apply-writes.ts';
import type { DocumentChange } from './document-change.ts';
import type { Engine } from './engine.ts';
import { parseResourceName } from './resource-name.ts';
import { RpcError } from './rpc-error.ts';
import { makeTransactions, type Transactions } from './transactions.ts';
import type { BatchWriteResponse, CommitRequest, CommitResponse, V1Write } from './wire.ts';

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
export type ChangeSink = (changes: DocumentChange[], options: { triggers: boolean }) => void;

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
