import { scheduledFunction } from './http-function.ts';

/**
 * Looks four times a day for what no event tells: a mirror paused for a week, dead letters and conflicts that wait for
 * more than a day. Each is an ERROR entry that an alert policy finds; a delivery twice only says it twice.
 */
export const watchMirrors = scheduledFunction(
  'watchMirrors',
  {
    schedule: '15 2,8,14,20 * * *',
    serviceAccount: 'sync-ops@',
    memory: '256MiB',
    timeoutSeconds: 60,
    retryCount: 2,
  },
  async () => {
    const { watchMirrors: watch } = await import('../wiring/ops.ts');
    await watch();
  },
);
