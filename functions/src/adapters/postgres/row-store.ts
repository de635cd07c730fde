import type { EventResult, RowStore } from '../../register/apply-event.ts';
import { SAID } from '../../register/ports.ts';
import { makeCheckedTransactions } from './checked-transaction.ts';
import type { Database, Query } from './database.ts';

interface Written {
  readonly id: number;
  readonly kind: 'added' | 'reactivated' | 'updated' | 'removed';
}

/** Rows of one member, for registry events. Waits while a sync holds the table; then the versions decide. */
export const makeRowStore = (database: Database): RowStore => {
  const inTransaction = makeCheckedTransactions(database);

  return {
    upsert: (member, at) =>
      inTransaction(async (query) => {
        const { kennitala, name, email, phone, external_id, date_joined, version, said } = member;
        const metadata = {
          ...((said & SAID.dateJoined) !== 0 && { date_joined }),
          ...((said & SAID.version) !== 0 && { version }),
        };
        const values = [kennitala, name, email, phone, external_id, JSON.stringify(metadata), said, at];
        const before = await readRow(query, kennitala);
        if (isStale(before, version)) return 'stale';
        if (version !== null && isFoundGone(before)) return 'skipped';
        const [written] = await query<{ id: number }>(UPSERT, values);
        if (written === undefined) return 'unchanged';
        const kind = before === undefined ? 'added' : before.is_active ? 'updated' : 'reactivated';
        await logEvent(query, { id: written.id, kind }, at);
        return 'applied';
      }),

    deactivate: ({ kennitala, version }, at) =>
      inTransaction(async (query): Promise<EventResult> => {
        const before = await readRow(query, kennitala);
        if (before === undefined) return 'skipped';
        if (isStale(before, version)) return 'stale';
        const said = version === null ? {} : { version, removed_version: version };
        await query(
          `update public.members
              set is_active = false, removed_at = case when is_active then $3 else removed_at end,
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
 * older than the deletion. The next run knows.
 */
const isFoundGone = (row: Row | undefined): boolean =>
  row !== undefined &&
  !row.is_active &&
  (row.removed_version === null || row.removed_version !== row.version);

/** Two events of a new member meet at the unique kennitala: the later one updates, if it is newer. */
const UPSERT = `
  insert into public.members as m
         (kennitala, name, email, phone, external_id, metadata, added_at, last_verified_at, sync_source, is_active)
  select $1, $2, $3, $4, $5, $6::jsonb, $8::timestamptz, $8::timestamptz, 'django', $7::int is not null
  on conflict (kennitala) do update
     set name = case when $7 & 1 <> 0 then excluded.name else m.name end,
         email = case when $7 & 2 <> 0 then excluded.email else m.email end,
         phone = case when $7 & 4 <> 0 then excluded.phone else m.phone end,
         external_id = case when $7 & 8 <> 0 then excluded.external_id else m.external_id end,
         metadata = coalesce(m.metadata, '{}') || excluded.metadata,
         is_active = true, removed_at = null, last_verified_at = excluded.last_verified_at
   where coalesce((m.metadata->>'version')::bigint < (excluded.metadata->>'version')::bigint, true)
  returning m.id`;

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
