import { accountOf, REGION } from '../settings.ts';
import { send, toCall } from './send.ts';
import { https, served } from './served.ts';

/**
 * The same run on demand: `POST {"dryRun"?, "approve"?}`. Open to the network because Cloud Run cannot check a
 * Firebase ID token; who calls is checked here before the body is read.
 */
export const runMemberListSync = served('runMemberListSync', () =>
  https().onRequest(
    {
      region: REGION,
      serviceAccount: accountOf('sync-roster'),
      memory: '256MiB',
      timeoutSeconds: 120,
      maxInstances: 2,
      concurrency: 1,
      invoker: 'public',
      cors: false,
    },
    async (request, response) => {
      const { answerRosterRun } = await import('../wiring/roster.ts');
      send(response, await answerRosterRun(toCall(request)));
    },
  ),
);
