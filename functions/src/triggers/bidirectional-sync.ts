import { onSchedule } from 'firebase-functions/scheduler';
import { accountOf, REGION } from '../settings.ts';

/**
 * The nightly sweep, both ways. Each delivery is claimed and each change of the registry is applied by its version, so a
 * repeated occurrence does no harm.
 */
export const bidirectionalSync = onSchedule(
  {
    schedule: '30 3 * * *',
    timeZone: 'Atlantic/Reykjavik',
    region: REGION,
    serviceAccount: accountOf('sync-two-way'),
    memory: '256MiB',
    timeoutSeconds: 540,
    maxInstances: 1,
    concurrency: 1,
    retryCount: 3,
    minBackoffSeconds: 300,
    maxBackoffSeconds: 3_600,
  },
  async () => {
    const { runScheduledTwoWay } = await import('../wiring/twoway.ts');
    await runScheduledTwoWay();
  },
);
