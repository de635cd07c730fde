import { onSchedule } from 'firebase-functions/scheduler';
import { accountOf, REGION } from '../settings.ts';

/**
 * The nightly reconcile of the portal. An occurrence that has been done is skipped; one that failed or was left
 * half-way is tried again after 2, 4, 8, … minutes and goes on where it was.
 */
export const reconcileMembers = onSchedule(
  {
    schedule: '0 4 * * *',
    timeZone: 'Atlantic/Reykjavik',
    region: REGION,
    serviceAccount: accountOf('sync-portal'),
    memory: '256MiB',
    timeoutSeconds: 1_800,
    maxInstances: 1,
    concurrency: 1,
    retryCount: 5,
    minBackoffSeconds: 120,
    maxBackoffSeconds: 3_600,
    maxDoublings: 5,
  },
  async ({ jobName, scheduleTime }) => {
    const { runScheduledReconcile } = await import('../wiring/reconcile.ts');
    await runScheduledReconcile({ job: jobName ?? 'reconcileMembers', time: scheduleTime });
  },
);
