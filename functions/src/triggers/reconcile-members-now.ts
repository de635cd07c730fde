import { accountOf, REGION } from '../settings.ts';
import { send, toCall } from './send.ts';
import { https, served } from './served.ts';

/** The same run on demand: `POST {"dryRun"?, "approve"?}`, by the callers of runMemberListSync. */
export const reconcileMembersNow = served('reconcileMembersNow', () =>
  https().onRequest(
    {
      region: REGION,
      serviceAccount: accountOf('sync-portal'),
      memory: '256MiB',
      timeoutSeconds: 1_800,
      maxInstances: 2,
      concurrency: 1,
      invoker: 'public',
      cors: false,
    },
    async (request, response) => {
      const { answerReconcile } = await import('../wiring/reconcile.ts');
      send(response, await answerReconcile(toCall(request)));
    },
  ),
);
