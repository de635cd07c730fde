import type { Kennitala } from '../../domain/kennitala.ts';
import { BUCKETS, NO_MEMBERS, type SetSums } from '../../domain/member/digest.ts';
import type { RegisterDigests } from '../../proof/digest-ports.ts';
import type { ChangedRow, Eligibility, RegisterReader, SyncLogEntry } from '../../register/ports.ts';
import { type Database, makeCheckedReads, readSchemaVersion, SCHEMA_VERSION } from './database.ts';

const LOG_COLUMNS = `id, sync_type, sync_timestamp, members_added, members_removed, members_verified, error_count, status,
  details`;

/** What the API reads: each statement sees what was committed before it. */
export const makeRegisterReader = (database: Database): RegisterReader => {
  const read = makeCheckedReads(database);
  const oneLog = async (where: string): Promise<SyncLogEntry | null> => {
    const [row] = await read<SyncLogEntry>(
      `select ${LOG_COLUMNS} from public.sync_log where ${where} order by sync_timestamp desc, id desc limit 1`,
    );
    return row ?? null;
  };

  return {
    readSchema: async () => ({ version: await readSchemaVersion(database.read), needed: SCHEMA_VERSION }),

    readStatus: async () => {
      const [counts] = await read<{ active: number; inactive: number; waiting: number }>(
        `select (select count(*)::int from public.members where is_active) as active,
                (select count(*)::int from public.members where is_active is not true) as inactive,
                (select count(*)::int from public.notification_outbox
                  where delivered_at is null and failed_at is null) as waiting`,
      );
      const { active = 0, inactive = 0, waiting = 0 } = counts ?? {};
      return {
        lastRun: await oneLog(`sync_type <> 'webhook'`),
        lastSuccess: await oneLog(`sync_type <> 'webhook' and status = 'success'`),
        active,
        inactive,
        waitingNotifications: waiting,
      };
    },

    readLogs: ({ limit, before, status, type }) =>
      read<SyncLogEntry>(
        `select ${LOG_COLUMNS} from public.sync_log
          where ($2::int is null or id < $2) and ($3::text is null or status = $3)
            and ($4::text is null or sync_type = $4)
          order by id desc limit $1`,
        [limit, before, status, type],
      ),

    readEligibility: async (kennitalas) => {
      const found = await read<Eligibility & { readonly verifiedAt: Date | null }>(
        `select asked.kennitala, coalesce(m.is_active, false) as active,
                case when m.is_active then coalesce((m.metadata->>'date_joined')::timestamptz, m.added_at) end as since,
                (select max(sync_timestamp) from public.sync_log
                  where sync_type <> 'webhook' and status = 'success') as "verifiedAt"
           from unnest($1::text[]) with ordinality as asked(kennitala, position)
           left join public.members m on m.kennitala = asked.kennitala
          order by asked.position`,
        [kennitalas],
      );
      return {
        members: found.map(({ verifiedAt: _, ...member }) => member),
        verifiedAt: found[0]?.verifiedAt ?? null,
      };
    },

    readChanges: (runId, { after, limit }) =>
      read<ChangedRow>(
        `select c.member_id as "memberId", c.kind, m.kennitala
           from public.sync_log l
           join public.member_changes c on c.log_id = l.id
           join public.members m on m.id = c.member_id
          where l.details->>'run' = $1 and c.member_id > $2 order by c.member_id limit $3`,
        [runId, after, limit],
      ),
  };
};

interface SumsRow {
  readonly bucket: number;
  readonly count: number;
  readonly a: string;
  readonly b: string;
}

interface MemberRow {
  readonly kennitala: Kennitala;
  readonly a: string | null;
  readonly b: string | null;
}

/** Sums are texts on the wire, since they are longer than an integer; below 2^53 they are exact as numbers. */
const SUMS = `
  select digest_bucket as bucket, count(*)::int as count,
         coalesce(sum(digest_a), 0)::text as a, coalesce(sum(digest_b), 0)::text as b
    from public.members where is_active group by 1`;

const ROWS = `
  select kennitala, digest_a::text as a, digest_b::text as b
    from public.members where is_active and digest_bucket = any($1::smallint[])`;

/** The register's side of a proof: each call one statement. */
export const makeRegisterDigests = (database: Database): RegisterDigests => {
  const read = makeCheckedReads(database);
  return {
    sums: async () => {
      const sums: SetSums[] = Array.from({ length: BUCKETS }, () => NO_MEMBERS);
      for (const { bucket, count, a, b } of await read<SumsRow>(SUMS)) {
        sums[bucket] = { count, a: Number(a), b: Number(b) };
      }
      return sums;
    },
    rows: async (buckets) =>
      (await read<MemberRow>(ROWS, [buckets])).map(({ kennitala, a, b }) => ({
        kennitala,
        ...(a !== null && b !== null && { digest: { a: Number(a), b: Number(b) } }),
      })),
  };
};
