import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const EMAIL = 'sync-ops@demo-ekklesia.iam.gserviceaccount.com';

/** A metadata server as Cloud Run has it, which says who the process is. */
let server: Server;
let answer: { status: number; body: string };
beforeEach(async () => {
  answer = { status: 200, body: EMAIL };
  server = createServer(({ url }, response) => {
    const { status, body } = url?.endsWith('/service-accounts/default/email')
      ? answer
      : { status: 404, body: '' };
    response.writeHead(status, { 'metadata-flavor': 'Google', 'content-type': 'application/text' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('GCE_METADATA_HOST', `127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('METADATA_SERVER_DETECTION', 'assume-present');
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', '');
  vi.stubEnv('CLOUDSDK_CONFIG', '/nowhere');
  vi.stubEnv('HOME', '/nowhere');
  vi.resetModules();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const readOwnUser = async () =>
  (await import('../../../src/adapters/postgres/make-database.ts')).readOwnUser();

describe('the database user of a process', () => {
  it('is its own service account, as Cloud SQL names it', async () => {
    expect(await readOwnUser()).toBe('sync-ops@demo-ekklesia.iam');
  });

  it('is refused where the process has no service account', async () => {
    answer = { status: 200, body: 'somebody@example.is' };
    await expect(readOwnUser()).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('DATABASE_USER'),
    });
  });

  it('is not guessed when nobody answers who it is', async () => {
    answer = { status: 404, body: '' };
    await expect(readOwnUser()).rejects.toMatchObject({ code: 'database_unavailable' });
  });
});
