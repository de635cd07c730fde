import { onSchedule } from 'firebase-functions/scheduler';
import { accountOf, REGION } from '../settings.ts';

/**
 * The weekly run. Cloud Scheduler's job is `firebase-schedule-syncMemberList-europe-west2`; it delivers at least
 * once, so an occurrence that has been done is skipped. A failed one is tried again after 1, 2, 4, … minutes.
 */
export const syncMemberList = onSchedule(
  {
    schedule: '0 3 * * 1',
    timeZone: 'Atlantic/Reykjavik',
    region: REGION,
    serviceAccount: accountOf('sync-roster'),
    memory: '256MiB',
    timeoutSeconds: 120,
    maxInstances: 1,
    concurrency: 1,
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
