import { accountOf, REGION } from '../settings.ts';
import { firestore, httpFunction, inItsProcess, scheduledFunction } from './make-function.ts';

/**
 * The weekly run. Cloud Scheduler's job is `firebase-schedule-syncMemberList-europe-west2`; it delivers at least
 * once, so an occurrence that has been done is skipped. A failed one is tried again after 1, 2, 4, … minutes.
 */
export const syncMemberList = scheduledFunction(
  'syncMemberList',
  {
    schedule: '0 3 * * 1',
    serviceAccount: accountOf('sync-roster'),
    memory: '256MiB',
    timeoutSeconds: 120,
    retryCount: 5,
    minBackoffSeconds: 60,
    maxBackoffSeconds: 3_600,
    maxDoublings: 5,
  },
  async ({ jobName, scheduleTime }) => {
    const { runScheduledRoster } = await import('../wiring/roster.ts');
    await runScheduledRoster({ job: jobName ?? 'syncMemberList', time: scheduleTime });
  },
);

/**
 * The same run on demand: `POST {"dryRun"?, "approve"?}`. Open to the network because Cloud Run cannot check a
 * Firebase ID token; who calls is checked here before the body is read.
 */
export const runMemberListSync = httpFunction('runMemberListSync', {
  serviceAccount: accountOf('sync-roster'),
  memory: '256MiB',
  timeoutSeconds: 120,
  maxInstances: 2,
  concurrency: 1,
  maxBodyBytes: 64 * 1024,
  app: async () => (await import('../wiring/roster.ts')).rosterRunApp(),
});

/**
 * Publishes the roster after members joined or left in real time, once for all changes of a window. One instance and
 * one event at a time: runs of one mirror would only wait for each other's lease.
 */
export const refreshRoster = inItsProcess('refreshRoster', () =>
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
      const { runRosterRefresh } = await import('../wiring/roster.ts');
      await runRosterRefresh(params.window);
    },
  ),
);
