import { accountOf, REGION } from '../settings.ts';
import { send, toCall } from './send.ts';
import { https, served } from './served.ts';

/** One member on demand: `POST {"kennitala", "dryRun"?}`, by the callers of runMemberListSync. */
export const syncMemberNow = served('syncMemberNow', () =>
  https().onRequest(
    {
      region: REGION,
      serviceAccount: accountOf('sync-portal'),
      memory: '256MiB',
      timeoutSeconds: 60,
      maxInstances: 2,
      concurrency: 1,
      invoker: 'public',
      cors: false,
    },
    async (request, response) => {
      const { answerSyncMember } = await import('../wiring/reconcile.ts');
      send(response, await answerSyncMember(toCall(request)));
    },
  ),
);
