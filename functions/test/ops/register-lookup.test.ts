import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeRegisterLookup } from '../../src/adapters/postgres/erase-member.ts';
import { makeDatabase } from '../../src/adapters/postgres/make-database.ts';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { registerNow } from '../../src/ops/schemas.ts';
import { startDatabase, type TestDatabase } from '../register/support/test-database.ts';
import { makeKennitalas } from '../support/kennitalas.ts';

const [active, gone, stranger] = makeKennitalas(3) as [Kennitala, Kennitala, Kennitala];
let postgres: TestDatabase;
let database: ReturnType<typeof makeDatabase>;

beforeAll(async () => {
  postgres = await startDatabase();
  database = makeDatabase({ target: { kind: 'url', url: postgres.url } });
  await postgres.sql(
    `insert into public.members (kennitala, name, is_active, added_at, removed_at)
     values ($1, 'One', true, '2026-01-01Z', null), ($2, 'Two', false, '2026-02-01Z', '2026-03-01Z')`,
    [active, gone],
  );
});
afterAll(async () => {
  await database.close();
  await postgres.close();
});

it.each([
  ['a member', active, { state: 'active', addedAt: '2026-01-01T00:00:00.000Z', removedAt: null }],
  [
    'a member who has left',
    gone,
    { state: 'inactive', addedAt: '2026-02-01T00:00:00.000Z', removedAt: '2026-03-01T00:00:00.000Z' },
  ],
  ['a person whom it never had', stranger, { state: 'absent' }],
])('the register says of %s since when, and nothing else', async (_who, kennitala, found) => {
  expect(await makeRegisterLookup(database).find(kennitala)).toEqual(found);
  expect(registerNow.parse(found)).toEqual(found);
});
