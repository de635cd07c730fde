import { accountOf } from '../settings.ts';
import { httpFunction, scheduledFunction } from './make-function.ts';

/**
 * The operators' API: `docs/ops-api.md`. Open to the network, since Cloud Run cannot check a Firebase ID token; who
 * calls is checked before anything is read. It waits for the runs that it starts, so its time limit is the longest of
 * theirs; few people use it at once.
 */
export const opsApi = httpFunction('opsApi', {
  serviceAccount: accountOf('sync-ops'),
  memory: '512MiB',
  timeoutSeconds: 1_800,
  maxInstances: 3,
  concurrency: 20,
  cpu: 1,
  maxBodyBytes: 64 * 1024,
  app: async () => (await import('../wiring/ops.ts')).opsApp(),
});

/**
 * Compares the registry, the roster, the portal and the register by sums, and has mended what differs. Every ten minutes, and
 * five after the hour, when the scheduled runs of the mirrors have ended. One at a time: a repetition would only find the
 * leases taken.
 */
export const proveMembers = scheduledFunction(
  'proveMembers',
  {
    schedule: '5-59/10 * * * *',
    serviceAccount: accountOf('sync-ops'),
    memory: '512MiB',
    timeoutSeconds: 1_800,
    retryCount: 0,
  },
  async () => {
    const { runProof } = await import('../wiring/proof.ts');
    await runProof();
  },
);

/**
 * Looks four times a day for what no event tells: a mirror paused for a week, dead letters and conflicts that wait for
 * more than a day. Each is an ERROR entry that an alert policy finds; a delivery twice only says it twice.
 */
export const watchMirrors = scheduledFunction(
  'watchMirrors',
  {
    schedule: '15 2,8,14,20 * * *',
    serviceAccount: accountOf('sync-ops'),
    memory: '256MiB',
    timeoutSeconds: 60,
    retryCount: 2,
  },
  async () => {
    const { runWatch } = await import('../wiring/ops.ts');
    await runWatch();
  },
);
