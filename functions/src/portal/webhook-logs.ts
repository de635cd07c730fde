import type { SyncError } from '../lib/errors.ts';
import { type LogSink, severityOfFault } from '../lib/log.ts';
import type { AppliedEvent } from './apply-event.ts';
import type { FollowedHint } from './follow-hint.ts';

/** The messages of the webhook. A member is named by the opaque reference only. */
export const makeWebhookLogs = (log: LogSink) => ({
  received: ({ result, receipt }: Pick<AppliedEvent, 'result' | 'receipt'>, milliseconds: number) =>
    log('INFO', `[WEBHOOK] ${result}`, {
      event: 'webhook_received',
      result,
      action: receipt.action,
      member: receipt.member,
      milliseconds,
    }),
  followed: (member: string, result: FollowedHint, looks: number, milliseconds: number) =>
    log(result === 'unconfirmed' ? 'WARNING' : 'INFO', `[WEBHOOK] A hint was followed: ${result}`, {
      event: 'hint_followed',
      result,
      member,
      looks,
      milliseconds,
    }),
  skipped: () =>
    log('INFO', '[WEBHOOK] skipped: a placeholder', { event: 'webhook_received', result: 'skipped' }),
  refused: ({ code, httpStatus, details }: SyncError) =>
    log(httpStatus >= 500 ? severityOfFault(log, code) : 'WARNING', `[WEBHOOK] Refused: ${code}`, {
      event: 'webhook_refused',
      code,
      status: httpStatus,
      ...details,
    }),
  registerMissed: ({ code }: SyncError) =>
    log('WARNING', `[WEBHOOK] The register did not take the event: ${code}. Its next run will.`, {
      event: 'webhook_register_missed',
      code,
    }),
  failed: (reference: string, stack: string) =>
    log(severityOfFault(log, stack), '[WEBHOOK] Unexpected failure', {
      event: 'webhook_failed',
      reference,
      stack,
    }),
});

export type WebhookLogs = ReturnType<typeof makeWebhookLogs>;
