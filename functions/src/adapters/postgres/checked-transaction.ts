import type { Database, Query, TransactionLimits } from './database.ts';
import { retried } from './retried.ts';
import { assertSchema } from './schema-version.ts';

export type InCheckedTransaction = <T>(work: (query: Query) => Promise<T>) => Promise<T>;

/**
 * Short transactions on a schema that this code knows, made again by the table of codes; so `work` may run more than
 * once. They throw `database_*` and `schema_outdated`.
 */
export const makeCheckedTransactions =
  (database: Database, limits?: TransactionLimits & { readonly attempts?: number }): InCheckedTransaction =>
  (work) =>
    retried(
      () =>
        database.transaction(async (query) => {
          await assertSchema(query);
          return work(query);
        }, limits),
      limits,
    );
