import { fileURLToPath } from 'node:url';
import { makeDatabase } from '../../../functions/src/adapters/postgres/make-database.ts';
import { type Migration, migrate, readMigrations } from '../../../functions/src/adapters/postgres/migrate.ts';
import type { DatabaseTarget } from '../../../functions/src/lib/setting-kinds.ts';

const FOLDER = fileURLToPath(new URL('../../../functions/src/adapters/postgres/migrations', import.meta.url));

/** Brings the schema of a database up to date, and returns what was applied now. */
export const migrateDatabase = async (target: DatabaseTarget): Promise<Migration[]> => {
  const database = makeDatabase({ target, maxConnections: 1 });
  try {
    return await migrate(database, await readMigrations(FOLDER));
  } finally {
    await database.close();
  }
};
