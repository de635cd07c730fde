import { accountOf, REGION } from '../settings.ts';
import { serveApp } from './serve-app.ts';
import { https, served } from './served.ts';

/**
 * The operators' API: `docs/ops-api.md`. Open to the network, since Cloud Run cannot check a Firebase ID token; who
 * calls is checked before anything is read. It waits for the runs that it starts, so its time limit is the longest of
 * theirs; few people use it at once.
 */
export const opsApi = served('opsApi', () =>
  https().onRequest(
    {
      region: REGION,
      serviceAccount: accountOf('sync-ops'),
      memory: '512MiB',
      timeoutSeconds: 1_800,
      maxInstances: 3,
      concurrency: 20,
      cpu: 1,
      invoker: 'public',
      cors: false,
    },
    async (request, response) => {
      const { opsApp } = await import('../wiring/ops.ts');
      await serveApp(opsApp(), request, response);
    },
  ),
);
