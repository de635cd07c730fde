import { scheduledFunction } from './http-function.ts';

/**
 * The weekly run. Cloud Scheduler's job is `firebase-schedule-syncMemberList-europe-west2`; it delivers at least
 * once, so an occurrence that has been done is skipped. A failed one is tried again after 1, 2, 4, … minutes.
 */
export const syncMemberList = scheduledFunction(
  'syncMemberList',
  {
    schedule: '0 3 * * 1',
    serviceAccount: 'sync-roster@',
    memory: '256MiB',
    timeoutSeconds: 120,
    retryCount: 5,
    minBackoffSeconds: 60,
    maxBackoffSeconds: 3_600,
    maxDoublings: 5,
  },
  async ({ jobName, scheduleTime }) => {
    const { runScheduledRoster } = await import('../wiring/roster.ts');
    await runScheduledRoster({ job: jobName ?? 'syncMemberList', time: scheduleTime });
  },
);
