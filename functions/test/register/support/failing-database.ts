import type { Database, Transaction } from '../../../src/adapters/postgres/database.ts';

export interface FailingDatabase extends Database {
  /** Every statement and commit that passed, in order, as its first words. */
  readonly seen: string[];
  /** Called before each; what it throws is what the caller sees. */
  onStatement: (text: string, ordinal: number) => void | Promise<void>;
  /** Called when a commit took effect, before its caller learns of it. */
  afterCommit: () => void;
}

/** A database whose statements a test may watch, hold up or fail. */
export const makeFailingDatabase = (database: Database): FailingDatabase => {
  const watch = async (text: string): Promise<void> => {
    const words = text.trim().split(/\s+/).slice(0, 4).join(' ');
    await failing.onStatement(text, failing.seen.length + 1);
    failing.seen.push(words);
  };
  const wrap = (transaction: Transaction): Transaction => ({
    query: async (text, values) => {
      await watch(text);
      return transaction.query(text, values);
    },
    commit: async () => {
      try {
        await watch('commit');
      } catch (cause) {
        // The server rolls back what a lost connection leaves behind.
        await transaction.rollback();
        throw cause;
      }
      await transaction.commit();
      failing.afterCommit();
    },
    rollback: transaction.rollback,
  });
  const failing: FailingDatabase = {
    seen: [],
    onStatement: () => undefined,
    afterCommit: () => undefined,
    begin: async (limits) => wrap(await database.begin(limits)),
    transaction: async (work, limits) => {
      const transaction = wrap(await database.begin(limits));
      try {
        const result = await work(transaction.query);
        await transaction.commit();
        return result;
      } catch (cause) {
        await transaction.rollback();
        throw cause;
      }
    },
    read: async (text, values) => {
      await watch(text);
      return database.read(text, values);
    },
    close: database.close,
  };
  return failing;
};
