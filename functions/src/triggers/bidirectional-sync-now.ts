import { accountOf, REGION } from '../settings.ts';
import { send, toCall } from './send.ts';
import { https, served } from './served.ts';

/** The same on demand: `POST {"deliver"?: "due"|"waiting"|"failed"}`. Who calls is checked before the body is read. */
export const bidirectionalSyncNow = served('bidirectionalSyncNow', () =>
  https().onRequest(
    {
      region: REGION,
      serviceAccount: accountOf('sync-two-way'),
      memory: '256MiB',
      timeoutSeconds: 540,
      maxInstances: 2,
      concurrency: 1,
      invoker: 'public',
      cors: false,
    },
    async (request, response) => {
      const { answerTwoWayRun } = await import('../wiring/twoway.ts');
      send(response, await answerTwoWayRun(toCall(request)));
    },
  ),
);
