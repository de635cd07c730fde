import { httpFunction } from './http-function.ts';

/**
 * The register's REST API (docs/api.md). Open to the network because Cloud Run cannot check API keys and Firebase ID
 * tokens; who calls is checked in the API before a body is read.
 */
export const membershipSync = httpFunction('membershipSync', {
  serviceAccount: 'sync-register@',
  memory: '512MiB',
  timeoutSeconds: 540,
  maxInstances: 3,
  concurrency: 20,
  maxBodyBytes: 64 * 1024,
  app: async () => (await import('../wiring/register.ts')).registerApi(),
});
