import { scheduledFunction } from './http-function.ts';

/**
 * The nightly sweep, both ways. Each delivery is claimed and each change of the registry is applied by its version, so a
 * repeated occurrence does no harm.
 */
export const bidirectionalSync = scheduledFunction(
  'bidirectionalSync',
  {
    schedule: '30 3 * * *',
    serviceAccount: 'sync-two-way@',
    memory: '256MiB',
    timeoutSeconds: 540,
    retryCount: 3,
    minBackoffSeconds: 300,
    maxBackoffSeconds: 3_600,
  },
  async () => {
    const { runScheduledTwoWay } = await import('../wiring/twoway.ts');
    await runScheduledTwoWay();
  },
);
