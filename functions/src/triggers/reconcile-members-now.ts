import { httpFunction } from './http-function.ts';
import { callApp } from './send.ts';

/** The same run on demand: `POST {"dryRun"?, "approve"?}`, by the callers of runMemberListSync. */
export const reconcileMembersNow = httpFunction('reconcileMembersNow', {
  serviceAccount: 'sync-portal@',
  memory: '256MiB',
  timeoutSeconds: 1_800,
  maxInstances: 2,
  concurrency: 1,
  maxBodyBytes: 64 * 1024,
  app: async () => callApp((await import('../wiring/reconcile.ts')).answerReconcile),
});
