import { z } from 'zod';
import { migrateDatabase } from '../../functions/src/adapters/postgres/migrate.ts';
import { isSyncError } from '../../functions/src/lib/errors.ts';
import type { DatabaseTarget } from '../../functions/src/lib/setting-kinds.ts';

const HELP = `npm run migrate brings the register's schema up to date. It reads

  DATABASE_URL                 postgres://user:password@host:port/database, or
  CLOUD_SQL_INSTANCE           project:region:instance
  DATABASE_USER                the IAM user; a service account without .gserviceaccount.com
  DATABASE_NAME                (members)
  CLOUD_SQL_IP_TYPE            PUBLIC (default), PRIVATE or PSC

The user must own the schema: it creates tables. It is safe to run twice, and twice at once.`;

const settings = z.union([
  z
    .object({
      CLOUD_SQL_INSTANCE: z.string().min(1),
      DATABASE_USER: z.string().min(1),
      DATABASE_NAME: z.string().min(1).default('members'),
      CLOUD_SQL_IP_TYPE: z.enum(['PUBLIC', 'PRIVATE', 'PSC']).default('PUBLIC'),
    })
    .transform(
      (read): DatabaseTarget => ({
        kind: 'cloud-sql',
        instance: read.CLOUD_SQL_INSTANCE,
        user: read.DATABASE_USER,
        database: read.DATABASE_NAME,
        ipType: read.CLOUD_SQL_IP_TYPE,
      }),
    ),
  z
    .object({ DATABASE_URL: z.string().min(1) })
    .transform((read): DatabaseTarget => ({ kind: 'url', url: read.DATABASE_URL })),
]);

const main = async (): Promise<number> => {
  const read = settings.safeParse(process.env);
  if (process.argv.includes('--help') || !read.success) {
    console.log(HELP);
    return read.success || process.argv.includes('--help') ? 0 : 1;
  }
  try {
    const applied = await migrateDatabase(read.data);
    for (const { version, name } of applied) console.log(`applied ${version} ${name}`);
    if (applied.length === 0) console.log('The schema is up to date.');
    return 0;
  } catch (error) {
    if (!isSyncError(error)) throw error;
    console.error(error.message);
    return 1;
  }
};

process.exitCode = await main();
