import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import makeFunctionsTest from 'firebase-functions-test';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type LocalFirestore, startFirestore } from '../../../local/src/firestore/server.ts';
import { type LocalRegistry, startRegistry } from '../../../local/src/registry/start-registry.ts';
import { makeSigningKey } from '../../../local/src/secrets.ts';
import { type LocalStorage, startStorage } from '../../../local/src/storage/index.ts';
import { windowOf } from '../../src/roster/ports.ts';

const PROJECT = 'demo-ekklesia';
const TOKEN = 'token-of-the-tests';

let folder: string;
let firestore: LocalFirestore;
let storage: LocalStorage;
let registry: LocalRegistry;
const sdk = makeFunctionsTest({ projectId: PROJECT });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scheduled-'));
  firestore = await startFirestore({ projectId: PROJECT });
  storage = await startStorage({ directory: folder });
  registry = await startRegistry({ port: 0, members: 30, token: TOKEN });
  vi.stubEnv('GCLOUD_PROJECT', PROJECT);
  vi.stubEnv('FUNCTIONS_EMULATOR', 'true');
  vi.stubEnv('FIRESTORE_EMULATOR_HOST', `127.0.0.1:${firestore.port}`);
  vi.stubEnv('STORAGE_EMULATOR_HOST', storage.url);
  vi.stubEnv('SYNC_BUCKET', 'bucket-of-the-tests');
  vi.stubEnv('DJANGO_BASE_URL', registry.url);
  vi.stubEnv('DJANGO_API_TOKEN', TOKEN);
  vi.stubEnv('CHAIN_SIGNING_KEY', makeSigningKey());
});
afterAll(async () => {
  vi.unstubAllEnvs();
  sdk.cleanup();
  await Promise.all([firestore.close(), storage.close(), registry.close()]);
  await rm(folder, { recursive: true, maxRetries: 5 });
});

const published = async () =>
  (await readFile(join(folder, 'bucket-of-the-tests/kennitalas.txt'), 'utf8')).split('\n').length - 1;

/** The exported functions themselves, as the platform calls them. */
describe('the exported functions', () => {
  const occurrence = { jobName: 'weekly', scheduleTime: '2026-11-23T03:00:00Z' };

  it('publish the list on schedule, and nothing on a second delivery of one occurrence', async () => {
    const { syncMemberList } = await import('../../src/index.ts');
    await syncMemberList.run(occurrence);
    expect(await published()).toBe(30);
    registry.createMember();
    await syncMemberList.run(occurrence);
    expect(await published()).toBe(30);
  });

  it('publish it after somebody joined, when the window of that change has ended', async () => {
    const { refreshRoster } = await import('../../src/index.ts');
    const window = windowOf(new Date());
    await sdk.wrap(refreshRoster)({ params: { window } });
    expect(await published()).toBe(31);
  });

  it('tell Cloud Scheduler of a failure, without a word of what the registry answered', async () => {
    const { syncMemberList } = await import('../../src/index.ts');
    registry.addFault({ status: 404, times: 1 });
    const next = { ...occurrence, scheduleTime: '2026-11-30T03:00:00Z' };
    await expect(syncMemberList.run(next)).rejects.toMatchObject({ code: 'registry_rejected' });
  });
});
