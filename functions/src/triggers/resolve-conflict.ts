import { httpFunction } from './http-function.ts';
import { callApp } from './send.ts';

/** An operator decides a conflict: `POST {"conflict", "path", "keep", "value"?}`. */
export const resolveConflict = httpFunction('resolveConflict', {
  serviceAccount: 'sync-two-way@',
  memory: '256MiB',
  timeoutSeconds: 60,
  maxInstances: 2,
  maxBodyBytes: 64 * 1024,
  app: async () => callApp((await import('../wiring/twoway.ts')).answerResolveConflict),
});
