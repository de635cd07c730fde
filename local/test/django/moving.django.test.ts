import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Firestore } from '@google-cloud/firestore';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalStack, PROJECT_ID, REGION, startStack } from '../../src/stack.ts';
import { type DjangoServer, startDjango } from './support/django-server.ts';
import { findFreePorts } from './support/free-ports.ts';

const MEMBERS = 40;
const KEY = 'key-that-the-old-server-says';
const SECRET = `whsec_${Buffer.from('webhook secret of the new app').toString('base64')}`;

let folder: string;
let ports: number[];
let registry: DjangoServer;
let stack: LocalStack;
let db: Firestore;

const openStack = async (settings: Readonly<Record<string, string>>) => {
  const [functions = 0, firestore = 0, storage = 0, auth = 0, unused = 0, , postgres = 0, dashboard = 0] =
    ports;
  stack = await startStack({
    data: join(folder, 'stack'),
    register: false,
    ports: { functions, firestore, storage, auth, postgres, dashboard, registry: unused },
    django: { url: registry.url, token: registry.token },
    secrets: { DJANGO_WEBHOOK_SECRET: SECRET, SYNC_API_KEY: KEY },
    settings,
  });
  db = new Firestore({ projectId: PROJECT_ID, host: `127.0.0.1:${firestore}`, ssl: false });
};
const closeStack = async () => {
  await db.terminate();
  await stack.close();
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'moving-suite-'));
  ports = await findFreePorts(8);
  registry = await startDjango({
    port: ports[5] ?? 0,
    members: MEMBERS,
    webhookUrl: `http://127.0.0.1:${ports[0]}/${PROJECT_ID}/${REGION}/syncFromDjango`,
    webhookSecrets: [SECRET],
    legacyKey: KEY,
  });
  await openStack({ ALLOW_LEGACY_WEBHOOK_AUTH: 'true' });
}, 240_000);
afterAll(async () => {
  // What did not start needs no end; its own failure is the one to show.
  await db?.terminate();
  await stack?.close();
  await registry?.close();
  await rm(folder, { recursive: true, maxRetries: 5 });
}, 60_000);

const call = async (method: 'GET' | 'POST', name: string, body: object = {}) => {
  const token = stack.auth.mintIdToken({ uid: 'suite', claims: { roles: ['admin'] } });
  const answer = await fetch(`${stack.functions.url}/${PROJECT_ID}/${REGION}/${name}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(method === 'POST' && { body: JSON.stringify(body) }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: answers of several functions, looked into where they are expected.
  const answered = (await answer.json()) as any;
  return { status: answer.status, body: answered };
};
const reconcile = async () => (await call('POST', 'opsApi/runs', { mirror: 'portal' })).body;
const statusOfPortal = async () => (await call('GET', 'opsApi/status')).body.portal;
const bare = (ssn: string) => ssn.replace('-', '');
const portal = async (ssn: string) => (await db.doc(`members/${bare(ssn)}`).get()).data();
const untilPortal = (ssn: string, read: (data: Record<string, Record<string, unknown>>) => unknown) =>
  expect.poll(async () => read((await portal(ssn)) ?? {}), { timeout: 30_000, interval: 50 });
const someMembers = async () => (await registry.kennitalas()).filter((ssn) => !ssn.startsWith('9999'));
const untilFollowed = () =>
  expect
    .poll(async () => (await db.collection('webhook_hints').count().get()).data().count, { timeout: 60_000 })
    .toBe(0);

describe('a registry without the companion app', () => {
  it('fills the portal', async () => {
    // The first call loads everything; a run that begins with it can fail on a busy machine.
    await expect.poll(async () => (await call('GET', 'opsApi/status')).status, { timeout: 90_000 }).toBe(200);
    expect(await reconcile()).toMatchObject({ run: { outcome: 'published' } });
  }, 180_000);

  it('has its old queue taken over as hints, with times that have no offset', async () => {
    const [, , ssn = ''] = await someMembers();
    await registry.control('queue', { ssn, action: 'delete' });
    expect((await call('POST', 'opsApi/two-way/runs')).status).toBe(200);
    expect((await registry.status()).pending).toBe(0);
    expect(await portal(ssn)).toMatchObject({
      membership: { status: 'active' },
      metadata: { source_version: null },
    });
  }, 60_000);
});

/** The steps of docs/runbook.md, "Moving a registry from webhooks without versions to the companion app". */
describe('moving to the companion app', () => {
  let ahead = '';
  let revived = '';

  it('1: everything is equal, and no hint is open', async () => {
    await untilFollowed();
    await reconcile();
    expect(await reconcile()).toMatchObject({ run: { outcome: 'unchanged' } });
    expect(await statusOfPortal()).toMatchObject({ aheadOfRegistry: 0, unconfirmedHints: 0 });
  }, 90_000);

  it('2: the old queue is empty, also of a delete of somebody who is there', async () => {
    [, , , ahead = '', revived = ''] = await someMembers();
    await registry.control('queue', { ssn: ahead, action: 'delete' });
    expect((await call('POST', 'opsApi/two-way/runs')).status).toBe(200);
    expect((await registry.status()).pending).toBe(0);
    expect(await portal(ahead)).toMatchObject({ membership: { status: 'active' } });
  }, 60_000);

  it('3: the companion app is installed, and the old webhook is gone', async () => {
    // What earlier versions of this project have left: ids of the old queue, held as versions.
    await db.doc(`members/${bare(ahead)}`).update({ 'metadata.source_version': 90_000 });
    await db.doc(`members/${bare(revived)}`).update({
      'metadata.source_version': 90_001,
      'metadata.deleted_at': new Date(),
      'membership.status': 'inactive',
    });
    await registry.installCompanion();
    expect(await registry.member(ahead)).toHaveProperty('version');
    // Announced with a version that the portal takes for an old one.
    await registry.control('edit', { ssn: ahead, name: 'Edited afterwards' });
    await expect.poll(async () => (await registry.status()).pending, { timeout: 30_000 }).toBe(0);
    expect((await portal(ahead))?.['profile'].name).not.toBe('Edited afterwards');
  }, 90_000);

  it('4: a reconcile names those whom the portal holds ahead of the registry', async () => {
    const { run } = await reconcile();
    // The portal takes note of the digests that the members have now; the installation is nobody's missed event.
    expect(run).toMatchObject({
      outcome: expect.stringMatching(/published|unchanged/),
      changes: { added: 0, removed: 0, updated: 0 },
      missedEvents: { created: 0, updated: 0, deleted: 0 },
    });
    expect(await statusOfPortal()).toMatchObject({ aheadOfRegistry: 2 });
    const { body } = await call('POST', 'opsApi/explain', { kennitala: bare(ahead) });
    expect(body.because).toContainEqual(
      expect.objectContaining({ mirror: 'portal', code: 'ahead_of_registry' }),
    );
  }, 60_000);

  it("5: the registry's word is taken: of one, planned, then of all, and none is ahead", async () => {
    const plan = await call('POST', 'opsApi/portal/registry-word', { kennitala: bare(ahead), dryRun: true });
    expect(plan.body.run).toMatchObject({ outcome: 'dry-run', changes: { updated: 1 } });
    const reason = 'moved to the companion app';
    const one = await call('POST', 'opsApi/portal/registry-word', { kennitala: bare(ahead), reason });
    expect(one.body.run).toMatchObject({ outcome: 'published', changes: { updated: 1 } });
    expect(await portal(ahead)).toMatchObject({
      profile: { name: 'Edited afterwards' },
      metadata: { source_version: (await registry.member(ahead)).version },
    });
    expect(await statusOfPortal()).toMatchObject({ aheadOfRegistry: 1 });
    const all = await call('POST', 'opsApi/portal/registry-word', { reason });
    expect(all.body.run).toMatchObject({ outcome: 'published', changes: { added: 1 } });
    expect(await portal(revived)).toMatchObject({ membership: { status: 'active' } });
    expect(await statusOfPortal()).toMatchObject({ aheadOfRegistry: 0 });
    const actions = await db.collection('operator_actions').where('action', '==', 'registry_word').get();
    expect(actions.docs.map((it) => it.get('reason'))).toEqual([reason, reason]);
    expect(JSON.stringify(actions.docs.map((it) => it.data()))).not.toContain(bare(ahead));
  }, 90_000);

  it('6: the key is refused once it is not allowed any more, and events arrive with their versions', async () => {
    await closeStack();
    await openStack({});
    const old = await fetch(`${stack.functions.url}/${PROJECT_ID}/${REGION}/syncFromDjango`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ kennitala: bare(ahead), action: 'delete' }),
    });
    expect(old.status).toBe(401);
    await registry.control('edit', { ssn: ahead, name: 'With a version' });
    await untilPortal(ahead, (data) => data['profile']?.['name']).toBe('With a version');
    await expect.poll(async () => (await registry.status()).pending, { timeout: 30_000 }).toBe(0);
    expect(await reconcile()).toMatchObject({ run: { outcome: 'unchanged' } });
    expect(await statusOfPortal()).toMatchObject({ aheadOfRegistry: 0, unconfirmedHints: 0 });
  }, 90_000);
});
