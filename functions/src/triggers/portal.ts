import { accountOf, REGION } from '../settings.ts';
import { firestore, httpFunction, inItsProcess, scheduledFunction } from './make-function.ts';

/**
 * The registry's webhook. Open to the network: the signature decides. Ten instances of forty events each are ten times
 * what the registry sends at once, and bound what a flood can cost.
 */
export const syncFromDjango = httpFunction('syncFromDjango', {
  serviceAccount: accountOf('sync-webhook'),
  memory: '256MiB',
  timeoutSeconds: 30,
  maxInstances: 10,
  concurrency: 40,
  cpu: 1,
  maxBodyBytes: 256 * 1024,
  app: async () => (await import('../wiring/portal.ts')).webhookApp(),
  toAnswer: async (failure) => (await import('../wiring/portal.ts')).refuseWebhook(failure),
});

/**
 * Follows the hints of a registry without versions. Most of it is waiting, so one instance follows many; two of them are
 * as many readings at once as a small registry can answer beside its own work. Every write of a hint comes here; only one
 * that brings a new hint is followed.
 */
export const followHints = inItsProcess('followHints', () =>
  firestore().onDocumentWritten(
    {
      document: 'webhook_hints/{kennitala}',
      region: REGION,
      serviceAccount: accountOf('sync-webhook'),
      memory: '256MiB',
      timeoutSeconds: 540,
      maxInstances: 2,
      concurrency: 80,
      cpu: 1,
      retry: true,
    },
    async ({ params, data }) => {
      const before: unknown = data?.before.get('token');
      const token: unknown = data?.after.get('token');
      if (typeof token !== 'string' || token === before) return;
      const { followHintNamed } = await import('../wiring/portal.ts');
      await followHintNamed(params.kennitala, token);
    },
  ),
);

/**
 * The nightly reconcile of the portal. An occurrence that has been done is skipped; one that failed or was left
 * half-way is tried again after 2, 4, 8, … minutes and goes on where it was.
 */
export const reconcileMembers = scheduledFunction(
  'reconcileMembers',
  {
    schedule: '0 4 * * *',
    serviceAccount: accountOf('sync-portal'),
    memory: '256MiB',
    timeoutSeconds: 1_800,
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
