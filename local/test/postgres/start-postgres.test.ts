import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { migrateDatabase } from '../../src/postgres/migrate-database.ts';
import { startPostgres } from '../../src/postgres/start-postgres.ts';

const query = async (url: string, text: string) => {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
};

describe('the local database', () => {
  it('keeps its data over a restart, schema included', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'local-postgres-'));
    try {
      const first = await startPostgres({ port: 0, dataDir: join(folder, 'data') });
      const applied = await migrateDatabase({ kind: 'url', url: first.url });
      expect(applied.length).toBeGreaterThan(0);
      await query(first.url, `insert into public.members (kennitala, name) values ('0101302989', 'Test')`);
      await first.close();

      const second = await startPostgres({ port: 0, dataDir: join(folder, 'data') });
      expect(await migrateDatabase({ kind: 'url', url: second.url })).toEqual([]);
      expect(await query(second.url, 'select name from public.members')).toEqual([{ name: 'Test' }]);
      await second.close();
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('outlives a transaction that idles beyond its limit, since its only session would end with it', async () => {
    const database = await startPostgres({ port: 0 });
    const client = new pg.Client(database.url);
    await client.connect();
    try {
      await client.query(
        `begin; set local idle_in_transaction_session_timeout = 100; create table kept (n int)`,
      );
      await sleep(1_000);
      await client.query('commit');
      expect(await client.query('select * from kept')).toMatchObject({ rows: [] });
    } finally {
      await client.end();
      await database.close();
    }
  });

  it('says which port is in use', async () => {
    const first = await startPostgres({ port: 0 });
    await expect(startPostgres({ port: first.port })).rejects.toThrow(`Port ${first.port} is in use`);
    await first.close();
  });
});
