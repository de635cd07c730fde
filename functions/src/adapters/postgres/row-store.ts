import { type EventResult, type RowStore, SAID } from '../../register/ports.ts';
import { type Database, makeCheckedTransactions, type Query } from './database.ts';

interface Written {
  readonly id: number;
  readonly kind: 'added' | 'reactivated' | 'updated' | 'removed';
}

/**
 * An event waits in a webhook's answer for its row, or for the table that a sync holds: once and briefly. What it misses,
 * the next run brings.
 */
const LIMITS = { statementMs: 2_000, lockMs: 1_500, idleMs: 5_000, attempts: 1 } as const;

/** How a database is opened that only these rows are written through, so that a silent server costs seconds. */
export const ROW_STORE_DATABASE = {
  maxConnections: 2,
  connectTimeoutMs: 2_000,
  answerTimeoutMs: 2_500,
} as const;

/** Rows of one member, for registry events. Waits a moment while a sync holds the table; then the versions decide. */
export const makeRowStore = (database: Database): RowStore => {
  const inTransaction = makeCheckedTransactions(database, LIMITS);

  return {
    upsert: (member, at) =>
      inTransaction(async (query) => {
        const { kennitala, name, email, phone, external_id, date_joined, version, said } = member;
        const { digest_a, digest_b } = member;
        const metadata = {
          ...((said & SAID.dateJoined) !== 0 && { date_joined }),
          ...((said & SAID.version) !== 0 && { version }),
        };
        const values = [
          ...[kennitala, name, email, phone, external_id, JSON.stringify(metadata), said, at],
          ...[digest_a, digest_b],
        ];
        const before = await readRow(query, kennitala);
        if (isStale(before, version)) return 'stale';
        if (version !== null && isFoundGone(before)) return 'skipped';
        const [written] = await query<{ id: number }>(before === undefined ? INSERT : UPDATE, values);
        if (written === undefined) return 'unchanged';
        const kind = before === undefined ? 'added' : before.is_active ? 'updated' : 'reactivated';
        await logEvent(query, { id: written.id, kind }, at);
        return 'applied';
      }),

    deactivate: ({ kennitala, version }, at) =>
      inTransaction(async (query): Promise<EventResult> => {
        const gone = JSON.stringify({ version, removed_version: version });
        const [kept] = await query<{ id: number }>(INSERT_GONE, [kennitala, gone, at]);
        if (kept !== undefined) return 'unchanged';
        const before = await readRow(query, kennitala);
        if (before === undefined) return 'skipped';
        if (isStale(before, version)) return 'stale';
        const removal = isFoundGone(before) ? {} : { removed_version: version };
        const said = version === null ? {} : { version, ...removal };
        await query(
          `update public.members
              set is_active = false, digest_a = null, digest_b = null,
                  removed_at = case when is_active then $3 else removed_at end,
                  metadata = coalesce(metadata, '{}') || $2::jsonb
            where id = $1`,
          [before.id, JSON.stringify(said), at],
        );
        if (!before.is_active) return 'unchanged';
        await logEvent(query, { id: before.id, kind: 'removed' }, at);
        return 'applied';
      }),
  };
};

interface Row {
  readonly id: number;
  readonly is_active: boolean;
  readonly version: string | null;
  /** The version of the deletion, where an event brought it. */
  readonly removed_version: string | null;
}

const readRow = async (query: Query, kennitala: string): Promise<Row | undefined> => {
  const [row] = await query<Row>(
    `select id, is_active, metadata->>'version' as version, metadata->>'removed_version' as removed_version
       from public.members where kennitala = $1 for update`,
    [kennitala],
  );
  return row;
};

const isStale = (row: Row | undefined, version: number | null): boolean =>
  version !== null && row !== undefined && row.version !== null && Number(row.version) >= version;

/**
 * Deactivated by a run, which found the member gone and knows no version of that: an event may be newer than the row and
 * older than the deletion. The next run knows. An event of a deletion does not end this, as it can be of an earlier one.
 */
const isFoundGone = (row: Row | undefined): boolean =>
  row !== undefined &&
  !row.is_active &&
  (row.removed_version === null || row.removed_version !== row.version);

const newValue = (column: string, bit: number, value: string): string =>
  `${column} = case when $7::int & ${bit} <> 0 then ${value} else m.${column} end`;

/** What both statements set: the columns that the registry spoke of, unless the row is newer. */
const SET = (said: (column: string, parameter: string) => string): string => `
  ${newValue('name', SAID.name, said('name', '$2'))},
  ${newValue('email', SAID.email, said('email', '$3'))},
  ${newValue('phone', SAID.phone, said('phone', '$4'))},
  ${newValue('external_id', SAID.externalId, said('external_id', '$5'))},
  metadata = coalesce(m.metadata, '{}') || ${said('metadata', '$6::jsonb')},
  digest_a = ${said('digest_a', '$9::bigint')}, digest_b = ${said('digest_b', '$10::bigint')},
  is_active = true, removed_at = null, last_verified_at = ${said('last_verified_at', '$8::timestamptz')}
  where coalesce((m.metadata->>'version')::bigint < (${said('metadata', '$6::jsonb')}->>'version')::bigint, true)`;

/** Of a row that is there: an insert that meets it would use up a number of the id's sequence with every event. */
const UPDATE = `
  update public.members as m set ${SET((_, parameter) => parameter)} and m.kennitala = $1
  returning m.id`;

/** Two events of a new member meet at the unique kennitala: the later one updates, if it is newer. */
const INSERT = `
  insert into public.members as m
         (kennitala, name, email, phone, external_id, metadata, digest_a, digest_b, added_at, last_verified_at, sync_source,
          is_active)
  select $1, $2, $3, $4, $5, $6::jsonb, $9::bigint, $10::bigint, $8::timestamptz, $8::timestamptz, 'django',
         $7::int is not null
  on conflict (kennitala) do update set ${SET((column) => `excluded.${column}`)}
  returning m.id`;

/**
 * Whom the register never had: their creation may be under way still, by an event, a run that had read them, or a writer who
 * waits for this commit, and each finds the deletion's version here. The row is what the two in their order leave, without a
 * name and a contact. One that such a writer has inserted first is left as it is.
 */
const INSERT_GONE = `
  insert into public.members (kennitala, name, is_active, added_at, removed_at, sync_source, metadata)
  select $1::varchar, '', false, $3::timestamptz, $3::timestamptz, 'django', $2::jsonb
   where not exists (select from public.members where kennitala = $1)
  on conflict (kennitala) do nothing
  returning id`;

const logEvent = async (query: Query, { id, kind }: Written, at: Date): Promise<void> => {
  const [log] = await query<{ id: number }>(
    `insert into public.sync_log (sync_type, sync_timestamp, members_added, members_removed, status, details)
     values ('webhook', $1, $2, $3, 'success', jsonb_build_object('kind', $4::text)) returning id`,
    [at, kind === 'added' || kind === 'reactivated' ? 1 : 0, kind === 'removed' ? 1 : 0, kind],
  );
  await query(
    `insert into public.member_changes (log_id, member_id, kind, changed_at) values ($1, $2, $3, $4)`,
    [log?.id, id, kind, at],
  );
};
