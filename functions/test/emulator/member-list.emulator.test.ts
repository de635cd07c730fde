import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Firestore } from '@google-cloud/firestore';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type LocalFirestore, startFirestore } from '../../../local/src/firestore/server.ts';
import { type LocalRegistry, startRegistry } from '../../../local/src/registry/start-registry.ts';
import { type LocalStorage, startStorage } from '../../../local/src/storage/index.ts';
import { signInWithClaims } from './support/auth-users.ts';
import { type FunctionsEmulator, startFunctionsEmulator } from './support/functions-emulator.ts';

const PROJECT = 'demo-ekklesia';
const MEMBERS = 2_216;
const TOKEN = 'emulator-suite-token';

let data: string;
let firestore: LocalFirestore;
let storage: LocalStorage;
let registry: LocalRegistry;
let emulator: FunctionsEmulator;
let admin: string;
const opened: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'emulator-suite-'));
  opened.push(() => rm(data, { recursive: true, force: true }));
  firestore = await startFirestore({ projectId: PROJECT });
  opened.push(() => firestore.close());
  storage = await startStorage({ directory: data });
  opened.push(() => storage.close());
  registry = await startRegistry({ port: 0, token: TOKEN, members: MEMBERS });
  opened.push(() => registry.close());
  emulator = await startFunctionsEmulator({
    settings: { DJANGO_BASE_URL: registry.url, DJANGO_API_TOKEN: TOKEN },
    servers: {
      FIRESTORE_EMULATOR_HOST: `127.0.0.1:${firestore.port}`,
      STORAGE_EMULATOR_HOST: storage.url,
    },
  });
  opened.push(() => emulator.stop());
  admin = await signInWithClaims(emulator.authHost, 'admin@example.is', { roles: ['admin'] });
});

afterAll(async () => {
  for (const close of opened.toReversed()) await close();
});

const run = (token: string | null, body: object = {}): Promise<Response> =>
  fetch(`${emulator.functionsUrl}/runMemberListSync`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });

const publishedLines = async (): Promise<number> => {
  const text = await readFile(join(data, `${PROJECT}.appspot.com`, 'kennitalas.txt'), 'utf8');
  return text.split('\n').length - 1;
};

const newestRecord = async (): Promise<Record<string, unknown> | undefined> => {
  const client = new Firestore({ projectId: PROJECT, host: `127.0.0.1:${firestore.port}`, ssl: false });
  try {
    const found = await client.collection('sync_audit').orderBy('timestamp', 'desc').limit(1).get();
    return found.docs[0]?.data();
  } finally {
    await client.terminate();
  }
};

it('the emulator loads every function, on the pinned Node', () => {
  expect(emulator.output()).not.toMatch(/doesn't match your global version|Failed to load function/);
  expect(emulator.output()).toMatch(/functions\[europe-west2-runMemberListSync\]: http function initialized/);
});

it('only administrators run it on demand, and only by POST', async () => {
  const member = await signInWithClaims(emulator.authHost, 'member@example.is', { roles: ['member'] });
  expect((await run(null)).status).toBe(401);
  expect((await run('not-a-token')).status).toBe(401);
  const refused = await run(member);
  expect(refused.status).toBe(403);
  expect(await refused.json()).toMatchObject({ code: 'forbidden' });
  expect((await fetch(`${emulator.functionsUrl}/runMemberListSync`)).status).toBe(405);
  expect(await newestRecord()).toBeUndefined();
});

it('a list is planned, published by the schedule, found unchanged, refused when it shrinks, and approved', async () => {
  const dryRun = await run(admin, { dryRun: true });
  expect(dryRun.status).toBe(200);
  expect(await dryRun.json()).toMatchObject({ record: { outcome: 'dry-run', changes: { added: MEMBERS } } });
  await expect(publishedLines()).rejects.toThrow('ENOENT');

  // The official emulator numbers the handlers of a schedule.
  const scheduled = await fetch(`${emulator.functionsUrl}/syncMemberList-0`, { method: 'POST' });
  expect(scheduled.status).toBe(200);
  expect(await newestRecord()).toMatchObject({
    outcome: 'published',
    trigger: 'schedule',
    memberCount: MEMBERS,
  });
  expect(await publishedLines()).toBe(MEMBERS);

  const again = await run(admin);
  expect(again.status).toBe(200);
  expect(await again.json()).toMatchObject({ record: { outcome: 'unchanged', trigger: 'http' } });

  registry.addFault({ drop: 300 });
  const blocked = await run(admin);
  expect(blocked.status).toBe(422);
  const { code, record } = (await blocked.json()) as { code: string; record: { planId: string } };
  expect(code).toBe('guard_tripped');
  expect(await publishedLines()).toBe(MEMBERS);

  const approval = { planId: record.planId, operator: 'Test Operator', reason: 'the suite drops members' };
  const approved = await run(admin, { approve: approval });
  expect(approved.status).toBe(200);
  expect(await approved.json()).toMatchObject({
    record: { outcome: 'published', approvedBy: 'Test Operator', changes: { removed: 300 } },
  });
  expect(await publishedLines()).toBe(MEMBERS - 300);
});
