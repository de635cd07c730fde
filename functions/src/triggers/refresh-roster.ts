import { accountOf, REGION } from '../settings.ts';
import { firestore, served } from './served.ts';

/**
 * Publishes the roster after members joined or left in real time, once for all changes of a window. One instance and
 * one event at a time: runs of one mirror would only wait for each other's lease.
 */
export const refreshRoster = served('refreshRoster', () =>
  firestore().onDocumentCreated(
    {
      document: 'roster_refreshes/{window}',
      region: REGION,
      serviceAccount: accountOf('sync-roster'),
      memory: '256MiB',
      timeoutSeconds: 120,
      maxInstances: 1,
      concurrency: 1,
      retry: true,
    },
    async ({ params }) => {
      const { refreshRoster: refresh } = await import('../wiring/roster.ts');
      await refresh(params.window);
    },
  ),
);
