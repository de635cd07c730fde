import type { DueNotification, Outbox } from '../../register/ports.ts';
import type { Database } from './database.ts';
import { retried } from './failures.ts';

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
