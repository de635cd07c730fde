import { status } from '@grpc/grpc-js';
import type { Engine } from './engine.ts';
import type { DocumentChange } from './events.ts';
import { invalid, parseResourceName, toServiceError } from './names.ts';
import type * as wire from './protocol.ts';
import { makeTransactions } from './transactions.ts';
import { applyWrites } from './writes.ts';

/** Told of the changes of one commit before its client has the answer. */
type ChangeSink = (changes: DocumentChange[], options: { triggers: boolean }) => void;

export type Database = ReturnType<typeof makeDatabase>;

/** The engine of `projects/p/databases/d`, its transactions, and the only way to write to it. */
export function makeDatabase(name: string, engine: Engine, sink: ChangeSink) {
  const transactions = makeTransactions(engine);

  const apply = (writes: wire.V1Write[], triggers = true): Promise<wire.CommitResponse> => {
    const { changes, response } = applyWrites(engine, name, writes);
    transactions.noteChanges(changes.map(({ path }) => path));
    if (changes.length > 0) sink(changes, { triggers });
    return response;
  };

  return {
    name,
    engine,
    transactions,
    /** All writes or none. @throws the codes of Cloud Firestore: 3, 5, 6, 9, and 10 for a transaction that must retry */
    async commit({ writes, transaction: id }: wire.CommitRequest) {
      if (!id?.length) {
        await transactions.waitForRetries(pathsOf(writes ?? []));
        return await apply(writes ?? []);
      }
      const transaction = transactions.get(id);
      if (transaction.isReadOnly && writes?.length) {
        throw invalid('Cannot modify entities in a read-only transaction.');
      }
      try {
        // No await may stand between this and the writes, or another commit comes between.
        if (writes?.length) transaction.assertReadsHold();
        return await apply(writes ?? []);
      } finally {
        transaction.finish();
      }
    },
    /** Each write for itself, in order; its refusal stands in `status`. */
    async batchWrite(writes: wire.V1Write[]): Promise<wire.BatchWriteResponse> {
      await transactions.waitForRetries(pathsOf(writes));
      const results = await Promise.allSettled(writes.map(async (write) => await apply([write])));
      return {
        writeResults: results.map((result) =>
          result.status === 'fulfilled' ? (result.value.writeResults?.[0] ?? {}) : {},
        ),
        status: results.map((result) =>
          result.status === 'fulfilled' ? { code: status.OK } : statusOf(result.reason),
        ),
      };
    },
    /** Deletes every document; listeners see it, triggers do not. */
    async clear() {
      const writes = engine.paths().map((path) => ({ delete: `${name}/documents/${path}` }));
      if (writes.length > 0) await apply(writes, false);
    },
  };
}

function pathsOf(writes: wire.V1Write[]): string[] {
  return writes.map((write) => parseResourceName(write.delete ?? write.update?.name).path);
}

function statusOf(reason: unknown): { code: number; message: string } {
  const { code, message } = toServiceError(reason);
  return { code, message };
}
