import { mkdtemp, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { migrateDatabase } from '../../../functions/src/adapters/postgres/migrate.ts';
import { type LocalPostgres, startPostgres } from '../../src/postgres/start-postgres.ts';

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
      await rm(folder, { recursive: true, maxRetries: 5 });
    }
  });

  it('says which port is in use', async () => {
    const first = await startPostgres({ port: 0 });
    await expect(startPostgres({ port: first.port })).rejects.toThrow(`Port ${first.port} is in use`);
    await first.close();
  });
});

describe('the only session of the local database', () => {
  let database: LocalPostgres;
  const clients: pg.Client[] = [];
  beforeAll(async () => {
    database = await startPostgres({ port: 0 });
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.end()));
  });
  afterAll(() => database.close());
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client(database.url);
    clients.push(client);
    await client.connect();
    return client;
  };

  it.each([
    'set local idle_in_transaction_session_timeout = 100',
    'SET idle_in_transaction_session_timeout TO 100',
    "set local idle_in_transaction_session_timeout = '100ms'",
    "select set_config('idle_in_transaction_session_timeout', '100', true)",
    'set idle_session_timeout = 100',
    'set local transaction_timeout = 100',
  ])('outlives %s, since its only session would end the whole process', async (limit) => {
    const client = await connect();
    await client.query(`begin; ${limit}; select 1`);
    await sleep(400);
    expect(await client.query('commit')).toMatchObject({ command: 'COMMIT' });
  });

  it('ends the transaction of a client that has died, so that the others go on', async () => {
    const dying = await connect();
    dying.on('error', () => {});
    await query(database.url, 'create table kept (n int)');
    await dying.query('begin; insert into kept values (1)');
    // What the operating system does to the connection of a process that is killed.
    (dying as unknown as { connection: { stream: Socket } }).connection.stream.destroy();
    expect(await query(database.url, 'select * from kept')).toEqual([]);
  });

  // What `docs/local-stack.md` says that it does not do; the register's suite on Debian's PostgreSQL holds the limits.
  it('never ends a statement for its time, and lets others wait for a transaction', async () => {
    const client = await connect();
    await client.query('set statement_timeout = 10; set lock_timeout = 10');
    await client.query('begin; select count(*) from generate_series(1, 200000)');
    let isAnswered = false;
    const other = query(database.url, 'select 1 as n').finally(() => (isAnswered = true));
    await sleep(200);
    expect(isAnswered).toBe(false);
    await client.query('commit');
    expect(await other).toEqual([{ n: 1 }]);
  });
});
