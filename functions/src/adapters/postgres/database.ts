import { SyncError } from '../../lib/errors.ts';
import { retried } from './failures.ts';

/** One statement of a transaction. Values are always parameters; rows come as objects by column name. */
export type Query = <Row = Record<string, unknown>>(
  text: string,
  values?: readonly unknown[],
) => Promise<Row[]>;

export interface Transaction {
  readonly query: Query;
  /** Throws `database_unavailable` when the answer was lost: then it may have taken effect. */
  commit(): Promise<void>;
  /** Never throws: a transaction whose connection is gone has been rolled back by the server. */
  rollback(): Promise<void>;
}

export interface TransactionLimits {
  /** One statement. */
  readonly statementMs?: number;
  /** Waiting for another transaction's lock. */
  readonly lockMs?: number;
  /** The server ends a transaction whose client says nothing for so long, so that a dead run holds no lock. */
  readonly idleMs?: number;
}

/**
 * The database. Everything runs in explicit transactions, with limits that end with them: PGlite's socket server
 * multiplexes all its connections over one session, where a statement outside a transaction could be mixed up with
 * another connection's, and a setting would outlive its user.
 *
 * Every failure is SyncError `database_unavailable`, `database_rejected` or `schema_outdated`.
 */
export interface Database {
  begin(limits?: TransactionLimits): Promise<Transaction>;
  /** Commits what `work` did, or rolls it back when it throws. Not retried. */
  transaction<T>(work: (query: Query) => Promise<T>, limits?: TransactionLimits): Promise<T>;
  close(): Promise<void>;
}

export type InCheckedTransaction = <T>(work: (query: Query) => Promise<T>) => Promise<T>;

/**
 * Short transactions on a schema that this code knows, made again by the table of codes; so `work` may run more than
 * once. They throw `database_*` and `schema_outdated`.
 */
export const makeCheckedTransactions = (
  database: Database,
  limits?: TransactionLimits & { readonly attempts?: number },
): InCheckedTransaction => {
  // What was migrated once is asked for its version alone: a round trip less.
  let isMigrated = false;
  return (work) =>
    retried(
      () =>
        database.transaction(async (query) => {
          await assertSchema(query, isMigrated);
          isMigrated = true;
          return work(query);
        }, limits),
      limits,
    );
};

/** The number of the newest migration: what this code was written for. A test compares it with the files. */
export const SCHEMA_VERSION = 4;

/** Keys of advisory locks: any numbers, but no other program of this database may use them. */
export const MIGRATION_LOCK = 7_305_001;
export const SYNC_LOCK = 7_305_002;

/** The newest migration of the database; 0 when there is none. `isMigrated`: the table of migrations is there. */
export const readSchemaVersion = async (query: Query, isMigrated = false): Promise<number> => {
  if (!isMigrated) {
    const [found] = await query<{ exists: boolean }>(
      `select to_regclass('public.schema_migrations') is not null as exists`,
    );
    if (found?.exists !== true) return 0;
  }
  const [row] = await query<{ version: number | null }>(
    'select max(version) as version from public.schema_migrations',
  );
  return row?.version ?? 0;
};

/**
 * Throws `schema_outdated` when the database is older than this code. A newer one is taken: migrations only add, so
 * that the former version of the functions can be deployed again.
 */
export const assertSchema = async (query: Query, isMigrated = false): Promise<void> => {
  const version = await readSchemaVersion(query, isMigrated);
  if (version < SCHEMA_VERSION) throw outdated(version);
};

const outdated = (version: number): SyncError =>
  new SyncError(
    'schema_outdated',
    `The database has schema version ${version}; this code needs ${SCHEMA_VERSION}. Run npm run migrate.`,
    { details: { version, needed: SCHEMA_VERSION } },
  );
