import { httpFunction } from './http-function.ts';
import { callApp } from './send.ts';

/** The same on demand: `POST {"deliver"?: "due"|"waiting"|"failed"}`. Who calls is checked before the body is read. */
export const bidirectionalSyncNow = httpFunction('bidirectionalSyncNow', {
  serviceAccount: 'sync-two-way@',
  memory: '256MiB',
  timeoutSeconds: 540,
  maxInstances: 2,
  concurrency: 1,
  maxBodyBytes: 64 * 1024,
  app: async () => callApp((await import('../wiring/twoway.ts')).answerTwoWayRun),
});
