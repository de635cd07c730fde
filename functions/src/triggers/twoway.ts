import { accountOf, REGION } from '../settings.ts';
import { firestore, inItsProcess, scheduledFunction } from './make-function.ts';

/**
 * Carries a member's own edits to the registry. Every write of a member's document comes here, also our own, which are
 * recognised and let go at once; so one instance serves many.
 */
export const trackMemberChanges = inItsProcess('trackMemberChanges', () =>
  firestore().onDocumentWritten(
    {
      document: 'members/{kennitala}',
      region: REGION,
      serviceAccount: accountOf('sync-two-way'),
      memory: '256MiB',
      timeoutSeconds: 120,
      maxInstances: 10,
      concurrency: 40,
      cpu: 1,
      retry: true,
    },
    async ({ id, time, params, data }) => {
      if (data === undefined) return;
      const { trackMemberEvent } = await import('../wiring/twoway.ts');
      await trackMemberEvent({
        id,
        time,
        kennitala: params.kennitala,
        before: data.before,
        after: data.after,
      });
    },
  ),
);

/**
 * The nightly sweep, both ways. Each delivery is claimed and each change of the registry is applied by its version, so a
 * repeated occurrence does no harm.
 */
export const bidirectionalSync = scheduledFunction(
  'bidirectionalSync',
  {
    schedule: '30 3 * * *',
    serviceAccount: accountOf('sync-two-way'),
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
