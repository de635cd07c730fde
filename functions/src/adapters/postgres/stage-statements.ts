import type { Kennitala } from '../../domain/kennitala.ts';
import type { StagedMember } from '../../register/ports.ts';

/** The tables of one transaction. What the registry says is in none of them, only what has to be written of it. */
export const CREATE_PLAN = `
  create temporary table unreadable_members (kennitala varchar(10), external_id varchar(255)) on commit drop;
  create temporary table planned_changes (
    kennitala varchar(10) not null, id integer, kind text not null, name varchar(255) not null, email varchar(255),
    phone varchar(20), external_id varchar(255), metadata jsonb not null, digest_a bigint, digest_b bigint
  ) on commit drop`;

export const STAGE_UNREADABLE = `
  insert into unreadable_members (kennitala, external_id)
  select kennitala, external_id from json_to_recordset($1::json) as sent(kennitala text, external_id text)`;

const SEPARATOR = '\u001f';
const NULL = '\u001e';

const COLUMNS = [
  'kennitala',
  'name',
  'email',
  'phone',
  'external_id',
  'date_joined',
  'version',
  'said',
  'digest_a',
  'digest_b',
] as const satisfies readonly (keyof StagedMember)[];

/** Each text ends with a separator, since the empty text alone would be no value at all. */
const toColumns = (members: readonly StagedMember[]): string[] =>
  COLUMNS.map((column) => members.map((member) => member[column] ?? NULL).join(SEPARATOR) + SEPARATOR);

interface Comparison {
  readonly startedAt: Date;
  readonly buckets?: readonly number[] | undefined;
  readonly comparedAtOnce: number;
}

/** The values of PLAN_CHANGES, a statement each. Together they cover whatever the register may hold as a kennitala. */
export function* toComparisons(
  members: readonly StagedMember[],
  { startedAt, buckets, comparedAtOnce }: Comparison,
): Generator<unknown[]> {
  let after: Kennitala | null = null;
  for (let from = 0; from === 0 || from < members.length; from += comparedAtOnce) {
    const some = members.slice(from, from + comparedAtOnce);
    const isLast = from + comparedAtOnce >= members.length;
    const until = isLast ? null : (some.at(-1)?.kennitala ?? null);
    yield [...toColumns(some), startedAt, buckets ?? null, after, until];
    after = until;
  }
}

/** One text a column: PostgreSQL takes it apart in half the time that JSON takes, and needs no quoting. */
const SAID_BY_REGISTRY = `
  select kennitala, name, email, phone, external_id, date_joined, version, said::integer as said,
         digest_a::bigint as digest_a, digest_b::bigint as digest_b
    from (select ${COLUMNS.map((column, n) => `unnest(string_to_array($${n + 1}, e'\\x1f', e'\\x1e')) as ${column}`).join(', ')}) sent
   where kennitala <> ''`;

/** Of what the registry says of a member, `s`, and the row `m`: whether it mentioned a value that the row has not. */
const IS_NEWS = `(s.said & 1 <> 0 and s.name <> m.name
           or s.said & 2 <> 0 and s.email is distinct from m.email
           or s.said & 4 <> 0 and s.phone is distinct from m.phone
           or s.said & 8 <> 0 and s.external_id is distinct from m.external_id
           or s.said & 16 <> 0 and s.date_joined is distinct from m.metadata->>'date_joined'
           or s.said & 32 <> 0 and s.version is distinct from m.metadata->>'version')`;

/**
 * Compares some members with the rows of $13 (excluded) to $14 (included; null: no bound), which are all that can be theirs, since
 * members come ascending. One row for every member row that has to be written: `kind`, the id of the row (null: a new one) and
 * the new values. A column that the registry did not mention has its old value here. Members whom the registry
 * lists but who could not be read are left as they are, and so are rows that an event wrote after the run had started ($11):
 * what the run read may be older than they are. Rows of which nothing but the digest is news are `noted`: no change that
 * anybody counts or is told of. Of members outside the buckets ($12; null: everybody was asked for) nothing is known.
 *
 * A full join can only be made by hashing or sorting, so no plan looks members up one by one.
 */
export const PLAN_CHANGES = `
  insert into planned_changes
         (kennitala, id, kind, name, email, phone, external_id, metadata, digest_a, digest_b)
  select coalesce(s.kennitala, m.kennitala), m.id,
         case when s.kennitala is null then 'removed' when m.id is null then 'added'
              when m.is_active is not true then 'reactivated' when ${IS_NEWS} then 'updated' else 'noted' end,
         case when s.said & 1 <> 0 then s.name else coalesce(m.name, '') end,
         case when s.said & 2 <> 0 then s.email else m.email end,
         case when s.said & 4 <> 0 then s.phone else m.phone end,
         case when s.said & 8 <> 0 then s.external_id else m.external_id end,
         coalesce(m.metadata, '{}')
           || case when s.said & 16 <> 0 then jsonb_build_object('date_joined', s.date_joined) else '{}' end
           || case when s.said & 32 <> 0 then jsonb_build_object('version', s.version::bigint) else '{}' end,
         s.digest_a, s.digest_b
    from (${SAID_BY_REGISTRY}) s
    full join (select * from public.members
                where ($13::text is null or kennitala > $13) and ($14::text is null or kennitala <= $14)) m
           on m.kennitala = s.kennitala
   where case
           when m.id is null then true
           when s.kennitala is not null then
             coalesce(greatest(m.last_verified_at, m.removed_at) <= $11, true)
             and (m.is_active is not true
               or s.digest_a is not null and (s.digest_a, s.digest_b) is distinct from (m.digest_a, m.digest_b)
               or ${IS_NEWS})
           else
             m.is_active
             and ($12::smallint[] is null or m.digest_bucket = any($12))
             and coalesce(m.last_verified_at <= $11, true)
             and not exists (select from unreadable_members u
                              where u.kennitala = m.kennitala or u.external_id = m.external_id)
         end`;

/**
 * Counts, and a digest of the operations in order and of the rows before them: equal exactly when the same rows would be written
 * the same way; empty when there are none.
 */
export const READ_FIGURES = `
  select counts.active, counts.inactive,
         coalesce(changes.digest, '') as digest, changes.name, changes.email, changes.phone
    from (
      select count(*) filter (where is_active)::int as active,
             count(*) filter (where is_active is not true)::int as inactive
        from public.members
    ) counts, (
      select encode(sha256(convert_to(string_agg(
               p.kind || p.kennitala || coalesce(md5(m::text), ''), ',' order by p.kennitala collate "C"), 'UTF8')), 'hex')
               as digest,
             count(*) filter (where p.kind = 'updated' and m.name <> '' and p.name = '')::int as name,
             count(*) filter (where p.kind = 'updated' and m.email is not null and p.email is null)::int as email,
             count(*) filter (where p.kind = 'updated' and m.phone is not null and p.phone is null)::int as phone
        from planned_changes p left join public.members m on m.id = p.id
    ) changes`;

export const READ_CHANGES =
  'select kennitala, kind from planned_changes where kind <> \'noted\' order by kennitala collate "C"';

/** $1 the id of the run's row in sync_log, $2 when it started. */
export const INSERT_ADDED = `
  with added as (
    insert into public.members
           (kennitala, name, email, phone, is_active, added_at, sync_source, external_id, metadata, digest_a, digest_b,
            last_verified_at)
    select kennitala, name, email, phone, true, $2, 'django', external_id, metadata, digest_a, digest_b, $2
      from planned_changes where kind = 'added' order by kennitala
    returning id
  )
  insert into public.member_changes (log_id, member_id, kind, changed_at) select $1, id, 'added', $2 from added`;

/** Who comes back keeps the row and its id, by which the services know them. */
export const UPDATE_CHANGED = `
  with changed as (
    update public.members m
       set name = p.name, email = p.email, phone = p.phone, external_id = p.external_id, metadata = p.metadata,
           digest_a = p.digest_a, digest_b = p.digest_b,
           is_active = true, removed_at = null, sync_source = 'django', last_verified_at = $2
      from planned_changes p
     where p.id = m.id and p.kind in ('updated', 'reactivated')
    returning m.id, p.kind
  )
  insert into public.member_changes (log_id, member_id, kind, changed_at) select $1, id, kind, $2 from changed`;

/** Not a change of the member: nobody is told, and the time of the last change stays. */
export const NOTE_DIGESTS = `
  update public.members m set digest_a = p.digest_a, digest_b = p.digest_b
    from planned_changes p where p.id = m.id and p.kind = 'noted'`;

/** The time of the last check that still found them is written down, since the view stops counting for them. */
export const DEACTIVATE_REMOVED = `
  with removed as (
    update public.members m
       set is_active = false, removed_at = $2, digest_a = null, digest_b = null, last_verified_at = v.last_verified_at
      from planned_changes p
      join public.members_verified v on v.id = p.id
     where p.id = m.id and p.kind = 'removed'
    returning m.id
  )
  insert into public.member_changes (log_id, member_id, kind, changed_at) select $1, id, 'removed', $2 from removed`;

/** Members whom the run could not read keep their earlier time. Written before the run's own time takes effect. */
export const KEEP_UNVERIFIED = `
  insert into public.member_unverified (member_id, last_verified_at)
  select v.id, v.last_verified_at
    from public.members_verified v
   where v.is_active
     and exists (select from unreadable_members u where u.kennitala = v.kennitala or u.external_id = v.external_id)
  on conflict (member_id) do nothing`;

export const FORGET_VERIFIED = `
  delete from public.member_unverified k
   using public.members m
   where m.id = k.member_id
     and not exists (select from unreadable_members u where u.kennitala = m.kennitala or u.external_id = m.external_id)`;

export const INSERT_NOTIFICATION = `
  insert into public.notification_outbox (message_id, subscriber, body) values ($1, $2, $3)
  on conflict (message_id, subscriber) do nothing`;

/** Only from pending: a commit whose answer was lost and that did take effect is not written over. */
export const CLOSE_LOG = `
  update public.sync_log
     set status = $2, members_added = $3, members_removed = $4, members_verified = $5, error_count = $6,
         details = details || $7::jsonb
   where id = $1 and status = 'pending'`;
