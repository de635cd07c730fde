import { httpFunction } from './http-function.ts';
import { callApp } from './send.ts';

/**
 * The same run on demand: `POST {"dryRun"?, "approve"?}`. Open to the network because Cloud Run cannot check a
 * Firebase ID token; who calls is checked here before the body is read.
 */
export const runMemberListSync = httpFunction('runMemberListSync', {
  serviceAccount: 'sync-roster@',
  memory: '256MiB',
  timeoutSeconds: 120,
  maxInstances: 2,
  concurrency: 1,
  maxBodyBytes: 64 * 1024,
  app: async () => callApp((await import('../wiring/roster.ts')).answerRosterRun),
});
