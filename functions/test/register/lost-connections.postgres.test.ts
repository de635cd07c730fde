import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { makeDatabase } from '../../src/adapters/postgres/make-database.ts';
import { makeRegisterStore } from '../../src/adapters/postgres/register-store.ts';
import { makeRowStore, ROW_STORE_DATABASE } from '../../src/adapters/postgres/row-store.ts';
import { parseMemberChange } from '../../src/domain/member/member-change.ts';
import { applyEvent } from '../../src/register/register.ts';
import { makeRegisterLogs } from '../../src/register/register-logs.ts';
import { makeKennitalas } from '../support/kennitalas.ts';
import { referTo } from '../support/servers.ts';
import { type RegisterStack, startRegisterStack } from '../support/stack.ts';

/** What only a server with many sessions can show. */

let stack: RegisterStack;
beforeEach(async () => {
  stack = await startRegisterStack({ members: 20 });
  await stack.run();
  stack.registry.createMember();
});
afterEach(async () => {
  await stack.close();
});

const clock = { now: () => 0, sleep: async () => undefined, random: () => 0 };
const name = () => new URL(stack.postgres.url).pathname.slice(1);

const asSuperuser = async (statement: string, values: unknown[] = []) => {
  const client = new pg.Client(inject('postgresUrl'));
  await client.connect();
  try {
    return (await client.query(statement, values)).rows;
  } finally {
    await client.end();
  }
};
const cutConnections = () =>
  asSuperuser('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name()]);

describe('a connection that the server cuts', () => {
  it.each(['create temporary table', 'insert into planned_changes', 'insert into public.members', 'commit'])(
    'at "%s": the transaction is made again, and once',
    async (statement) => {
      let cuts = 0;
      stack.database.onStatement = async (text) => {
        if (cuts > 0 || !text.includes(statement) || stack.database.seen.length < 5) return;
        const isSync =
          statement !== 'commit' || stack.database.seen.at(-1)?.startsWith('update public.sync_log');
        if (!isSync) return;
        cuts += 1;
        await cutConnections();
      };
      const { record } = await stack.run();
      expect(cuts).toBe(1);
      expect(record).toMatchObject({ outcome: 'published', changes: { added: 1 } });
      expect(await stack.members()).toHaveLength(21);
      expect((await stack.syncLog()).map(({ status }) => status)).toEqual(['success', 'success']);
    },
  );
});

describe('a database that refuses', () => {
  it('to write: read-only is database_rejected with a remedy, and recorded', async () => {
    await asSuperuser(`alter database ${name()} set default_transaction_read_only = on`);
    await cutConnections();
    const { record } = await stack.run();
    expect(record).toMatchObject({ outcome: 'failed', errorCode: 'database_rejected' });
    expect(record.error).toContain('read-only');
  });

  it('another connection: out of connections is database_unavailable', async () => {
    await asSuperuser(`create role app_${name()} login connection limit 0`);
    const url = new URL(stack.postgres.url);
    url.username = `app_${name()}`;
    const database = makeDatabase({ target: { kind: 'url', url: url.href } });
    await expect(makeRegisterStore(database, { clock }).assertSchema()).rejects.toMatchObject({
      code: 'database_unavailable',
      details: { sqlState: '53300' },
    });
    await database.close();
    await asSuperuser(`drop role app_${name()}`);
  });

  it('a user without the privilege: database_rejected with a remedy', async () => {
    await asSuperuser(`create role poor_${name()} login`);
    const url = new URL(stack.postgres.url);
    url.username = `poor_${name()}`;
    const database = makeDatabase({ target: { kind: 'url', url: url.href } });
    const read = database.transaction((query) => query('select * from public.members'));
    await expect(read).rejects.toMatchObject({ code: 'database_rejected', details: { sqlState: '42501' } });
    await database.close();
    await asSuperuser(`drop role poor_${name()}`);
  });
});

describe('an event that the register cannot take now', () => {
  const [kennitala = ''] = makeKennitalas(1, 500);
  const limits = { signal: new AbortController().signal, startedAt: new Date(), exclusive: true };
  const apply = async (url: string): Promise<unknown> => {
    const database = makeDatabase({ target: { kind: 'url', url }, ...ROW_STORE_DATABASE });
    const event = { kennitala, action: 'create', version: 1, data: { kennitala, name: 'Jón' } };
    try {
      return await applyEvent(parseMemberChange(event), {
        rows: makeRowStore(database),
        referTo,
        logs: makeRegisterLogs(() => undefined),
        now: () => new Date(),
      });
    } catch (cause) {
      return cause;
    } finally {
      await database.close();
    }
  };

  it('since another transaction holds it: it is given up by the server, and taken later', async () => {
    const run = await stack.store.stage([], [], limits);
    expect(await apply(stack.postgres.url)).toMatchObject({ code: 'database_unavailable' });
    await run.rollback();
    expect(await apply(stack.postgres.url)).toBe('applied');
  });

  it('since the server accepts connections and says nothing: it is given up by us', async () => {
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => sockets.add(socket));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const outcome = await apply(`postgres://user@127.0.0.1:${port}/none`);
    for (const socket of sockets) socket.destroy();
    silent.close();
    expect(sockets.size).toBeGreaterThan(0);
    expect(outcome).toMatchObject({ code: 'database_unavailable' });
  });

  it('since the server falls silent after it was reached', async () => {
    const target = new URL(stack.postgres.url);
    const { hostname, port } = target;
    let isSilent = false;
    const pairs: [Socket, Socket][] = [];
    const proxy = createServer((client) => {
      const server = connect(Number(port), hostname);
      pairs.push([client, server]);
      for (const end of [client, server]) end.on('error', () => undefined);
      client.on('data', (bytes) => {
        if (bytes.includes('public.members')) isSilent = true;
        if (!isSilent) server.write(bytes);
      });
      server.on('data', (bytes) => client.write(bytes));
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    target.port = String((proxy.address() as AddressInfo).port);
    const outcome = await apply(target.href);
    for (const pair of pairs) for (const end of pair) end.destroy();
    proxy.close();
    expect(isSilent).toBe(true);
    expect(outcome).toMatchObject({ code: 'database_unavailable' });
  });
});

describe('while a run holds the table', () => {
  it('readers go on, and other writers wait until it ends', async () => {
    const options = { signal: new AbortController().signal, startedAt: new Date(), exclusive: true };
    const run = await stack.store.stage([], [], options);
    expect(await stack.members()).toHaveLength(20);
    let hasWritten = false;
    const write = stack.postgres.sql(`update public.members set name = 'x' where id = 1`).then(() => {
      hasWritten = true;
    });
    await expect.poll(waiting).toBe(1);
    expect(hasWritten).toBe(false);
    await run.rollback();
    await write;
  });

  it('a dry run does not wait for it', async () => {
    const options = { signal: new AbortController().signal, startedAt: new Date(), exclusive: true };
    const run = await stack.store.stage([], [], options);
    expect((await stack.run({ trigger: 'http', dryRun: true })).record.outcome).toBe('dry-run');
    await run.rollback();
  });

  const waiting = async () => {
    const [row] = await asSuperuser(
      `select count(*)::int from pg_stat_activity where datname = $1 and wait_event_type = 'Lock'`,
      [name()],
    );
    return row?.count;
  };
});
