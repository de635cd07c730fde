import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { type LocalPostgres, startPostgres } from '../../../../local/src/postgres/start-postgres.ts';
import { migrateDatabase } from '../../../src/adapters/postgres/migrate.ts';
import { pgliteSnapshot } from './pglite-snapshot.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Of the PostgreSQL 15 that `npm run test:postgres` makes; missing in `npm test`, which uses PGlite. */
    postgresUrl?: string;
  }
}

export interface TestDatabase {
  readonly url: string;
  /** One statement by a client of its own. */
  readonly sql: <Row = Record<string, unknown>>(text: string, values?: readonly unknown[]) => Promise<Row[]>;
  readonly close: () => Promise<void>;
}

export interface MemberRow {
  readonly id: number;
  readonly kennitala: string;
  readonly name: string;
  readonly email: string | null;
  readonly phone: string | null;
  readonly is_active: boolean;
  readonly added_at: Date;
  readonly removed_at: Date | null;
  readonly sync_source: string;
  readonly external_id: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly last_verified_at: Date | null;
}

export interface SyncLogRow {
  readonly id: number;
  readonly sync_type: string;
  readonly sync_timestamp: Date;
  readonly members_added: number;
  readonly members_removed: number;
  readonly members_verified: number;
  readonly error_count: number;
  readonly details: Readonly<Record<string, unknown>>;
  readonly status: string;
}

let pglite: Promise<LocalPostgres> | undefined;

/**
 * Starting PGlite takes seconds, so a process has one, until it ends, and each test an empty schema. No hook closes it: files
 * that share a process share this module too, and a hook would be the first file's alone.
 */
const emptyPglite = async () => {
  pglite ??= pgliteSnapshot().then((loadDataDir) => startPostgres({ port: 0, loadDataDir }));
  const { url } = await pglite;
  await administer(url, 'drop schema if exists public cascade; create schema public');
  return { url, close: async () => undefined };
};

/** A fresh database, on PGlite or on PostgreSQL 15. */
export const startDatabase = async ({ isMigrated = true } = {}): Promise<TestDatabase> => {
  const server = inject('postgresUrl');
  const database = server === undefined ? await emptyPglite() : await createDatabase(server);
  if (isMigrated) await migrateDatabase({ kind: 'url', url: database.url });
  return {
    url: database.url,
    sql: async <Row>(text: string, values: readonly unknown[] = []) => {
      const client = new pg.Client(database.url);
      await client.connect();
      try {
        await client.query('begin');
        const { rows } = await client.query(text, [...values]);
        await client.query('commit');
        return rows as Row[];
      } catch (error) {
        await client.query('rollback');
        throw error;
      } finally {
        await client.end();
      }
    },
    close: database.close,
  };
};

const createDatabase = async (server: string) => {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await administer(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, close: () => administer(server, `drop database ${name} with (force)`) };
};

const administer = async (server: string, statement: string): Promise<void> => {
  const client = new pg.Client(server);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
};
