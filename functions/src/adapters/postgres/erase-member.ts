import {
  type Counts,
  type ErasureStore,
  type Person,
  type RegisterLookup,
  stillPublished,
} from '../../ops/ports.ts';
import { type Database, makeCheckedTransactions, type Query } from './database.ts';

/**
 * All that the register holds of one person, erased in one transaction: `member_changes` names rows by their number, which
 * nobody could find any more once the member's row is gone. Rows of other people are rewritten without the reference.
 */
export const makeRegisterErasure = (database: Database): ErasureStore => {
  const inTransaction = makeCheckedTransactions(database);
  return {
    places: [
      'public.members',
      'public.member_unverified',
      'public.member_changes',
      'public.sync_log',
      'public.notification_outbox',
    ],
    find: (person) => inTransaction((query) => findPerson(query, person)),
    erase: (person) => inTransaction((query) => erasePerson(query, person)),
  };
};

/** As it stands in JSON texts. */
const quoted = ({ reference }: Person): string => `"${reference}"`;

const findPerson = async (query: Query, person: Person): Promise<Counts> => {
  const [counts] = await query<Counts>(FIND, [person.kennitala, quoted(person)]);
  return counts ?? {};
};

const erasePerson = async (query: Query, person: Person): Promise<Counts> => {
  const [member] = await query<{ id: number; is_active: boolean }>(
    'select id, is_active from public.members where kennitala = $1 for update',
    [person.kennitala],
  );
  // Rolls back: the whole register then stays as it is.
  if (member?.is_active === true) throw stillPublished('register');
  const id = member?.id ?? null;
  const count = async (statement: string, values: readonly unknown[]): Promise<number> =>
    (await query<object>(`${statement} returning 1`, values)).length;
  return {
    'public.member_changes': await count(DELETE_CHANGES, [id]),
    'public.member_unverified': await count('delete from public.member_unverified where member_id = $1', [
      id,
    ]),
    'public.members': await count('delete from public.members where id = $1', [id]),
    'public.sync_log': await count(TAKE_OUT_OF_LOG, [person.reference, quoted(person)]),
    'public.notification_outbox': await count(TAKE_OUT_OF_OUTBOX, [person.reference, quoted(person)]),
  };
};

/** Only an erasure deletes members, so changes without a member are what an earlier one left. $1 kennitala, $2 reference. */
const FIND = `
  select (select count(*)::int from public.members where kennitala = $1) as "public.members",
         (select count(*)::int from public.member_unverified u join public.members m on m.id = u.member_id
           where m.kennitala = $1) as "public.member_unverified",
         (select count(*)::int from public.member_changes c left join public.members m on m.id = c.member_id
           where m.id is null or m.kennitala = $1) as "public.member_changes",
         (select count(*)::int from public.sync_log where position($2 in details::text) > 0) as "public.sync_log",
         (select count(*)::int from public.notification_outbox where position($2 in body) > 0)
           as "public.notification_outbox"`;

const DELETE_CHANGES = `
  delete from public.member_changes c
   where c.member_id = $1::int or not exists (select from public.members m where m.id = c.member_id)`;

/** Who could not be read, or was adjusted, stands in lists of objects with a \`member\`. $1 reference, $2 in quotes. */
const TAKE_OUT_OF_LOG = `
  update public.sync_log
     set details = (
           select jsonb_object_agg(key,
                    case when jsonb_typeof(value) <> 'array' then value
                         else (select coalesce(jsonb_agg(entry order by place), '[]')
                                 from jsonb_array_elements(value) with ordinality as list(entry, place)
                                where entry->>'member' is distinct from $1)
                    end)
             from jsonb_each(details))
   where position($2 in details::text) > 0`;

/** A message that waits still goes out, with its counts: \`complete\` says that not everybody is named in it. */
const TAKE_OUT_OF_OUTBOX = `
  update public.notification_outbox
     set body = (body::jsonb
                 || jsonb_build_object('members', (body::jsonb->'members') - $1::text, 'complete', false))::text
   where position($2 in body) > 0`;

interface Row {
  readonly is_active: boolean;
  readonly added_at: Date | null;
  readonly removed_at: Date | null;
}

/** Whether the register has a person, for an operator's question. Throws `database_*`, `schema_outdated`. */
export const makeRegisterLookup = (database: Database): RegisterLookup => ({
  find: (kennitala) =>
    makeCheckedTransactions(database)(async (query) => {
      const [row] = await query<Row>(
        'select is_active, added_at, removed_at from public.members where kennitala = $1',
        [kennitala],
      );
      if (row === undefined) return { state: 'absent' };
      return {
        state: row.is_active ? 'active' : 'inactive',
        addedAt: row.added_at?.toISOString() ?? null,
        removedAt: row.removed_at?.toISOString() ?? null,
      };
    }),
});
