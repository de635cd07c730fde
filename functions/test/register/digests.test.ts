import { afterAll, beforeAll } from 'vitest';
import type { Database } from '../../src/adapters/postgres/database.ts';
import { makeDatabase } from '../../src/adapters/postgres/make-database.ts';
import { makeRegisterDigests } from '../../src/adapters/postgres/register-reader.ts';
import { tryDigest } from '../../src/domain/member/digest.ts';
import { describeDigests } from '../contract/digests-contract.ts';
import { startDatabase, type TestDatabase } from './support/test-database.ts';

let held: TestDatabase;
let database: Database;
beforeAll(async () => {
  held = await startDatabase();
  database = makeDatabase({ target: { kind: 'url', url: held.url } });
});
afterAll(async () => {
  await database.close();
  await held.close();
});

const INSERT = `
  insert into public.members (kennitala, name, is_active, digest_a, digest_b)
  select * from unnest($1::text[], $2::text[], $3::boolean[], $4::bigint[], $5::bigint[])`;

describeDigests('PostgreSQL', async () => {
  const digests = makeRegisterDigests(database);
  return {
    withoutDigest: 'counted',
    // By the pool of the code under test: PGlite serves one connection at a time.
    hold: (members) =>
      database.transaction(async (query) => {
        await query('delete from public.members');
        const numbers = members.map(({ digest }) => tryDigest(digest));
        await query(INSERT, [
          members.map(({ kennitala }) => kennitala),
          members.map(() => 'Nafn'),
          members.map(({ isActive }) => isActive),
          numbers.map((number) => number?.a ?? null),
          numbers.map((number) => number?.b ?? null),
        ]);
      }),
    sums: digests.sums,
    membersOf: async (bucket) =>
      new Map((await digests.rows([bucket])).map(({ kennitala, digest }) => [kennitala, digest])),
  };
});
