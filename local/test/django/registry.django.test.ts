import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Firestore } from '@google-cloud/firestore';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalStack, PROJECT_ID, REGION, startStack } from '../../src/stack.ts';
import { runCli } from '../cli/run-cli.ts';
import { makePlace } from '../stack/place.ts';
import { type DjangoServer, startDjango } from './support/django-server.ts';
import { findFreePorts } from './support/free-ports.ts';

const MEMBERS = 2_216;
const SECRETS = ['old', 'new'].map(
  (name) => `whsec_${Buffer.from(`${name} webhook secret of the suite`).toString('base64')}`,
);
const [OLD = '', NEW = ''] = SECRETS;

let folder: string;
let ports: number[];
let registry: DjangoServer;
let stack: LocalStack;
let db: Firestore;

const openStack = async (webhookSecret: string) => {
  const [functions = 0, firestore = 0, storage = 0, auth = 0, unused = 0, , postgres = 0, dashboard = 0] =
    ports;
  stack = await startStack({
    data: join(folder, 'stack'),
    register: false,
    ports: { functions, firestore, storage, auth, postgres, dashboard, registry: unused },
    django: { url: registry.url, token: registry.token },
    secrets: { DJANGO_WEBHOOK_SECRET: webhookSecret },
  });
  db = new Firestore({ projectId: PROJECT_ID, host: `127.0.0.1:${firestore}`, ssl: false });
};
const closeStack = async () => {
  await db.terminate();
  await stack.close();
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'django-suite-'));
  ports = await findFreePorts(8);
  registry = await startDjango({
    port: ports[5] ?? 0,
    members: MEMBERS,
    webhookUrl: `http://127.0.0.1:${ports[0]}/${PROJECT_ID}/${REGION}/syncFromDjango`,
    webhookSecrets: [OLD],
  });
  await openStack(`${NEW} ${OLD}`);
}, 120_000);
afterAll(async () => {
  // What did not start needs no end; its own failure is the one to show.
  await db?.terminate();
  await stack?.close();
  await registry?.close();
  await rm(folder, { recursive: true, maxRetries: 5 });
}, 60_000);

const post = async (name: string, body: object = {}) => {
  const token = stack.auth.mintIdToken({ uid: 'suite', claims: { roles: ['admin'] } });
  const answer = await fetch(`${stack.functions.url}/${PROJECT_ID}/${REGION}/${name}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return {
    status: answer.status,
    body: answer.headers.get('content-type')?.includes('json') ? await answer.json() : null,
  };
};
const publishedLines = async () =>
  (await readFile(join(stack.bucketFolder, 'kennitalas.txt'), 'utf8')).split('\n').slice(0, -1);
const portal = async (kennitala: string) => (await db.doc(`members/${kennitala}`).get()).data();
const nameInPortal = async (kennitala: string) => (await portal(kennitala))?.['profile'].name;
const bare = (ssn: string) => ssn.replace('-', '');
const settled = () =>
  expect.poll(async () => (await registry.status()).pending, { timeout: 60_000, interval: 250 }).toBe(0);

/** Numbers of members, as the registry spells them. */
const someMembers = async (count: number) =>
  (await registry.kennitalas()).filter((ssn) => !ssn.startsWith('9999')).slice(0, count);

describe('a real registry', () => {
  it('has its members published by the weekly sync', async () => {
    expect((await post('syncMemberList')).status).toBe(200);
    const lines = await publishedLines();
    const expected = [...new Set((await registry.kennitalas()).map(bare))]
      .filter((k) => !k.startsWith('9999'))
      .sort();
    expect(lines).toEqual(expected);
    expect(lines).toHaveLength(MEMBERS);
  });

  it('is what `npm start -- --django URL --token T` runs against', async () => {
    const place = await makePlace();
    const { code, stdout } = await runCli([
      ...['--exit', '--json', '--django', registry.url, '--token', registry.token],
      ...place.args,
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'published', memberCount: MEMBERS });
  });

  it('fills an empty portal by a reconcile', async () => {
    const { body } = await post('opsApi/runs', { mirror: 'portal' });
    expect(body).toMatchObject({ run: { outcome: 'published', memberCount: MEMBERS } });
    expect((await db.collection('members').count().get()).data().count).toBe(MEMBERS);
  }, 120_000);

  it('has an edit in Firestore, through the webhook', async () => {
    const [ssn = ''] = await someMembers(1);
    await registry.control('edit', { ssn, name: 'Edited in the admin', email: 'edited@postur.example' });
    await expect
      .poll(() => nameInPortal(bare(ssn)), { interval: 10, timeout: 30_000 })
      .toBe('Edited in the admin');
    await settled();
    expect(await portal(bare(ssn))).toMatchObject({
      profile: { email: 'edited@postur.example' },
      metadata: { origin: 'registry', source_version: (await registry.member(ssn)).version },
    });
  });

  it('has a new member in the portal and on the list, and takes one who left off both', async () => {
    await registry.control('create', { ssn: '0101011119', name: 'A new member' });
    await expect
      .poll(async () => (await portal('0101011119'))?.['membership'].status, { timeout: 60_000 })
      .toBe('active');
    await expect.poll(publishedLines, { timeout: 30_000, interval: 250 }).toContain('0101011119');
    await registry.control('delete', { ssn: '0101011119' });
    await expect
      .poll(async () => (await portal('0101011119'))?.['membership'].status, { timeout: 60_000 })
      .toBe('inactive');
    await expect.poll(publishedLines, { timeout: 30_000, interval: 250 }).not.toContain('0101011119');
  }, 90_000);

  it('sends nothing for a transaction that was rolled back', async () => {
    const [ssn = ''] = await someMembers(1);
    const before = await registry.status();
    const document = await portal(bare(ssn));
    await registry.control('rollback', { ssn, email: 'never@postur.example' });
    await registry.control('edit', { ssn: (await someMembers(2))[1] ?? '', name: 'Another edit' });
    await settled();
    expect((await registry.status()).synced).toBe(before.synced + 1);
    expect(await portal(bare(ssn))).toEqual(document);
  });

  it('loses nothing in a burst of 500 edits', async () => {
    expect(await registry.control('burst', { count: 500, label: 'Burst' })).toBe(500);
    await settled();
    expect(await equality()).toEqual({ differences: 0 });
  }, 240_000);

  it('loses nothing when its server is killed in the middle of a burst', async () => {
    const burst = registry.control('burst', { count: 500, label: 'Killed' }).catch(() => null);
    await expect.poll(() => namesLike('Killed'), { interval: 20, timeout: 20_000 }).toBeGreaterThan(20);
    await registry.kill();
    await burst;
    await registry.start();
    await registry.manage('deliver_member_events');
    await settled();
    expect(await equality()).toEqual({ differences: 0 });
  }, 120_000);

  it('loses nothing while the functions are down', async () => {
    await stack.functions.kill();
    await registry.control('burst', { count: 200, label: 'Down' });
    expect((await registry.status()).pending).toBe(200);
    await stack.functions.start();
    await settled();
    expect(await namesLike('Down')).toBe(200);
    expect(await equality()).toEqual({ differences: 0 });
  }, 120_000);

  it('loses nothing while the webhook secret is rotated on both sides', async () => {
    const [ssn = ''] = await someMembers(1);
    await registry.control('edit', { ssn, name: 'Signed with the old one' });
    await registry.writeSecrets([NEW, OLD]);
    await registry.control('edit', { ssn, name: 'Signed with both' });
    await settled();
    await registry.writeSecrets([NEW]);
    await closeStack();
    await openStack(NEW);
    await registry.control('edit', { ssn, name: 'Signed with the new one' });
    await settled();
    await expect.poll(() => nameInPortal(bare(ssn)), { timeout: 60_000 }).toBe('Signed with the new one');
    expect((await registry.status()).failed).toBe(0);
  }, 90_000);

  it('is healed by the reconcile when an edit made no event at all', async () => {
    // One that no burst has touched: a difference of a member who changed a moment ago may be on its way.
    const ssn = (await someMembers(1_000)).at(-1) ?? '';
    await registry.control('silent', { ssn, name: 'Nobody was told' });
    const { body } = await post('opsApi/runs', { mirror: 'portal' });
    expect(body).toMatchObject({
      run: { outcome: 'published', changes: { updated: 1 }, missedEvents: { updated: 1 } },
    });
    expect(await nameInPortal(bare(ssn))).toBe('Nobody was told');
  }, 60_000);

  it('has a member edit from the portal, which comes back as an event that changes and queues nothing', async () => {
    const ssn = (await someMembers(1_100)).at(-1) ?? '';
    const ref = db.doc(`members/${bare(ssn)}`);
    const before = await registry.member(ssn);
    // As the member's own client writes: one field, and never the metadata.
    await ref.update({ 'profile.email': 'my.own@postur.example' });
    await expect
      .poll(async () => (await registry.member(ssn)).contact_info.email, { interval: 50, timeout: 10_000 })
      .toBe('my.own@postur.example');
    await settled();
    const { version } = await registry.member(ssn);
    expect(version).toBeGreaterThan(before.version);
    await expect
      .poll(async () => (await portal(bare(ssn)))?.['metadata'].source_version, { timeout: 10_000 })
      .toBe(version);
    expect(await portal(bare(ssn))).toMatchObject({ profile: { email: 'my.own@postur.example' } });
    const queue = await db.collection('sync_queue').where('kennitala', '==', bare(ssn)).get();
    expect(queue.docs.map((item) => item.get('sync_status'))).toEqual(['synced']);
    expect(await equality()).toEqual({ differences: 0 });
  }, 60_000);

  it('keeps both values when the registry and the member changed the same field', async () => {
    const ssn = (await someMembers(1_200)).at(-1) ?? '';
    const kennitala = bare(ssn);
    await stack.functions.kill();
    await registry.control('edit', { ssn, email: 'registry@postur.example' });
    await db.doc(`members/${kennitala}`).update({ 'profile.email': 'member@postur.example' });
    await stack.functions.start();
    await settled();
    const found = () => db.collection('sync_conflicts').where('kennitala', '==', kennitala).get();
    await expect.poll(async () => (await found()).size, { timeout: 30_000, interval: 250 }).toBe(1);
    const text = JSON.stringify((await found()).docs[0]?.data());
    expect(text).toContain('registry@postur.example');
    expect(text).toContain('member@postur.example');
    await expect
      .poll(async () => (await portal(kennitala))?.['profile'].email, { timeout: 30_000 })
      .toBe((await registry.member(ssn)).contact_info.email);
  }, 90_000);

  it('is equal to the portal at the end: a reconcile finds zero differences', async () => {
    expect(await equality()).toEqual({ differences: 0 });
    const { body } = await post('opsApi/runs', { mirror: 'portal' });
    expect(body).toMatchObject({ run: { outcome: 'unchanged' } });
    expect((await post('syncMemberList')).status).toBe(200);
    expect(await publishedLines()).toHaveLength(MEMBERS);
  }, 60_000);
});

/** What a dry run of the reconcile would change. */
const equality = async () => {
  const { body } = (await post('opsApi/runs', { mirror: 'portal', dryRun: true })) as {
    body: { run: { changes: { added: number; removed: number; updated: number } } };
  };
  const { added, removed, updated } = body.run.changes;
  return { differences: added + removed + updated };
};

const namesLike = async (label: string) =>
  (
    await db
      .collection('members')
      .where('profile.name', '>=', label)
      .where('profile.name', '<', `${label}\uf8ff`)
      .count()
      .get()
  ).data().count;
