import type { SyncError } from '../lib/errors.ts';
import type { LogSink } from '../lib/log.ts';

/** The messages of the register besides those of a run. */
export const makeRegisterLogs = (sink: LogSink) => ({
  logRowLost: (runId: string, failure: SyncError) =>
    sink('ERROR', `[REGISTER] The failed run's row in sync_log could not be written: ${failure.code}`, {
      event: 'register_log_lost',
      runId,
      code: failure.code,
      detail: failure.message,
    }),
  databaseRetry: (attempt: number, failure: SyncError) =>
    sink('WARNING', `[REGISTER] Attempt ${attempt} of a transaction failed: ${failure.code}`, {
      event: 'database_retry',
      attempt,
      code: failure.code,
      ...failure.details,
    }),
  notConfigured: () =>
    sink('NOTICE', '[REGISTER] There is no database in the settings, so nothing was done', {
      event: 'register_not_configured',
    }),
  afterwardsFailed: (failure: SyncError) =>
    sink('ERROR', `[REGISTER] Notifications or old rows were not dealt with: ${failure.code}`, {
      event: 'register_afterwards_failed',
      code: failure.code,
      detail: failure.message,
    }),
  eventApplied: (member: string, action: string, result: string) =>
    sink('INFO', `[REGISTER] Event ${action}: ${result}`, {
      event: 'register_event',
      member,
      action,
      result,
    }),
  notified: (subscriber: string, messageId: string, attempts: number) =>
    sink('INFO', `[REGISTER] Notified ${subscriber}`, { event: 'notified', subscriber, messageId, attempts }),
  notNotified: (subscriber: string, messageId: string, attempts: number, why: string, isLast: boolean) =>
    sink(
      isLast ? 'ERROR' : 'WARNING',
      isLast
        ? `[REGISTER] ${subscriber} was not notified after ${attempts} attempts: ${why}`
        : `[REGISTER] ${subscriber} was not notified: ${why}; tried again later`,
      {
        event: isLast ? 'notification_failed' : 'notification_retry',
        subscriber,
        messageId,
        attempts,
        code: why,
      },
    ),
  request: (fields: {
    requestId: string;
    route: string;
    status: number;
    milliseconds: number;
    caller: string;
  }) => sink('INFO', `[API] ${fields.route} ${fields.status}`, { event: 'api_request', ...fields }),
});

export type RegisterLogs = ReturnType<typeof makeRegisterLogs>;
