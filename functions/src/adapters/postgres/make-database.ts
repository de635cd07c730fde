import type { Pool, PoolClient, PoolConfig } from 'pg';
import { lazy } from '../../lib/concurrency.ts';
import { SyncError } from '../../lib/errors.ts';
import type { DatabaseTarget } from '../../lib/setting-kinds.ts';
import {
  type Database,
  databaseFailure,
  type Query,
  type Transaction,
  type TransactionLimits,
} from './database.ts';

export interface DatabaseOptions {
  readonly target: DatabaseTarget;
  /** A process of ours runs one sync and answers a few requests; Cloud SQL's smallest instance takes 25 in all. */
  readonly maxConnections?: number;
  readonly connectTimeoutMs?: number;
  /** After which our own clock gives a statement up: the server's limits need a server that is awake. */
  readonly answerTimeoutMs?: number;
}

const DEFAULT_LIMITS: Required<TransactionLimits> = {
  statementMs: 30_000,
  lockMs: 10_000,
  idleMs: 60_000,
};

interface Open {
  readonly pool: Pool;
  readonly connection: Connection;
}

/** PostgreSQL through `pg`. Nothing is loaded or opened before the first transaction. */
export const makeDatabase = ({
  target,
  maxConnections = 4,
  connectTimeoutMs = 10_000,
  answerTimeoutMs,
}: DatabaseOptions): Database => {
  let opened: Open | undefined;
  const open = lazy(async (): Promise<Pool> => {
    const [{ default: pg }, connection] = await Promise.all([import('pg'), openConnection(target)]);
    const pool = new pg.Pool({
      ...connection.config,
      max: maxConnections,
      connectionTimeoutMillis: connectTimeoutMs,
      ...(answerTimeoutMs !== undefined && { query_timeout: answerTimeoutMs }),
      idleTimeoutMillis: 30_000,
      application_name: 'membership-sync',
      // A statement is sent when it is given, and not when the one before it has been answered.
      pipeline: true,
    });
    // A connection that breaks while nobody uses it is replaced; without a listener it would end the process.
    pool.on('error', () => undefined);
    opened = { pool, connection };
    return pool;
  });

  const take = async (): Promise<PoolClient> => {
    try {
      return await (await open()).connect();
    } catch (cause) {
      throw databaseFailure('take a connection', cause);
    }
  };

  const begin = async (limits: TransactionLimits = {}): Promise<Transaction> => {
    const client = await take();
    const transaction = makeTransaction(client);
    try {
      await client.query(beginningOf('begin', { ...DEFAULT_LIMITS, ...limits }));
    } catch (cause) {
      await transaction.rollback();
      throw databaseFailure('begin a transaction', cause);
    }
    return transaction;
  };

  return {
    begin,
    transaction: async (work, limits) => {
      const transaction = await begin(limits);
      try {
        const result = await work(transaction.query);
        await transaction.commit();
        return result;
      } catch (cause) {
        await transaction.rollback();
        throw cause;
      }
    },
    read: async (text, values) => readOnce(await take(), text, values),
    close: async () => {
      await opened?.pool.end();
      opened?.connection.close();
      opened = undefined;
    },
  };
};

const beginningOf = (
  begin: 'begin' | 'begin read only',
  { statementMs, lockMs, idleMs }: Required<TransactionLimits>,
): string =>
  [
    begin,
    `set local statement_timeout = ${statementMs}`,
    `set local lock_timeout = ${lockMs}`,
    `set local idle_in_transaction_session_timeout = ${idleMs}`,
    `set local timezone = 'UTC'`,
  ].join('; ');

const BEGIN_READING = beginningOf('begin read only', DEFAULT_LIMITS);

/** The statement between its transaction's beginning and end, all in one write. Nobody waits for the end: it can lose nothing. */
const readOnce = async <Row>(
  client: PoolClient,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> => {
  // The three statements are told of a connection that breaks; without a listener it would end the process.
  const ignore = (): void => undefined;
  client.on('error', ignore);
  const { stream } = client.connection;
  stream.cork();
  const began = client.query(BEGIN_READING);
  const answered = client.query(text, [...values]);
  const ended = client.query('commit');
  stream.uncork();
  void Promise.allSettled([began, answered, ended]).then(([first, , last]) => {
    client.off('error', ignore);
    client.release(first.status === 'rejected' || last.status === 'rejected');
  });
  try {
    await began;
  } catch (cause) {
    throw databaseFailure('begin a transaction', cause);
  }
  try {
    return (await answered).rows as Row[];
  } catch (cause) {
    throw databaseFailure('carry out a statement', cause);
  }
};

const makeTransaction = (client: PoolClient): Transaction => {
  let isOver = false;
  let broken: Error | undefined;
  const onError = (error: Error): void => {
    broken = error;
  };
  client.on('error', onError);

  const release = (): void => {
    isOver = true;
    client.off('error', onError);
    client.release(broken);
  };
  const query: Query = async <Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> => {
    try {
      return (await client.query(text, [...values])).rows as Row[];
    } catch (cause) {
      throw databaseFailure('carry out a statement', cause);
    }
  };
  return {
    query,
    commit: async () => {
      try {
        await client.query('commit');
      } catch (cause) {
        broken ??= new Error('The commit was not answered.');
        throw databaseFailure('confirm the commit', cause);
      } finally {
        release();
      }
    },
    rollback: async () => {
      if (isOver) return;
      try {
        await client.query('rollback');
      } catch {
        broken ??= new Error('The rollback was not answered.');
      } finally {
        release();
      }
    },
  };
};

export interface Connection {
  readonly config: PoolConfig;
  /** Ends what keeps the connection's certificates fresh. */
  readonly close: () => void;
}

/**
 * The driver's settings for a target. The connector holds no password: it logs in with a token of the process's own
 * identity, over TLS that it verifies itself, and renews both while it is open.
 */
const openConnection = async (target: DatabaseTarget): Promise<Connection> => {
  if (target.kind === 'url') {
    const url = URL.parse(target.url);
    if (url === null || !['postgres:', 'postgresql:'].includes(url.protocol)) {
      throw new SyncError('config_invalid', 'DATABASE_URL: allowed is postgres://user@host:port/database');
    }
    return { config: { connectionString: target.url }, close: () => undefined };
  }
  const user = target.user ?? (await readOwnUser());
  const { AuthTypes, Connector, IpAddressTypes } = await import('@google-cloud/cloud-sql-connector');
  const connector = new Connector();
  try {
    const options = await connector.getOptions({
      instanceConnectionName: target.instance,
      authType: AuthTypes.IAM,
      ipType: IpAddressTypes[target.ipType],
    });
    return {
      config: { ...options, user, database: target.database },
      close: () => connector.close(),
    };
  } catch (cause) {
    connector.close();
    throw new SyncError(
      'database_unavailable',
      'Cloud SQL did not answer how the instance is reached. Check CLOUD_SQL_INSTANCE, that the Cloud SQL Admin API ' +
        'is on, and that the service account has the role Cloud SQL Client.',
      { cause },
    );
  }
};

const SUFFIX = '.gserviceaccount.com';

/**
 * The IAM database user that this process can log in as: its own service account, by Cloud SQL's rule without
 * `.gserviceaccount.com` (https://cloud.google.com/sql/docs/postgres/iam-authentication). Each group of functions has an
 * account of its own, so one name in the settings could not serve them all.
 * @throws SyncError `config_invalid` where the process runs as a person, `database_unavailable` when nobody answers who
 *   it is.
 */
export const readOwnUser = async (): Promise<string> => {
  const { GoogleAuth } = await import('google-auth-library');
  let email: string | undefined;
  try {
    email = (await new GoogleAuth().getCredentials()).client_email;
  } catch (cause) {
    throw new SyncError(
      'database_unavailable',
      'The metadata server did not answer which service account this is.',
      { cause },
    );
  }
  if (email?.endsWith(SUFFIX) !== true) {
    throw new SyncError(
      'config_invalid',
      'DATABASE_USER: this process has no service account of its own. Set the IAM database user to log in as.',
    );
  }
  return email.slice(0, -SUFFIX.length);
};
