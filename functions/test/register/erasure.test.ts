import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeRegisterErasure } from '../../src/adapters/postgres/erase-member.ts';
import { makeDatabase } from '../../src/adapters/postgres/make-database.ts';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { makeMemberReference } from '../../src/domain/member/digest.ts';
import type { Counts } from '../../src/ops/ports.ts';
import { makeKennitalas } from '../support/kennitalas.ts';
import { startDatabase, type TestDatabase } from './support/test-database.ts';

const [erased, kept] = makeKennitalas(2) as [Kennitala, Kennitala];
const referenceOf = (kennitala: Kennitala) => makeMemberReference('key of the tests', kennitala);
const person = { kennitala: erased, reference: referenceOf(erased) };
const other = referenceOf(kept);
const signal = new AbortController().signal;

const NOTHING: Counts = {
  'public.members': 0,
  'public.member_unverified': 0,
  'public.member_changes': 0,
  'public.sync_log': 0,
  'public.notification_outbox': 0,
};
const EVERYTHING: Counts = {
  'public.members': 1,
  'public.member_unverified': 1,
  'public.member_changes': 2,
  'public.sync_log': 1,
  'public.notification_outbox': 2,
};

let postgres: TestDatabase;
let database: ReturnType<typeof makeDatabase>;
let erasure: ReturnType<typeof makeRegisterErasure>;

const messageOf = (members: readonly string[]) =>
  JSON.stringify({
    type: 'membership.changed',
    removed: 2,
    members,
    complete: true,
    details: 'https://x.invalid',
  });

beforeEach(async () => {
  postgres = await startDatabase();
  database = makeDatabase({ target: { kind: 'url', url: postgres.url } });
  erasure = makeRegisterErasure(database);
  await postgres.sql(
    `insert into public.members (id, kennitala, name, email, is_active) values
       (1, $1, 'Erased', 'one@example.is', false), (2, $2, 'Kept', 'two@example.is', true)`,
    [erased, kept],
  );
  await postgres.sql('insert into public.member_unverified (member_id) values (1), (2)');
  const details = {
    run: 'run-1',
    findings: { announced: 2 },
    unreadable: [
      { member: other, position: 1, reason: 'name' },
      { member: person.reference, position: 2, reason: 'name' },
      { member: null, position: 3, reason: 'kennitala' },
    ],
    adjusted: [{ member: person.reference, reasons: ['phone'] }],
  };
  await postgres.sql(
    `insert into public.sync_log (id, sync_type, status, details) values
       (1, 'membership', 'success', $1), (2, 'webhook', 'success', '{"kind": "removed"}')`,
    [JSON.stringify(details)],
  );
  await postgres.sql(
    `insert into public.member_changes (log_id, member_id, kind, changed_at) values
       (1, 1, 'added', now()), (2, 1, 'removed', now()), (1, 2, 'added', now())`,
  );
  await postgres.sql(
    `insert into public.notification_outbox (message_id, subscriber, body, delivered_at) values
       ('run-1', 'elections', $1, now()), ('run-2', 'elections', $2, null), ('run-3', 'elections', $3, null)`,
    [messageOf([person.reference, other]), messageOf([person.reference]), messageOf([other])],
  );
});
afterEach(async () => {
  await database.close();
  await postgres.close();
});

describe('erasing a person from the register', () => {
  it('finds every row that points at them, and erases exactly those', async () => {
    expect(await erasure.find(person, signal)).toEqual(EVERYTHING);
    expect(await erasure.erase(person, signal)).toEqual(EVERYTHING);
    expect(await erasure.find(person, signal)).toEqual(NOTHING);
    expect(await postgres.sql('select id, kennitala from public.members')).toEqual([
      { id: 2, kennitala: kept },
    ]);
    expect(await postgres.sql('select member_id from public.member_unverified')).toEqual([{ member_id: 2 }]);
    expect(await postgres.sql('select member_id, kind from public.member_changes')).toEqual([
      { member_id: 2, kind: 'added' },
    ]);
  });

  it('leaves what the log says of others and of the run as it was', async () => {
    await erasure.erase(person, signal);
    const [row] = await postgres.sql<{ details: unknown }>(
      'select details from public.sync_log where id = 1',
    );
    expect(row?.details).toEqual({
      run: 'run-1',
      findings: { announced: 2 },
      unreadable: [
        { member: other, position: 1, reason: 'name' },
        { member: null, position: 3, reason: 'kennitala' },
      ],
      adjusted: [],
    });
  });

  it('still lets a waiting message out, with its counts and the others in it', async () => {
    await erasure.erase(person, signal);
    const rows = await postgres.sql<{ body: string; delivered: boolean }>(
      'select body, delivered_at is not null as delivered from public.notification_outbox order by id',
    );
    expect(rows.map(({ body }) => JSON.parse(body))).toMatchObject([
      { removed: 2, members: [other], complete: false },
      { removed: 2, members: [], complete: false },
      { removed: 2, members: [other], complete: true },
    ]);
    expect(rows.map(({ delivered }) => delivered)).toEqual([true, false, false]);
  });

  it('can be repeated, and finds nobody whom it never had', async () => {
    await erasure.erase(person, signal);
    expect(await erasure.erase(person, signal)).toEqual(NOTHING);
    const [stranger] = makeKennitalas(1, 50) as [Kennitala];
    const unknown = { kennitala: stranger, reference: referenceOf(stranger) };
    expect(await erasure.find(unknown, signal)).toEqual(NOTHING);
    expect(await erasure.erase(unknown, signal)).toEqual(NOTHING);
    expect(await postgres.sql('select count(*)::int as n from public.members')).toEqual([{ n: 1 }]);
  });

  it('finds changes that somebody left when deleting the row by hand, and erases them', async () => {
    await postgres.sql('delete from public.members where id = 1');
    expect(await erasure.find(person, signal)).toMatchObject({
      'public.members': 0,
      'public.member_changes': 2,
    });
    await erasure.erase(person, signal);
    expect(await erasure.find(person, signal)).toEqual(NOTHING);
  });

  it('changes nothing at all where the person is an active member', async () => {
    await postgres.sql('update public.members set is_active = true where id = 1');
    await expect(erasure.erase(person, signal)).rejects.toMatchObject({ code: 'still_published' });
    expect(await erasure.find(person, signal)).toEqual(EVERYTHING);
  });

  it('changes nothing at all where a table of a service still points at the row, and says so', async () => {
    await postgres.sql('create table public.ballots (member_id int references public.members (id))');
    await postgres.sql('insert into public.ballots values (1)');
    await expect(erasure.erase(person, signal)).rejects.toMatchObject({
      code: 'database_rejected',
      details: { sqlState: '23503' },
      message: expect.stringContaining('still points'),
    });
    expect(await erasure.find(person, signal)).toEqual(EVERYTHING);
  });
});
