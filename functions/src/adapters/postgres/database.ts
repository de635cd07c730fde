import { type ErrorDetails, SyncError } from '../../lib/errors.ts';
import { type RetryClock, type RetryNotice, type RetryPolicy, withRetry } from '../../lib/retry.ts';

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
  /**
   * One statement in a transaction of its own, in which the server refuses every write. Beginning, statement and end travel together:
   * one round trip. Not retried.
   */
  readonly read: Query;
  close(): Promise<void>;
}

export type InCheckedTransaction = <T>(work: (query: Query) => Promise<T>) => Promise<T>;

/**
 * Short transactions on a schema that this code knows, made again by the table of codes; so `work` may run more than
 * once. They throw `database_*` and `schema_outdated`. The schema is asked for until it has once been new enough: migrations only
 * add, and a statement that meets an older one throws the same.
 */
export const makeCheckedTransactions = (
  database: Database,
  limits?: TransactionLimits & { readonly attempts?: number },
): InCheckedTransaction => {
  let isKnown = false;
  return (work) =>
    retried(
      () =>
        database.transaction(async (query) => {
          if (!isKnown) await assertSchema(query);
          isKnown = true;
          return work(query);
        }, limits),
      limits,
    );
};

/** Readings of one statement each, as `makeCheckedTransactions` makes transactions. */
export const makeCheckedReads = (database: Database): Query => {
  let isKnown = false;
  return (text, values) =>
    retried(async () => {
      if (!isKnown) await assertSchema(database.read);
      isKnown = true;
      return database.read(text, values);
    });
};

/** The number of the newest migration: what this code was written for. A test compares it with the files. */
export const SCHEMA_VERSION = 4;

/** Keys of advisory locks: any numbers, but no other program of this database may use them. */
export const MIGRATION_LOCK = 7_305_001;
export const SYNC_LOCK = 7_305_002;

/** The newest migration of the database; 0 when there is none. */
export const readSchemaVersion = async (query: Query): Promise<number> => {
  const [found] = await query<{ exists: boolean }>(
    `select to_regclass('public.schema_migrations') is not null as exists`,
  );
  if (found?.exists !== true) return 0;
  const [row] = await query<{ version: number | null }>(
    'select max(version) as version from public.schema_migrations',
  );
  return row?.version ?? 0;
};

/**
 * Throws `schema_outdated` when the database is older than this code. A newer one is taken: migrations only add, so
 * that the former version of the functions can be deployed again.
 */
export const assertSchema = async (query: Query): Promise<void> => {
  const version = await readSchemaVersion(query);
  if (version < SCHEMA_VERSION) throw outdated(version);
};

const outdated = (version: number): SyncError =>
  new SyncError(
    'schema_outdated',
    `The database has schema version ${version}; this code needs ${SCHEMA_VERSION}. Run npm run migrate.`,
    { details: { version, needed: SCHEMA_VERSION } },
  );

/** Short and often: the other transaction is done in moments. */
const AGAIN_SOON: RetryPolicy = { attempts: 5, baseDelayMs: 50, maxDelayMs: 2_000 };
/** The server restarts, fails over, or others hold all its connections. */
const AGAIN_LATER: RetryPolicy = { attempts: 4, baseDelayMs: 250, maxDelayMs: 5_000 };

/**
 * SQLSTATE codes after which the same transaction may succeed, and how it is tried again
 * (https://www.postgresql.org/docs/15/errcodes-appendix.html). Every other code is a refusal.
 */
export const RETRIED_STATES: Readonly<Record<string, RetryPolicy>> = {
  '40001': AGAIN_SOON, // serialization_failure
  '40P01': AGAIN_SOON, // deadlock_detected
  '55P03': AGAIN_SOON, // lock_not_available
  '57014': AGAIN_LATER, // query_canceled: a statement over its time limit
  '25P03': AGAIN_LATER, // idle_in_transaction_session_timeout
  '08000': AGAIN_LATER, // connection_exception
  '08001': AGAIN_LATER, // sqlclient_unable_to_establish_sqlconnection
  '08003': AGAIN_LATER, // connection_does_not_exist
  '08004': AGAIN_LATER, // sqlserver_rejected_establishment_of_sqlconnection
  '08006': AGAIN_LATER, // connection_failure
  '08P01': AGAIN_LATER, // protocol_violation: a pooler between us that restarts
  '53300': AGAIN_LATER, // too_many_connections
  '53400': AGAIN_LATER, // configuration_limit_exceeded
  '57P01': AGAIN_LATER, // admin_shutdown
  '57P02': AGAIN_LATER, // crash_shutdown
  '57P03': AGAIN_LATER, // cannot_connect_now
  '57P05': AGAIN_LATER, // idle_session_timeout
};

/** Refusals that an operator meets, with what to do. */
const REMEDIES: Readonly<Record<string, string>> = {
  '23503': 'A row of another table still points at the member. Let its service delete that row first.',
  '25006': 'The database is read-only. Point the connection at the primary, or end its read-only mode.',
  '28000': 'The database does not know this user. Create the IAM database user and grant it its roles.',
  '28P01': 'The password is wrong. Set DATABASE_URL anew.',
  '3D000': 'The database does not exist. Create it, or set DATABASE_NAME.',
  '42501': 'The user lacks a privilege. Grant it the roles of docs/deploy.md.',
  '53100': "The database's disk is full. Enlarge it.",
};

/** A table, column or function that is not there: the schema is not the one that this code was written for. */
const SCHEMA_STATES = new Set(['42P01', '42703', '42883', '3F000']);

const SQLSTATE = /^[0-9A-Z]{5}$/;

/**
 * Any error of the driver as a SyncError. Only its code is kept: PostgreSQL's messages quote values ("Key
 * (kennitala)=…"). An error without a code is a connection that was not made or was lost.
 */
export const databaseFailure = (what: string, cause: unknown): SyncError => {
  if (cause instanceof SyncError) return cause;
  const code = codeOf(cause);
  const details: ErrorDetails = code === null ? {} : { sqlState: code };
  if (code !== null && SQLSTATE.test(code) && RETRIED_STATES[code] === undefined) {
    if (SCHEMA_STATES.has(code)) {
      return new SyncError(
        'schema_outdated',
        `The database did not ${what}: its schema is not the one of this version (SQLSTATE ${code}). Run npm run migrate.`,
        { cause, details },
      );
    }
    const remedy = REMEDIES[code] ?? 'The runbook says what each SQLSTATE means.';
    return new SyncError('database_rejected', `The database did not ${what}: SQLSTATE ${code}. ${remedy}`, {
      cause,
      details,
    });
  }
  return new SyncError(
    'database_unavailable',
    `The database did not ${what}: ${code ?? 'the connection was lost or not made'}. Nothing is half written.`,
    { cause, details },
  );
};

/** How a failed transaction is tried again; null for one that is not. */
export const retryPolicyOf = (error: unknown): RetryPolicy | null => {
  if (!(error instanceof SyncError) || error.code !== 'database_unavailable') return null;
  return RETRIED_STATES[String(error.details['sqlState'])] ?? AGAIN_LATER;
};

const codeOf = (cause: unknown): string | null => {
  const code = (cause as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : null;
};

export interface RetriedOptions {
  readonly signal?: AbortSignal;
  /** At most so many tries, whatever the table of codes allows. */
  readonly attempts?: number;
  readonly clock?: RetryClock;
  readonly onRetry?: (notice: RetryNotice) => void;
}

/**
 * Runs a whole transaction, and again by the table of codes when it could not be made. `work` must begin a new
 * transaction each time.
 */
export const retried = <T>(
  work: () => Promise<T>,
  { attempts = Number.POSITIVE_INFINITY, ...options }: RetriedOptions = {},
): Promise<T> =>
  withRetry(work, {
    ...options,
    policy: (error) => {
      const policy = retryPolicyOf(error);
      return policy && { ...policy, attempts: Math.min(policy.attempts ?? attempts, attempts) };
    },
  });
