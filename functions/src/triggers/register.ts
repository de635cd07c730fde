import { accountOf } from '../settings.ts';
import { httpFunction, scheduledFunction } from './make-function.ts';

/**
 * The register's REST API (docs/api.md). Open to the network because Cloud Run cannot check API keys and Firebase ID
 * tokens; who calls is checked in the API before a body is read.
 */
export const membershipSync = httpFunction('membershipSync', {
  serviceAccount: accountOf('sync-register'),
  memory: '512MiB',
  timeoutSeconds: 540,
  maxInstances: 3,
  concurrency: 20,
  maxBodyBytes: 64 * 1024,
  app: async () => (await import('../wiring/register.ts')).registerApi(),
});

/**
 * The hourly run of the register, and the notifications that are due. Cloud Scheduler delivers at least once, so an
 * occurrence that has been done is skipped; a failed one is tried again within the hour.
 */
export const membershipSyncHourly = scheduledFunction(
  'membershipSyncHourly',
  {
    schedule: '0 * * * *',
    serviceAccount: accountOf('sync-register'),
    memory: '512MiB',
    timeoutSeconds: 540,
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
