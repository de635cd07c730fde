import { httpFunction } from './http-function.ts';
import { callApp } from './send.ts';

/** One member on demand: `POST {"kennitala", "dryRun"?}`, by the callers of runMemberListSync. */
export const syncMemberNow = httpFunction('syncMemberNow', {
  serviceAccount: 'sync-portal@',
  memory: '256MiB',
  timeoutSeconds: 60,
  maxInstances: 2,
  concurrency: 1,
  maxBodyBytes: 64 * 1024,
  app: async () => callApp((await import('../wiring/reconcile.ts')).answerSyncMember),
});
