import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../../src/adapters/postgres/database.ts';
import { makeDatabase } from '../../src/adapters/postgres/make-database.ts';
import { makeRegisterStore } from '../../src/adapters/postgres/register-store.ts';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { bucketOf } from '../../src/domain/member/digest.ts';
import type { KnownUnreadable, RegisterDifferences, StagedMember } from '../../src/register/ports.ts';
import { makeKennitalas } from '../support/kennitalas.ts';
import { startDatabase, type TestDatabase } from './support/test-database.ts';

/** Members are compared some at a time: where one statement ends and the next begins must change nothing. */

const PEOPLE = makeKennitalas(6).sort();
const NOW = new Date('2026-11-20T10:00:00Z');
const EARLIER = new Date('2026-11-20T09:00:00Z');
const SIZES = [1, 2, 5, 6, 100];

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
beforeEach(() => hold([]));

interface Row {
  readonly kennitala: string;
  readonly name?: string;
  readonly isActive?: boolean;
  readonly externalId?: string;
}

// By the pool of the code under test: PGlite serves one connection at a time.
const hold = (rows: readonly Row[]) =>
  database.transaction(async (query) => {
    await query('delete from public.members');
    for (const { kennitala, name = 'Nafn', isActive = true, externalId = null } of rows) {
      await query(
        `insert into public.members (kennitala, name, is_active, external_id, last_verified_at) values ($1, $2, $3, $4, $5)`,
        [kennitala, name, isActive, externalId, EARLIER],
      );
    }
  });

const said = (kennitala: Kennitala, name = 'Nafn'): StagedMember => ({
  kennitala,
  name,
  email: null,
  phone: null,
  external_id: null,
  date_joined: null,
  version: null,
  digest_a: null,
  digest_b: null,
  said: 1,
});

const compare = async (
  members: readonly StagedMember[],
  {
    comparedAtOnce,
    unreadable = [],
    buckets,
  }: { comparedAtOnce: number; unreadable?: KnownUnreadable[]; buckets?: number[] },
): Promise<RegisterDifferences> => {
  const store = makeRegisterStore(database, { comparedAtOnce });
  const { signal } = new AbortController();
  const transaction = await store.stage(members, unreadable, {
    signal,
    startedAt: NOW,
    exclusive: true,
    buckets,
  });
  await transaction.rollback();
  return transaction.differences;
};

describe.each(SIZES)('with %i members a statement', (comparedAtOnce) => {
  it('nobody differs where nobody does', async () => {
    await hold(PEOPLE.map((kennitala) => ({ kennitala })));
    const found = await compare(
      PEOPLE.map((kennitala) => said(kennitala)),
      { comparedAtOnce },
    );
    expect(found).toMatchObject({ active: 6, unchanged: 6, digest: '' });
    expect([found.added, found.updated, found.reactivated, found.removed]).toEqual([[], [], [], []]);
  });

  it.each(PEOPLE.map((_, n) => n))('each is found as what they are: number %i', async (n) => {
    const one = PEOPLE[n] as Kennitala;
    const everybody = PEOPLE.map((kennitala) => said(kennitala));
    const rest = everybody.filter(({ kennitala }) => kennitala !== one);
    await hold(PEOPLE.map((kennitala) => ({ kennitala })));
    expect((await compare(rest, { comparedAtOnce })).removed).toEqual([one]);
    expect(
      (await compare([...rest, said(one, 'Nýtt')].sort(byKennitala), { comparedAtOnce })).updated,
    ).toEqual([one]);
    await hold(PEOPLE.map((kennitala) => ({ kennitala, isActive: kennitala !== one })));
    expect((await compare(everybody, { comparedAtOnce })).reactivated).toEqual([one]);
    await hold(rest.map(({ kennitala }) => ({ kennitala })));
    expect((await compare(everybody, { comparedAtOnce })).added).toEqual([one]);
  });

  it('rows with what is no kennitala are removed wherever they sort, each once', async () => {
    const strange = ['', '0000000000', '010130-298', '9999999999', 'a', 'þorn', '~'];
    await hold([...PEOPLE, ...strange].map((kennitala) => ({ kennitala })));
    const found = await compare(
      PEOPLE.map((kennitala) => said(kennitala)),
      { comparedAtOnce },
    );
    expect([...found.removed].sort()).toEqual([...strange].sort());
    expect(found).toMatchObject({ active: 13, unchanged: 6 });
  });

  it('who cannot be read is in no list, by whichever they are known', async () => {
    const [first, second, ...rest] = PEOPLE.toReversed() as [Kennitala, Kennitala, ...Kennitala[]];
    await hold(PEOPLE.map((kennitala, n) => ({ kennitala, externalId: String(n) })));
    const found = await compare(
      rest.toReversed().map((kennitala) => said(kennitala)),
      {
        comparedAtOnce,
        unreadable: [
          { kennitala: first, external_id: null },
          { kennitala: null, external_id: String(PEOPLE.indexOf(second)) },
        ],
      },
    );
    expect(found).toMatchObject({ removed: [], unchanged: 4 });
  });

  it('of some buckets, nobody outside them is missed, also where the buckets are empty now', async () => {
    await hold(PEOPLE.map((kennitala) => ({ kennitala })));
    const [gone] = PEOPLE as [Kennitala];
    const bucket = bucketOf(gone);
    const inBucket = PEOPLE.filter((kennitala) => bucketOf(kennitala) === bucket);
    expect((await compare([], { comparedAtOnce, buckets: [bucket] })).removed).toEqual(inBucket);
    expect((await compare([], { comparedAtOnce, buckets: [] })).removed).toEqual([]);
  });

  it('the plan is the same plan as in one statement', async () => {
    await hold(PEOPLE.slice(2).map((kennitala, n) => ({ kennitala, name: n % 2 === 0 ? 'Nafn' : 'Gamalt' })));
    const members = PEOPLE.slice(0, 4).map((kennitala) => said(kennitala));
    const whole = await compare(members, { comparedAtOnce: 1_000 });
    expect([whole.added.length, whole.updated.length, whole.removed.length]).toEqual([2, 1, 2]);
    expect(whole.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(await compare(members, { comparedAtOnce })).toEqual(whole);
  });
});

const byKennitala = (one: StagedMember, other: StagedMember): number =>
  one.kennitala < other.kennitala ? -1 : 1;
