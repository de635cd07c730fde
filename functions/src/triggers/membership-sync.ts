import { accountOf, REGION } from '../settings.ts';
import { serveApp } from './serve-app.ts';
import { https, served } from './served.ts';

/**
 * The register's REST API (docs/api.md). Open to the network because Cloud Run cannot check API keys and Firebase ID
 * tokens; who calls is checked in the API before a body is read.
 */
export const membershipSync = served('membershipSync', () =>
  https().onRequest(
    {
      region: REGION,
      serviceAccount: accountOf('sync-register'),
      memory: '512MiB',
      timeoutSeconds: 540,
      maxInstances: 3,
      concurrency: 20,
      invoker: 'public',
      cors: false,
    },
    async (request, response) => {
      const { registerApi } = await import('../wiring/register.ts');
      await serveApp(await registerApi(), request, response);
    },
  ),
);
