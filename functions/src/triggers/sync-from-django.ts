import { httpFunction } from './http-function.ts';

/**
 * The registry's webhook. Open to the network: the signature decides. Ten instances of forty events each are ten times
 * what the registry sends at once, and bound what a flood can cost.
 */
export const syncFromDjango = httpFunction('syncFromDjango', {
  serviceAccount: 'sync-webhook@',
  memory: '256MiB',
  timeoutSeconds: 30,
  maxInstances: 10,
  concurrency: 40,
  cpu: 1,
  maxBodyBytes: 256 * 1024,
  app: async () => (await import('../wiring/portal.ts')).webhookApp(),
  toAnswer: async (failure) => (await import('../wiring/portal.ts')).answerWebhookFailure(failure),
});
