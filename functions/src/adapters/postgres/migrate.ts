import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SyncError } from '../../lib/errors.ts';
import type { DatabaseTarget } from '../../lib/setting-kinds.ts';
import { type Database, MIGRATION_LOCK, type Query } from './database.ts';
import { makeDatabase } from './make-database.ts';

export interface Migration {
  /** From 1, without gaps. */
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  /** SHA-256 (hex) of the file. */
  readonly checksum: string;
}

const FILE = /^(\d{4})_([a-z0-9_]+)\.sql$/;

/** The migrations of a folder, in order. Throws `config_invalid` for a gap or a file that is named otherwise. */
export const readMigrations = async (folder: string): Promise<Migration[]> => {
  const files = (await readdir(folder)).sort();
  return Promise.all(
    files.map(async (file, index) => {
      const [, number, name] = FILE.exec(file) ?? [];
      if (name === undefined || Number(number) !== index + 1) {
        throw new SyncError(
          'config_invalid',
          `${file} is not migration ${index + 1}: NNNN_name.sql, no gaps.`,
        );
      }
      const sql = await readFile(join(folder, file), 'utf8');
      return { version: index + 1, name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
};

/**
 * Brings the schema up to date and returns what was applied now. All pending migrations are one transaction under an
 * advisory lock: two at once are safe (the second finds nothing to do), and a failure leaves the schema as it was.
 *
 * Throws `schema_outdated` when a migration that had been applied differs from its file, or is unknown here: the files
 * are append-only.
 */
export const migrate = (database: Database, migrations: readonly Migration[]): Promise<Migration[]> =>
  database.transaction(
    async (query) => {
      await query('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
      await query(
        `create table if not exists public.schema_migrations (
           version integer primary key, name text not null, checksum char(64) not null,
           applied_at timestamptz not null default now())`,
      );
      const done = await appliedMigrations(query);
      for (const { version, checksum } of done) {
        const own = migrations[version - 1];
        if (own?.checksum !== checksum) {
          throw new SyncError(
            'schema_outdated',
            `Migration ${version} of the database is ${own === undefined ? 'not known here' : 'another one'}. ` +
              'Migrations are append-only: get the newest version of this project, and add a new file for a change.',
          );
        }
      }
      const pending = migrations.slice(done.length);
      for (const { version, name, sql, checksum } of pending) {
        await query(sql);
        await query('insert into public.schema_migrations (version, name, checksum) values ($1, $2, $3)', [
          version,
          name,
          checksum,
        ]);
      }
      return pending;
    },
    { statementMs: 600_000, lockMs: 60_000 },
  );

const appliedMigrations = (query: Query): Promise<{ version: number; checksum: string }[]> =>
  query('select version, checksum from public.schema_migrations order by version');

/** Brings the schema of a database up to date by this folder's migrations, and returns what was applied now. */
export const migrateDatabase = async (target: DatabaseTarget): Promise<Migration[]> => {
  const database = makeDatabase({ target, maxConnections: 1 });
  try {
    return await migrate(
      database,
      await readMigrations(fileURLToPath(new URL('./migrations', import.meta.url))),
    );
  } finally {
    await database.close();
  }
};
