import type { Database } from './database.ts';

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
