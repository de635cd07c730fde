import { onSchedule } from 'firebase-functions/scheduler';
import { accountOf, REGION } from '../settings.ts';

/**
 * Looks four times a day for what no event tells: a mirror paused for a week, dead letters and conflicts that wait for
 * more than a day. Each is an ERROR entry that an alert policy finds; a delivery twice only says it twice.
 */
export const watchMirrors = onSchedule(
  {
    schedule: '15 2,8,14,20 * * *',
    timeZone: 'Atlantic/Reykjavik',
    region: REGION,
    serviceAccount: accountOf('sync-ops'),
    memory: '256MiB',
    timeoutSeconds: 60,
    maxInstances: 1,
    concurrency: 1,
    retryCount: 2,
  },
  async () => {
    const { watchMirrors: watch } = await import('../wiring/ops.ts');
    await watch();
  },
);
