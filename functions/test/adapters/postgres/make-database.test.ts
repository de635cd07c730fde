import { describe, expect, it } from 'vitest';
import { makeDatabase } from '../../../src/adapters/postgres/make-database.ts';
import { makeRegisterStore } from '../../../src/adapters/postgres/register-store.ts';
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
});
