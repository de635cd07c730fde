import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { migrateDatabase } from '../../functions/src/adapters/postgres/migrate.ts';
import { makeCluster } from '../../functions/test/register/support/cluster.ts';

/** What the server says that a piece of work cost it. */
export interface ServerCost {
  readonly walBytes: number;
  /** Rows of public.members that were inserted, updated or deleted. */
  readonly rowsWritten: number;
  readonly deadTuples: number;
}

export interface BenchServer {
  /** A fresh, migrated database. */
  readonly createDatabase: () => Promise<{ readonly url: string; readonly drop: () => Promise<void> }>;
  readonly measure: (url: string, work: () => Promise<void>) => Promise<ServerCost>;
  readonly close: () => Promise<void>;
}

/** PostgreSQL 15 of our own, with a production server's durability: what the disk costs counts for both sides. */
export const startServer = async (): Promise<BenchServer> => {
  const cluster = await makeCluster([
    'fsync=on',
    'autovacuum=off',
    'shared_buffers=256MB',
    'max_wal_size=4GB',
  ]);
  let databases = 0;
  const administer = (statement: string) => one(cluster.url, statement);
  return {
    createDatabase: async () => {
      databases += 1;
      const name = `bench_${databases}`;
      await administer(`create database ${name}`);
      const url = cluster.url.replace(/postgres$/, name);
      await migrateDatabase({ kind: 'url', url });
      return {
        url,
        drop: async () => {
          await administer(`drop database ${name} with (force)`);
        },
      };
    },
    measure: async (url, work) => {
      const before = await readCost(url);
      await work();
      const after = await readCost(url);
      return {
        walBytes: after.walBytes - before.walBytes,
        rowsWritten: after.rowsWritten - before.rowsWritten,
        deadTuples: after.deadTuples - before.deadTuples,
      };
    },
    close: cluster.drop,
  };
};

const readCost = async (url: string): Promise<ServerCost> => {
  const client = new pg.Client(url);
  await client.connect();
  try {
    // A session's counts reach the statistics when it ends, and it ends after its client has.
    for (;;) {
      const { rows } = await client.query(
        `select 1 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
      );
      if (rows.length === 0) break;
      await delay(10);
    }
    await client.query('select pg_stat_clear_snapshot()');
    const { rows } = await client.query(
      `select pg_current_wal_insert_lsn() - '0/0'::pg_lsn as wal,
              n_tup_ins + n_tup_upd + n_tup_del as written, n_dead_tup as dead
         from pg_stat_user_tables where relname = 'members'`,
    );
    const [{ wal, written, dead }] = rows;
    return { walBytes: Number(wal), rowsWritten: Number(written), deadTuples: Number(dead) };
  } finally {
    await client.end();
  }
};

const one = async (url: string, statement: string): Promise<void> => {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
};
