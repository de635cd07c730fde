import { accountOf, REGION } from '../settings.ts';
import { send } from './send.ts';
import { https, served } from './served.ts';

/**
 * The registry's webhook. Open to the network: the signature decides. Ten instances of forty events each are ten times
 * what the registry sends at once, and bound what a flood can cost.
 */
export const syncFromDjango = served('syncFromDjango', () =>
  https().onRequest(
    {
      region: REGION,
      serviceAccount: accountOf('sync-webhook'),
      memory: '256MiB',
      timeoutSeconds: 30,
      maxInstances: 10,
      concurrency: 40,
      cpu: 1,
      invoker: 'public',
      cors: false,
    },
    async (request, response) => {
      const { answerWebhook } = await import('../wiring/portal.ts');
      const answer = await answerWebhook({
        method: request.method,
        rawBody: request.rawBody,
        headers: {
          id: request.get('webhook-id'),
          timestamp: request.get('webhook-timestamp'),
          signature: request.get('webhook-signature'),
          authorization: request.get('authorization'),
        },
      });
      send(response, answer);
    },
  ),
);
