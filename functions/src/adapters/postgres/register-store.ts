import type { Kennitala } from '../../domain/kennitala.ts';
import { isSyncError, SyncError } from '../../lib/errors.ts';
import type {
  CommitOrder,
  DueNotification,
  Outbox,
  RegisterDifferences,
  RegisterStore,
  RegisterTransaction,
} from '../../register/ports.ts';
import {
  assertSchema,
  type Database,
  type Query,
  type RetriedOptions,
  retried,
  SYNC_LOCK,
  type Transaction,
} from './database.ts';
import * as apply from './stage-statements.ts';
import * as stage from './stage-statements.ts';

export interface RegisterStoreOptions extends Pick<RetriedOptions, 'clock' | 'onRetry'> {
  /** Members a statement: so many that round trips do not count, so few that all texts stay below 3 MB. */
  readonly comparedAtOnce?: number;
}

/** The register over PostgreSQL: one transaction a run, and every step one statement over all members. */
export const makeRegisterStore = (
  database: Database,
  { comparedAtOnce = 10_000, ...options }: RegisterStoreOptions = {},
): RegisterStore => {
  const inTransaction = <T>(work: (query: Query) => Promise<T>): Promise<T> =>
    retried(() => database.transaction(work), options);

  const resolveLostCommit = async (failure: SyncError, logId: number): Promise<void> => {
    const [row] = await inTransaction((query) =>
      query<{ status: string }>('select status from public.sync_log where id = $1', [logId]),
    );
    if (row?.status === 'success') return;
    throw new SyncError('storage_conflict', 'The transaction was lost before it was committed.', {
      cause: failure,
    });
  };

  const commit = async (transaction: Transaction, order: CommitOrder, work: Work): Promise<void> => {
    try {
      await writeChanges(transaction.query, order, work);
    } catch (cause) {
      await transaction.rollback();
      if (!isSyncError(cause, 'database_unavailable')) throw cause;
      throw new SyncError('storage_conflict', 'The transaction was lost before it was committed.', { cause });
    }
    try {
      await transaction.commit();
    } catch (cause) {
      if (!isSyncError(cause, 'database_unavailable')) throw cause;
      await resolveLostCommit(cause, order.logId);
    }
  };

  return {
    assertSchema: () => inTransaction(assertSchema),

    openLog: ({ syncType, runId, at, abandonedBefore }) =>
      inTransaction(async (query) => {
        await assertSchema(query);
        await query(
          `update public.sync_log set status = 'failed', details = details || '{"code": "abandoned"}'
            where status = 'pending' and sync_timestamp < $1`,
          [abandonedBefore],
        );
        const [row] = await query<{ id: number }>(
          `insert into public.sync_log (sync_type, sync_timestamp, status, details)
           values ($1, $2, 'pending', jsonb_build_object('run', $3::text)) returning id`,
          [syncType, at, runId],
        );
        if (row === undefined) throw new SyncError('internal', 'An insert returned no row.');
        return row.id;
      }),

    failLog: async (logId, { added, removed, verified, errors }, details) => {
      const values = [logId, 'failed', added, removed, verified, errors, JSON.stringify(details)];
      await inTransaction((query) => query(apply.CLOSE_LOG, values));
    },

    stage: (members, unreadable, { signal, exclusive, startedAt, buckets }) =>
      retried(
        async (): Promise<RegisterTransaction> => {
          const transaction = await database.begin();
          const { query } = transaction;
          try {
            await assertSchema(query);
            if (exclusive) await shutOutWriters(query);
            await query(stage.CREATE_PLAN);
            if (unreadable.length > 0) await query(stage.STAGE_UNREADABLE, [JSON.stringify(unreadable)]);
            for (const values of stage.toComparisons(members, { startedAt, buckets, comparedAtOnce })) {
              assertGoing(signal);
              await query(stage.PLAN_CHANGES, values);
            }
            const differences = await compare(query, members.length);
            return {
              differences,
              commit: (order) =>
                commit(transaction, order, {
                  hasChanges: differences.digest !== NO_OPERATIONS,
                  hasUnreadable: unreadable.length > 0,
                  isWhole: buckets === undefined,
                }),
              rollback: () => transaction.rollback(),
            };
          } catch (cause) {
            await transaction.rollback();
            throw cause;
          }
        },
        { ...options, signal },
      ),
  };
};

/**
 * One sync at a time on this database, whatever the lease says, and no other writer of members until the end: what the
 * plan compared is what is written over. Readers are not held up.
 */
const shutOutWriters = async (query: Query): Promise<void> => {
  await query('select pg_advisory_xact_lock($1)', [SYNC_LOCK]);
  await query('lock table public.members in share row exclusive mode');
};

interface Figures {
  readonly active: number;
  readonly inactive: number;
  readonly digest: string;
  readonly name: number;
  readonly email: number;
  readonly phone: number;
}

/** The digest of a plan that writes no member row. */
const NO_OPERATIONS = '';

const compare = async (query: Query, staged: number): Promise<RegisterDifferences> => {
  const [figures] = await query<Figures>(stage.READ_FIGURES);
  if (figures === undefined) throw new SyncError('internal', 'An aggregate returned no row.');
  const kinds: Record<string, Kennitala[]> = { added: [], reactivated: [], updated: [], removed: [] };
  for (const { kennitala, kind } of await query<{ kennitala: Kennitala; kind: string }>(stage.READ_CHANGES)) {
    kinds[kind]?.push(kennitala);
  }
  const { added = [], reactivated = [], updated = [], removed = [] } = kinds;
  const { active, inactive, digest, name, email, phone } = figures;
  const unchanged = staged - added.length - reactivated.length - updated.length;
  const blanked = { name, email, phone };
  return { active, inactive, added, reactivated, updated, removed, blanked, unchanged, digest };
};

/** What there is to write besides the log: where nothing can match, a statement would only be planned and travel. */
interface Work {
  readonly hasChanges: boolean;
  readonly hasUnreadable: boolean;
  readonly isWhole: boolean;
}

const writeChanges = async (
  query: Query,
  order: CommitOrder,
  { hasChanges, hasUnreadable, isWhole }: Work,
): Promise<void> => {
  const run = [order.logId, order.at];
  if (hasChanges) {
    await query(apply.DEACTIVATE_REMOVED, run);
    await query(apply.UPDATE_CHANGED, run);
    await query(apply.INSERT_ADDED, run);
    await query(apply.NOTE_DIGESTS);
  }
  if (isWhole && hasUnreadable) await query(apply.KEEP_UNVERIFIED);
  if (isWhole) await query(apply.FORGET_VERIFIED);
  for (const { messageId, subscriber, body } of order.notifications) {
    await query(apply.INSERT_NOTIFICATION, [messageId, subscriber, body]);
  }
  const { added, removed, verified, errors } = order.counts;
  await query(apply.CLOSE_LOG, [
    order.logId,
    'success',
    added,
    removed,
    verified,
    errors,
    JSON.stringify(order.details),
  ]);
};

const assertGoing = (signal: AbortSignal): void => {
  if (!signal.aborted) return;
  throw new SyncError('deadline_exceeded', 'The run reached its time limit before anything was written.');
};

/** The outbox table. A claim lasts until its time is up; two deliverers never hold the same message. */
export const makeOutbox = (database: Database): Outbox => ({
  claimDue: ({ at, limit, claimMs }) =>
    retried(() =>
      database.transaction((query) =>
        query<DueNotification>(
          `update public.notification_outbox o
              set attempts = attempts + 1, next_attempt_at = $3
            where o.id in (
              select id from public.notification_outbox
               where delivered_at is null and failed_at is null and next_attempt_at <= $1
               order by next_attempt_at, id limit $2 for update skip locked)
          returning o.id::text, o.message_id as "messageId", o.subscriber, o.body, o.attempts`,
          [at, limit, new Date(at.getTime() + claimMs)],
        ),
      ),
    ),

  markDelivered: async ({ id, attempts }, at) => {
    await retried(() =>
      database.transaction((query) =>
        query(
          `update public.notification_outbox set delivered_at = $3, last_error = null
            where id = $1 and attempts = $2 and delivered_at is null`,
          [id, attempts, at],
        ),
      ),
    );
  },

  markFailed: async ({ id, attempts }, { at, error, nextAttemptAt }) => {
    await retried(() =>
      database.transaction((query) =>
        query(
          `update public.notification_outbox
              set last_error = $3, next_attempt_at = coalesce($4, next_attempt_at),
                  failed_at = case when $4::timestamptz is null then $5::timestamptz end
            where id = $1 and attempts = $2 and delivered_at is null`,
          [id, attempts, error, nextAttemptAt, at],
        ),
      ),
    );
  },
});

const DAY_MS = 86_400_000;
/** As long as the run records in Firestore are kept. */
const LOG_KEPT_DAYS = 365;
const NOTIFICATION_KEPT_DAYS = 30;

/** Deletes what is past its time. The newest success stays, however old: members were last verified then. */
export const removeExpired = (database: Database, at: Date): Promise<void> =>
  database.transaction(async (query) => {
    const logsBefore = new Date(at.getTime() - LOG_KEPT_DAYS * DAY_MS);
    await query('delete from public.member_changes where changed_at < $1', [logsBefore]);
    await query(
      `delete from public.sync_log
        where sync_timestamp < $1
          and id <> coalesce((select id from public.sync_log where status = 'success' and sync_type <> 'webhook'
                               order by sync_timestamp desc, id desc limit 1), 0)`,
      [logsBefore],
    );
    await query('delete from public.notification_outbox where coalesce(delivered_at, failed_at) < $1', [
      new Date(at.getTime() - NOTIFICATION_KEPT_DAYS * DAY_MS),
    ]);
  });
