import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeRowStore } from '../../src/adapters/postgres/row-store.ts';
import { parseMemberChange } from '../../src/domain/member/member-change.ts';
import { applyEvent } from '../../src/register/register.ts';
import { makeRegisterLogs } from '../../src/register/register-logs.ts';
import { makeKennitalas } from '../support/kennitalas.ts';
import { referTo } from '../support/servers.ts';
import { type RegisterStack, startRegisterStack } from '../support/stack.ts';

/** Two events of one newcomer in sessions of their own, which PGlite has not. */

let stack: RegisterStack;
beforeEach(async () => {
  stack = await startRegisterStack({ members: 1 });
});
afterEach(async () => {
  await stack.close();
});

const [kennitala = ''] = makeKennitalas(1);

const apply = (action: 'create' | 'delete', version: number) => {
  const data = action === 'delete' ? null : { id: 5, kennitala, name: `Name ${version}` };
  return applyEvent(parseMemberChange({ kennitala, action, version, data }), {
    rows: makeRowStore(stack.database),
    referTo,
    logs: makeRegisterLogs(stack.dependencies.log),
    now: stack.dependencies.now,
  });
};

/** The second has read that there is no row, and the first commits before it writes. */
const between = async <T>(statement: string, first: () => Promise<unknown>, second: () => Promise<T>) => {
  let isFirstDone = false;
  stack.database.onStatement = async (text) => {
    if (isFirstDone || !text.includes(statement)) return;
    isFirstDone = true;
    await first();
  };
  return second();
};

describe('a creation and a deletion that meet in the register', () => {
  it('end as the deletion says, though the creation had found no row', async () => {
    const inserts = 'is_active)\n  select $1, $2';
    await between(
      inserts,
      () => apply('delete', 2),
      () => apply('create', 1),
    );
    expect(await stack.members()).toMatchObject([{ is_active: false, metadata: { version: 2 } }]);
    await apply('create', 3);
    expect(await stack.members()).toMatchObject([{ is_active: true, name: 'Name 3' }]);
  });

  it.each([
    ['older', 1, false],
    ['newer', 3, true],
  ] as const)(
    'end as the newer says, where the deletion finds the %s one written meanwhile',
    async (_, version, isActive) => {
      await between(
        'select $1::varchar',
        () => apply('create', version),
        () => apply('delete', 2),
      );
      expect(await stack.members()).toMatchObject([{ is_active: isActive, name: `Name ${version}` }]);
    },
  );

  it('end as the deletion says when neither sees the other before it writes', async () => {
    for (const order of [
      ['delete', 'create'],
      ['create', 'delete'],
    ] as const) {
      for (let round = 0; round < 10; round += 1) {
        await stack.postgres.sql('delete from public.members');
        await Promise.all(order.map((action) => apply(action, action === 'create' ? 1 : 2)));
        expect(await stack.members()).toMatchObject([{ is_active: false, metadata: { version: 2 } }]);
      }
    }
  });
});
