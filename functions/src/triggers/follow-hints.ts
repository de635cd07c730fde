import { REGION } from '../params.ts';
import { firestore, served } from './served.ts';

/**
 * Follows the hints of a registry without versions. Most of it is waiting, so one instance follows many; two of them are
 * as many readings at once as a small registry can answer beside its own work. Every write of a hint comes here; only one
 * that brings a new hint is followed.
 */
export const followHints = served('followHints', () =>
  firestore().onDocumentWritten(
    {
      document: 'webhook_hints/{kennitala}',
      region: REGION,
      serviceAccount: 'sync-webhook@',
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
      const { followHint } = await import('../wiring/portal.ts');
      await followHint(params.kennitala, token);
    },
  ),
);
