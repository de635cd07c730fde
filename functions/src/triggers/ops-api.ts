import { httpFunction } from './http-function.ts';

/**
 * The operators' API: `docs/ops-api.md`. Open to the network, since Cloud Run cannot check a Firebase ID token; who
 * calls is checked before anything is read. It waits for the runs that it starts, so its time limit is the longest of
 * theirs; few people use it at once.
 */
export const opsApi = httpFunction('opsApi', {
  serviceAccount: 'sync-ops@',
  memory: '512MiB',
  timeoutSeconds: 1_800,
  maxInstances: 3,
  concurrency: 20,
  cpu: 1,
  maxBodyBytes: 64 * 1024,
  app: async () => (await import('../wiring/ops.ts')).opsApp(),
});
