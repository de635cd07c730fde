import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { makeCheckedReads, makeCheckedTransactions } from '../../../src/adapters/postgres/database.ts';
import { makeDatabase } from '../../../src/adapters/postgres/make-database.ts';
import { migrateDatabase } from '../../../src/adapters/postgres/migrate.ts';
import { makeRegisterStore } from '../../../src/adapters/postgres/register-store.ts';
import { makeFailingDatabase } from '../../register/support/failing-database.ts';
import { startDatabase } from '../../register/support/test-database.ts';
import { startRegisterStack } from '../../support/stack.ts';

const clock = { now: () => 0, sleep: async () => undefined, random: () => 0 };

describe('the database', () => {
  it('is not touched before the first transaction', async () => {
    await makeDatabase({ target: { kind: 'url', url: 'postgres://127.0.0.1:1/none' } }).close();
  });

  it('that is down is database_unavailable, and the message holds no address', async () => {
    const database = makeDatabase({
      target: { kind: 'url', url: 'postgres://user:secret@127.0.0.1:1/none' },
    });
    const failure = await makeRegisterStore(database, { clock })
      .assertSchema()
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'database_unavailable', details: { sqlState: 'ECONNREFUSED' } });
    expect(String(failure)).not.toMatch(/secret|127\.0\.0\.1/);
    await database.close();
  });

  it('that is named by no URL of PostgreSQL is config_invalid', async () => {
    for (const url of ['', 'localhost', 'mysql://localhost/x']) {
      const database = makeDatabase({ target: { kind: 'url', url } });
      await expect(database.begin()).rejects.toMatchObject({ code: 'config_invalid' });
    }
  });

  it('of an older schema is schema_outdated: the run fails before the registry is asked', async () => {
    const stack = await startRegisterStack({ isMigrated: false });
    try {
      const { record } = await stack.run();
      expect(record).toMatchObject({ outcome: 'failed', errorCode: 'schema_outdated', findings: null });
    } finally {
      await stack.close();
    }
  });

  it('rolls back what threw, and its connection serves the next', async () => {
    const postgres = await startDatabase();
    const database = makeDatabase({ target: { kind: 'url', url: postgres.url }, maxConnections: 1 });
    const insert = `insert into public.members (kennitala, name) values ('0101302989', 'Test')`;
    await expect(
      database.transaction(async (query) => {
        await query(insert);
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    await expect(database.transaction((query) => query('select nonsense'))).rejects.toMatchObject({
      code: 'schema_outdated',
    });
    expect(await database.transaction((query) => query('select * from public.members'))).toEqual([]);
    await database.close();
    await postgres.close();
  });

  it('refuses a write in a reading, and serves the next on the same connection', async () => {
    const postgres = await startDatabase();
    const database = makeDatabase({ target: { kind: 'url', url: postgres.url }, maxConnections: 1 });
    const insert = `insert into public.members (kennitala, name) values ('0101302989', 'Test')`;
    await expect(database.read(insert)).rejects.toMatchObject({
      code: 'database_rejected',
      details: { sqlState: '25006' },
    });
    await expect(database.read('select nonsense')).rejects.toMatchObject({ code: 'schema_outdated' });
    const sessions: unknown[] = [];
    for (let n = 0; n < 3; n += 1) {
      expect(await database.read('select * from public.members where kennitala <> $1', ['x'])).toEqual([]);
      sessions.push(await database.read('select pg_backend_pid()'));
    }
    expect(new Set(sessions.map((session) => JSON.stringify(session))).size).toBe(1);
    await database.transaction((query) => query(insert));
    expect(await database.read('select * from public.members')).toHaveLength(1);
    await database.close();
    await postgres.close();
  });

  it('gives a reading the limits of a transaction, and the next statement none of them', async () => {
    const postgres = await startDatabase();
    const database = makeDatabase({ target: { kind: 'url', url: postgres.url }, maxConnections: 1 });
    const LIMITS = `select current_setting('transaction_read_only') as reads, current_setting('statement_timeout') as statement,
      current_setting('lock_timeout') as lock, current_setting('timezone') as zone`;
    expect(await database.read(LIMITS)).toEqual([
      { reads: 'on', statement: '30s', lock: '10s', zone: 'UTC' },
    ]);
    const [after] = await database.transaction((query) => query(LIMITS), { statementMs: 7_000 });
    expect(after).toMatchObject({ reads: 'off', statement: '7s' });
    await database.close();
    await postgres.close();
  });

  it('answers a reading in one round trip, and fails it where the connection breaks before the answer', async () => {
    const postgres = await startDatabase();
    const relay = await openHoldingRelay(postgres.url);
    const database = makeDatabase({ target: { kind: 'url', url: relay.url }, maxConnections: 1 });
    expect(await database.read('select 1 as one')).toEqual([{ one: 1 }]);
    // Nothing is answered until the end has been sent.
    relay.holdUntil('commit');
    expect(await database.read('select $1::int as one', [2])).toEqual([{ one: 2 }]);
    relay.holdUntil('never');
    const lost = database.read('select 3 as one').catch((error: unknown) => error);
    await relay.held();
    relay.cut();
    expect(await lost).toMatchObject({ code: 'database_unavailable' });
    relay.holdUntil(null);
    expect(await database.read('select 4 as one')).toEqual([{ one: 4 }]);
    await database.close();
    await relay.close();
    await postgres.close();
  });

  it('is asked for its schema until it is new enough, and not again', async () => {
    const postgres = await startDatabase();
    const database = makeFailingDatabase(makeDatabase({ target: { kind: 'url', url: postgres.url } }));
    const inTransaction = makeCheckedTransactions(database);
    const read = makeCheckedReads(database);
    for (const ask of [() => inTransaction((query) => query('select 1')), () => read('select 1')]) {
      database.seen.length = 0;
      for (let n = 0; n < 2; n += 1) expect(await ask()).toHaveLength(1);
      const asked = database.seen.filter((text) => text !== 'commit');
      expect(asked.map((text) => text === 'select 1')).toEqual([false, false, true, true]);
    }
    await database.close();
    await postgres.close();
  });

  it('of an older schema refuses each reading, and answers once it is migrated', async () => {
    const postgres = await startDatabase({ isMigrated: false });
    const database = makeDatabase({ target: { kind: 'url', url: postgres.url } });
    const read = makeCheckedReads(database);
    for (let n = 0; n < 2; n += 1) {
      await expect(read('select 1 as one')).rejects.toMatchObject({ code: 'schema_outdated' });
    }
    await migrateDatabase({ kind: 'url', url: postgres.url });
    expect(await read('select 1 as one')).toEqual([{ one: 1 }]);
    await database.close();
    await postgres.close();
  });
});

/** A way to the server that keeps its answers back until the client has sent a word. */
const openHoldingRelay = async (serverUrl: string) => {
  const server = new URL(serverUrl);
  const sockets = new Set<Socket>();
  let word: string | null = null;
  let onHeld = (): void => undefined;
  const relay = createServer((client) => {
    const upstream = connect(Number(server.port), server.hostname);
    const kept: Buffer[] = [];
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (data) => {
      if (word !== null && data.includes(word)) word = null;
      upstream.write(data);
      if (word === null) for (const one of kept.splice(0)) client.write(one);
    });
    upstream.on('data', (data) => {
      if (word === null) return void client.write(data);
      kept.push(data);
      onHeld();
    });
  }).listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const url = new URL(serverUrl);
  url.port = String((relay.address() as AddressInfo).port);
  return {
    url: url.href,
    holdUntil: (next: string | null) => {
      word = next;
    },
    held: () =>
      new Promise<void>((resolve) => {
        onHeld = resolve;
      }),
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      relay.close();
      await once(relay, 'close');
    },
  };
};
