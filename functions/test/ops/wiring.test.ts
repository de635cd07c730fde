import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deleteApp, getApps } from 'firebase-admin/app';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type LocalAuth, startAuth } from '../../../local/src/auth/start-auth.ts';
import { type LocalFirestore, startFirestore } from '../../../local/src/firestore/server.ts';
import { type LocalRegistry, startRegistry } from '../../../local/src/registry/start-registry.ts';
import { makeSigningKey } from '../../../local/src/secrets.ts';
import { type LocalStorage, startStorage } from '../../../local/src/storage/index.ts';
import type { Body } from '../support/api-stack.ts';

const PROJECT = 'demo-ekklesia';
const BUCKET = `${PROJECT}.appspot.com`;
const TOKEN = 'token-of-the-tests';

let firestore: LocalFirestore;
let storage: LocalStorage;
let registry: LocalRegistry;
let auth: LocalAuth;
let folder: string;
/** What the functions logged; it would drown the test's own output. */
const logged: unknown[] = [];
/** The person of the first test, for those that follow. */
let left = '';
let wiring: typeof import('../../src/wiring/ops.ts');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ops-wiring-'));
  firestore = await startFirestore({ projectId: PROJECT });
  storage = await startStorage({ directory: folder });
  registry = await startRegistry({ members: 50, port: 0, token: TOKEN });
  auth = await startAuth({ projectId: PROJECT, port: 0 });
  Object.assign(process.env, {
    GCLOUD_PROJECT: PROJECT,
    SYNC_BUCKET: BUCKET,
    FUNCTIONS_EMULATOR: 'true',
    FIRESTORE_EMULATOR_HOST: `${firestore.host}:${firestore.port}`,
    STORAGE_EMULATOR_HOST: storage.url,
    FIREBASE_AUTH_EMULATOR_HOST: auth.emulatorHost,
    DJANGO_BASE_URL: registry.url,
    DJANGO_API_TOKEN: TOKEN,
    MEMBER_REFERENCE_KEY: 'key of the tests',
    CHAIN_SIGNING_KEY: makeSigningKey(),
  });
  // The logger takes hold of the console when it is loaded.
  for (const level of ['debug', 'info', 'log', 'warn', 'error'] as const) {
    vi.spyOn(console, level).mockImplementation((...line: unknown[]) => void logged.push(line));
  }
  wiring = await import('../../src/wiring/ops.ts');
});
afterAll(async () => {
  vi.restoreAllMocks();
  await Promise.all(getApps().map((app) => deleteApp(app)));
  await Promise.all([firestore.close(), storage.close(), registry.close(), auth.close()]);
  await rm(folder, { recursive: true, maxRetries: 5 });
});

const call = async (method: string, path: string, body?: object): Promise<{ status: number; body: Body }> => {
  const token = auth.mintIdToken({ uid: 'operator', claims: { roles: ['admin'] } });
  const response = await wiring.opsApp().fetch(
    new Request(`http://ops.test${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }),
  );
  return { status: response.status, body: await response.json() };
};

describe('the operators API as production wires it', () => {
  it('takes an operator through a Monday: run, look, explain, roll back, resume', async () => {
    const roster = await call('POST', '/runs', { mirror: 'roster' });
    expect([roster.status, roster.body.run.memberCount]).toEqual([200, 50]);
    const portal = await call('POST', '/api/runs', { mirror: 'portal' });
    expect([portal.status, portal.body.run.outcome]).toEqual([200, 'published']);
    expect((await call('POST', '/runs', { mirror: 'register' })).status).toBe(404);

    const status = await call('GET', '/api/status');
    expect(status.body.mirrors).toMatchObject([
      { mirror: 'roster', healthy: true, members: 50 },
      { mirror: 'portal', healthy: true, members: 50 },
      { mirror: 'register', healthy: null },
    ]);

    const gone = registry.randomMember();
    const { ssn: kennitala } = registry.member(gone);
    registry.deleteMember(gone);
    await call('POST', '/runs', { mirror: 'roster' });
    const explained = await call('POST', '/explain', { kennitala });
    expect(explained.body.now).toMatchObject({
      registry: { state: 'no-member' },
      roster: { state: 'not-listed' },
      portal: { state: 'active' },
    });
    expect(explained.body.because).toMatchObject([
      { mirror: 'roster', code: 'equal_to_registry' },
      { mirror: 'portal', code: 'waits_for_next_run' },
    ]);

    const back = await call('POST', '/roster/rollback', { runId: roster.body.run.runId });
    expect(back.body.run).toMatchObject({ outcome: 'published', changes: { added: 1 } });
    expect(await readFile(join(folder, BUCKET, 'kennitalas.txt'), 'utf8')).toContain(
      kennitala.replace('-', ''),
    );
    expect((await call('POST', '/runs', { mirror: 'roster' })).body.code).toBe('paused');
    await call('POST', '/mirrors/roster/resume', { reason: 'Done' });
    expect((await call('POST', '/runs', { mirror: 'roster' })).body.run.outcome).toBe('published');
    left = kennitala;
  });

  it('erases who has left, once they have left everywhere', async () => {
    const erase = () => call('POST', '/erase', { kennitala: left, reason: 'asked for it' });
    expect((await erase()).body.code).toBe('events_waiting');
    const headers = { authorization: `Token ${TOKEN}`, 'content-type': 'application/json' };
    const waiting = await fetch(`${registry.url}/api/sync/changes/`, { headers });
    const { changes } = (await waiting.json()) as { changes: { id: number }[] };
    const body = JSON.stringify({ sync_ids: changes.map(({ id }) => id) });
    await fetch(`${registry.url}/api/sync/mark-synced/`, { method: 'POST', headers, body });
    expect((await erase()).body).toMatchObject({
      code: 'still_published',
      detail: expect.stringContaining('portal'),
    });
    expect((await call('POST', '/runs', { mirror: 'portal' })).status).toBe(200);

    const erased = await erase();
    expect(erased.body).toMatchObject({ absent: true, hasRegister: false, softDeleted: { copies: 2 } });
    const { stores } = (await erase()).body;
    expect(stores.length).toBeGreaterThan(0);
    expect(stores.filter(({ found }: Body) => found !== 0)).toEqual([]);
  });

  it('logs every request and every run, and no member', async () => {
    const text = JSON.stringify(logged);
    expect(text).toContain('POST /explain 200');
    expect(text).toContain('run_completed');
    expect(text).toContain('member_erased');
    expect(text).not.toContain(left.replace('-', ''));
    const members = (await readFile(join(folder, BUCKET, 'kennitalas.txt'), 'utf8')).trim().split('\n');
    expect(members.filter((kennitala) => text.includes(kennitala))).toEqual([]);
  });

  it('watches without a caller, and walks over the record at night alone', async () => {
    await wiring.runWatch('2026-11-27T08:15:00Z');
    expect((await call('GET', '/status')).body.verified).toBeNull();
    await wiring.runWatch('2026-11-27T02:15:00Z');
    expect((await call('GET', '/status')).body.verified).toMatchObject({ whole: true, findings: 0 });
  });

  it('proves on demand, and says which store it knows nothing of', async () => {
    const { body } = await call('POST', '/proof', {});
    expect(body).toMatchObject({ members: 49, stores: { register: { state: 'absent' } } });
    expect((await call('GET', '/status')).body.proof).toMatchObject({ at: body.at, outcome: body.outcome });
  });
});
