import { onSchedule } from 'firebase-functions/scheduler';
import { accountOf, REGION } from '../settings.ts';

/**
 * The hourly run of the register, and the notifications that are due. Cloud Scheduler delivers at least once, so an
 * occurrence that has been done is skipped; a failed one is tried again within the hour.
 */
export const membershipSyncHourly = onSchedule(
  {
    schedule: '0 * * * *',
    timeZone: 'Atlantic/Reykjavik',
    region: REGION,
    serviceAccount: accountOf('sync-register'),
    memory: '512MiB',
    timeoutSeconds: 540,
    maxInstances: 1,
    concurrency: 1,
    retryCount: 3,
    minBackoffSeconds: 60,
    maxBackoffSeconds: 900,
    maxDoublings: 4,
  },
  async ({ jobName, scheduleTime }) => {
    const { runScheduledRegister } = await import('../wiring/register.ts');
    await runScheduledRegister({ job: jobName ?? 'membershipSyncHourly', time: scheduleTime });
  },
);
