import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SyncError } from '../../src/lib/errors.ts';
import { type RegisterStack, startRegisterStack } from '../support/stack.ts';

let stack: RegisterStack;
beforeEach(async () => {
  stack = await startRegisterStack({ members: 20 });
  await stack.run();
  stack.registry.deleteMember(stack.registry.randomMember());
  stack.registry.updateMember(stack.registry.randomMember());
  stack.registry.createMember();
});
afterEach(async () => {
  await stack.close();
});

const contents = async () => JSON.stringify(await stack.members());

/** Fails one statement, counted from now on; the others pass. */
const failAt = (ordinal: number, code: 'database_rejected' | 'database_unavailable') => {
  const first = stack.database.seen.length;
  let isArmed = true;
  stack.database.onStatement = (_text, at) => {
    if (!isArmed || at !== first + ordinal) return;
    isArmed = false;
    throw new SyncError(code, 'Failed by the test.');
  };
  return () => !isArmed;
};

/** How many statements a run with differences makes, its commits included. */
const STATEMENTS = 20;

describe('a run whose statement fails', () => {
  it('has as many statements as are tried here', async () => {
    const before = stack.database.seen.length;
    await stack.run();
    expect(stack.database.seen.slice(before)).toHaveLength(STATEMENTS);
  });

  it.each(Array.from({ length: STATEMENTS }, (_, n) => n + 1))(
    'leaves the register as it was when it is refused: statement %i',
    async (ordinal) => {
      const before = await contents();
      const hasFailed = failAt(ordinal, 'database_rejected');
      const { record } = await stack.run();
      expect(hasFailed()).toBe(true);
      expect(record).toMatchObject({ outcome: 'failed', errorCode: 'database_rejected' });
      expect(await contents()).toBe(before);
      const rows = (await stack.syncLog()).slice(1);
      expect(rows.map(({ status }) => status).filter((status) => status !== 'failed')).toEqual([]);
      if (rows[0] !== undefined) expect(rows[0].details).toMatchObject({ code: 'database_rejected' });

      expect((await stack.run()).record.outcome).toBe('published');
      expect((await stack.run()).record.outcome).toBe('unchanged');
    },
  );

  it.each(Array.from({ length: STATEMENTS }, (_, n) => n + 1))(
    'makes the transaction again when its connection is lost: statement %i',
    async (ordinal) => {
      const hasFailed = failAt(ordinal, 'database_unavailable');
      const { record } = await stack.run();
      expect(hasFailed()).toBe(true);
      expect(record).toMatchObject({ outcome: 'published', changes: { added: 1, removed: 1, updated: 1 } });
      const rows = (await stack.syncLog()).filter(({ status }) => status === 'success');
      expect(rows).toHaveLength(2);
      expect((await stack.run()).record.outcome).toBe('unchanged');
    },
  );

  it('takes a commit whose answer was lost for what it was: done', async () => {
    let commits = 0;
    stack.database.afterCommit = () => {
      commits += 1;
      if (commits === 2) throw new SyncError('database_unavailable', 'Lost by the test.');
    };
    const { record } = await stack.run();
    expect(record).toMatchObject({ outcome: 'published', changes: { added: 1, removed: 1, updated: 1 } });
    expect((await stack.syncLog()).map(({ status }) => status)).toEqual(['success', 'success']);
  });

  it('gives up when the connection is lost every time, and the row says so', async () => {
    const before = await contents();
    stack.database.onStatement = (text) => {
      if (!text.includes('update public.members')) return;
      throw new SyncError('database_unavailable', 'Failed by the test.');
    };
    const { record } = await stack.run();
    expect(record).toMatchObject({ outcome: 'failed', errorCode: 'storage_conflict' });
    expect(await contents()).toBe(before);
    expect((await stack.syncLog()).at(-1)).toMatchObject({ status: 'failed' });
  });

  it('that cannot even write its failed row leaves it to the next run', async () => {
    stack.database.onStatement = (text) => {
      if (!text.includes('planned_changes') && !text.includes(`update public.sync_log`)) return;
      if (text.includes('"abandoned"')) return;
      throw new SyncError('database_rejected', 'Failed by the test.');
    };
    expect((await stack.run()).record.outcome).toBe('failed');
    expect((await stack.syncLog()).at(-1)?.status).toBe('pending');
    expect(stack.logs.map(({ fields }) => fields['event'])).toContain('register_log_lost');
    stack.database.onStatement = () => undefined;
    stack.advance(150_001);
    expect((await stack.run()).record.outcome).toBe('published');
    expect((await stack.syncLog()).at(-2)).toMatchObject({
      status: 'failed',
      details: { code: 'abandoned' },
    });
  });
});

describe('two runs at once', () => {
  it('by the lease: one works, the other is skipped', async () => {
    const both = await Promise.all([stack.run(), stack.run()]);
    expect(both.map(({ record }) => record.outcome).sort()).toEqual(['published', 'skipped']);
  });

  it('by the database, when the lease does not hold them apart: one waits for the other', async () => {
    const options = { signal: new AbortController().signal, startedAt: new Date(), exclusive: true };
    const first = await stack.store.stage([], [], options);
    let hasSecond = false;
    const second = stack.store.stage([], [], options).then((transaction) => {
      hasSecond = true;
      return transaction;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(hasSecond).toBe(false);
    await first.rollback();
    await (await second).rollback();
  });
});
