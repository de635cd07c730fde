import { accountOf, REGION } from '../settings.ts';
import { firestore, httpFunction, inItsProcess, scheduledFunction } from './make-function.ts';

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
 * The same look after each run, whoever made it: a run that has closed its record is an event, and so the run neither waits for
 * the proof nor needs the rights to read every store. It mends nothing, which can take longer than an event may. A run that a
 * proof made is looked after by that proof.
 */
export const proveAfterRun = inItsProcess('proveAfterRun', () =>
  firestore().onDocumentUpdated(
    {
      document: 'sync_audit/{runId}',
      region: REGION,
      serviceAccount: accountOf('sync-ops'),
      memory: '512MiB',
      timeoutSeconds: 360,
      maxInstances: 1,
      concurrency: 1,
      retry: true,
    },
    async ({ data, time }) => {
      const { lookAfterRun } = await import('../wiring/proof.ts');
      await lookAfterRun({ before: data?.before.data(), after: data?.after.data(), time });
    },
  ),
);

/**
 * Looks four times a day for what no event tells: a mirror paused for a week, dead letters and conflicts that wait for
 * more than a day. Each is an ERROR entry that an alert policy finds; a delivery twice only says it twice. At night it walks
 * over the whole record, which takes minutes where a year of it is long.
 */
export const watchMirrors = scheduledFunction(
  'watchMirrors',
  {
    schedule: '15 2,8,14,20 * * *',
    serviceAccount: accountOf('sync-ops'),
    memory: '512MiB',
    timeoutSeconds: 1_200,
    retryCount: 2,
  },
  async ({ scheduleTime }) => {
    const { runWatch } = await import('../wiring/ops.ts');
    await runWatch(scheduleTime);
  },
);
