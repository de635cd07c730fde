import type { Pool, PoolClient } from 'pg';
import { lazy } from '../../lib/lazy.ts';
import type { DatabaseTarget } from '../../lib/setting-kinds.ts';
import { type Connection, openConnection } from './connect.ts';
import type { Database, Query, Transaction, TransactionLimits } from './database.ts';
import { databaseFailure } from './failures.ts';

export interface DatabaseOptions {
  readonly target: DatabaseTarget;
  /** A process of ours runs one sync and answers a few requests; Cloud SQL's smallest instance takes 25 in all. */
  readonly maxConnections?: number;
  readonly connectTimeoutMs?: number;
  /** After which our own clock gives a statement up: the server's limits need a server that is awake. */
  readonly answerTimeoutMs?: number;
}

const DEFAULT_LIMITS: Required<TransactionLimits> = { statementMs: 30_000, lockMs: 10_000, idleMs: 60_000 };

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
    });
    // A connection that breaks while nobody uses it is replaced; without a listener it would end the process.
    pool.on('error', () => undefined);
    opened = { pool, connection };
    return pool;
  });

  const begin = async (limits: TransactionLimits = {}): Promise<Transaction> => {
    let client: PoolClient;
    try {
      client = await (await open()).connect();
    } catch (cause) {
      throw databaseFailure('take a connection', cause);
    }
    const transaction = makeTransaction(client);
    try {
      await client.query(`begin; ${settingsOf({ ...DEFAULT_LIMITS, ...limits })}`);
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
    close: async () => {
      await opened?.pool.end();
      opened?.connection.close();
      opened = undefined;
    },
  };
};

const settingsOf = ({ statementMs, lockMs, idleMs }: Required<TransactionLimits>): string =>
  [
    `set local statement_timeout = ${statementMs}`,
    `set local lock_timeout = ${lockMs}`,
    `set local idle_in_transaction_session_timeout = ${idleMs}`,
    `set local timezone = 'UTC'`,
  ].join('; ');

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
