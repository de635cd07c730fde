import { SyncError } from '../../lib/errors.ts';
import type { Query } from './database.ts';

/** The number of the newest migration: what this code was written for. A test compares it with the files. */
export const SCHEMA_VERSION = 3;

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
