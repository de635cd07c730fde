import { accountOf, REGION } from '../settings.ts';
import { send, toCall } from './send.ts';
import { https, served } from './served.ts';

/** An operator decides a conflict: `POST {"conflict", "path", "keep", "value"?}`. */
export const resolveConflict = served('resolveConflict', () =>
  https().onRequest(
    {
      region: REGION,
      serviceAccount: accountOf('sync-two-way'),
      memory: '256MiB',
      timeoutSeconds: 60,
      maxInstances: 2,
      invoker: 'public',
      cors: false,
    },
    async (request, response) => {
      const { answerResolveConflict } = await import('../wiring/twoway.ts');
      send(response, await answerResolveConflict(toCall(request)));
    },
  ),
);
