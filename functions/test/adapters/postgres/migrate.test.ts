import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Database, SCHEMA_VERSION } from '../../../src/adapters/postgres/database.ts';
import { makeDatabase } from '../../../src/adapters/postgres/make-database.ts';
import { migrate, readMigrations } from '../../../src/adapters/postgres/migrate.ts';
import { makeRegisterStore } from '../../../src/adapters/postgres/register-store.ts';
import { startDatabase, type TestDatabase } from '../../register/support/test-database.ts';

const FOLDER = fileURLToPath(new URL('../../../src/adapters/postgres/migrations', import.meta.url));

let postgres: TestDatabase;
let database: Database;
beforeEach(async () => {
  postgres = await startDatabase({ isMigrated: false });
  database = makeDatabase({ target: { kind: 'url', url: postgres.url } });
});
afterEach(async () => {
  await database.close();
  await postgres.close();
});

describe('the migrations', () => {
  it('end at the version that the code needs', async () => {
    expect((await readMigrations(FOLDER)).at(-1)?.version).toBe(SCHEMA_VERSION);
  });

  it('are applied once, however often they are run', async () => {
    const migrations = await readMigrations(FOLDER);
    expect(await migrate(database, migrations)).toEqual(migrations);
    expect(await migrate(database, migrations)).toEqual([]);
    await makeRegisterStore(database).assertSchema();
  });

  it('may be run twice at once', async () => {
    const migrations = await readMigrations(FOLDER);
    const both = await Promise.all([migrate(database, migrations), migrate(database, migrations)]);
    expect(both.map((applied) => applied.length).sort()).toEqual([0, migrations.length]);
  });

  it('leave nothing of a set whose last one fails', async () => {
    const migrations = await readMigrations(FOLDER);
    const broken = {
      version: migrations.length + 1,
      name: 'broken',
      sql: 'create table x (y nonsense)',
      checksum: '0'.repeat(64),
    };
    await expect(migrate(database, [...migrations, broken])).rejects.toMatchObject({
      code: 'database_rejected',
    });
    expect(await postgres.sql(`select to_regclass('public.members') as found`)).toEqual([{ found: null }]);
  });

  it('refuse a file that was changed after it had been applied, and a database that is ahead of them', async () => {
    const migrations = await readMigrations(FOLDER);
    await migrate(database, migrations);
    const changed = migrations.map((it) => (it.version === 2 ? { ...it, checksum: 'f'.repeat(64) } : it));
    await expect(migrate(database, changed)).rejects.toMatchObject({ code: 'schema_outdated' });
    await expect(migrate(database, migrations.slice(0, 2))).rejects.toMatchObject({
      code: 'schema_outdated',
    });
  });

  it('take over a database that has the two agreed tables already', async () => {
    await postgres.sql(
      `create table public.members (id serial primary key, kennitala varchar(10) unique not null,
         name varchar(255) not null, email varchar(255), phone varchar(20), is_active boolean default true,
         added_at timestamptz, removed_at timestamptz, sync_source varchar(50) default 'django',
         external_id varchar(255), metadata jsonb, last_verified_at timestamptz)`,
    );
    await postgres.sql(`insert into public.members (kennitala, name) values ('0101302989', 'Test')`);
    await migrate(database, await readMigrations(FOLDER));
    expect(await postgres.sql('select name, is_active from public.members_verified')).toEqual([
      { name: 'Test', is_active: true },
    ]);
  });

  it('have the columns and indexes of the contract, and the digests', async () => {
    await migrate(database, await readMigrations(FOLDER));
    const columns = await postgres.sql<{ table_name: string; columns: string }>(
      `select table_name, string_agg(column_name, ' ' order by ordinal_position) as columns
         from information_schema.columns
        where table_schema = 'public' and table_name in ('members', 'sync_log') group by 1 order by 1`,
    );
    expect(columns).toEqual([
      {
        table_name: 'members',
        columns:
          'id kennitala name email phone is_active added_at removed_at sync_source external_id metadata last_verified_at digest_a digest_b digest_bucket',
      },
      {
        table_name: 'sync_log',
        columns:
          'id sync_type sync_timestamp members_added members_removed members_verified error_count details status',
      },
    ]);
    const indexes = await postgres.sql<{ definition: string }>(
      `select regexp_replace(indexdef, '.* on ', '', 'i') as definition from pg_indexes
        where schemaname = 'public' and tablename in ('members', 'sync_log')`,
    );
    expect(indexes.map(({ definition }) => definition)).toEqual(
      expect.arrayContaining([
        'public.members USING btree (is_active)',
        'public.members USING btree (kennitala)',
        'public.sync_log USING btree (sync_timestamp DESC)',
      ]),
    );
  });
});

describe('a folder of migrations', () => {
  it.each([
    ['a gap', ['0001_a.sql', '0003_c.sql']],
    ['another name', ['0001_a.sql', 'notes.txt']],
    ['a number twice', ['0001_a.sql', '0001_b.sql']],
  ])('with %s is refused', async (_what, files) => {
    const folder = await mkdtemp(join(tmpdir(), 'migrations-'));
    try {
      for (const file of files) await writeFile(join(folder, file), 'select 1');
      await expect(readMigrations(folder)).rejects.toMatchObject({ code: 'config_invalid' });
    } finally {
      await rm(folder, { recursive: true, maxRetries: 5 });
    }
  });
});
