import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Firestore } from '@google-cloud/firestore';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalStack, PROJECT_ID, REGION } from '../../src/stack.ts';
import type { DjangoServer } from './support/django-server.ts';
import { LEGACY_KEY, type LegacyStack, startLegacyStack } from './support/legacy-stack.ts';

/**
 * A registry without the companion app: its webhook carries no version, comes before the commit, and comes once; one
 * worker process serves it. Every value here is what the registry holds after its commit.
 */
const MEMBERS = 300;
const NEW_MEMBER = '0101011119';
const NOBODY = '0202021119';

let folder: string;
let started: LegacyStack;
let registry: DjangoServer;
let stack: LocalStack;
let db: Firestore;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'legacy-suite-'));
  started = await startLegacyStack(folder, MEMBERS);
  ({ registry, stack } = started);
  db = new Firestore({ projectId: PROJECT_ID, host: `127.0.0.1:${started.firestorePort}`, ssl: false });
}, 180_000);
afterAll(async () => {
  await db?.terminate();
  await started?.close();
  await rm(folder, { recursive: true, maxRetries: 5 });
}, 60_000);

const post = async (name: string, body: object, authorization?: string) => {
  const token = stack.auth.mintIdToken({ uid: 'suite', claims: { roles: ['admin'] } });
  const answer = await fetch(`${stack.functions.url}/${PROJECT_ID}/${REGION}/${name}`, {
    method: 'POST',
    headers: { authorization: authorization ?? `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: await answer.json() };
};
const hint = (body: object) => post('syncFromDjango', body, `Bearer ${LEGACY_KEY}`);
const portal = async (kennitala: string) => (await db.doc(`members/${kennitala}`).get()).data();
const eventually = (look: () => Promise<unknown>) => expect.poll(look, { timeout: 30_000, interval: 100 });
/**
 * Saves as the admin does. The one worker waits inside this save for the webhook's answer, and can serve nobody meanwhile:
 * an answer that waited for a look at the member would come after the ten seconds, that is never.
 */
const save = async (action: string, order: object) => {
  const { changed, webhooks } = await registry.save(action, order);
  expect({ changed, answers: webhooks.map(({ status }) => status) }).toEqual({ changed: 1, answers: [200] });
};
/** A member whose document holds what the list says of them. */
const memberAt = async (place: number) => {
  const found = await db
    .collection('members')
    .where('profile.reachable', '==', true)
    .orderBy('profile.kennitala')
    .get();
  return found.docs[place]?.id ?? '';
};

describe('a registry without the companion app', () => {
  it('fills the portal by a reconcile', async () => {
    const { body } = await post('opsApi/runs', { mirror: 'portal' });
    expect(body).toMatchObject({ run: { outcome: 'published', memberCount: MEMBERS } });
  }, 120_000);

  it('has a new member in the portal within seconds, though nobody could read them at the webhook', async () => {
    await save('create', { ssn: NEW_MEMBER, name: 'A new member', email: 'new@postur.example' });
    await eventually(async () => (await portal(NEW_MEMBER))?.['membership'].status).toBe('active');
    expect(await portal(NEW_MEMBER)).toMatchObject({
      profile: { name: 'A new member' },
      metadata: { django_id: expect.any(Number), deleted_at: null },
    });
  });

  it('has a withdrawn consent in the portal within seconds', async () => {
    const kennitala = await memberAt(1);
    await save('edit', { ssn: kennitala, reachable: false });
    await eventually(async () => (await portal(kennitala))?.['profile'].reachable).toBe(false);
  });

  it('has a member who left inactive within seconds', async () => {
    const kennitala = await memberAt(2);
    await save('delete', { ssn: kennitala });
    await eventually(async () => (await portal(kennitala))?.['membership'].status).toBe('inactive');
  });

  it('has its members keep the addresses of the list, whatever the older tables say', async () => {
    const found = await db
      .collection('members')
      .where('membership.status', '==', 'active')
      .orderBy('profile.kennitala')
      .limit(40)
      .get();
    for (const { id } of found.docs.slice(20)) {
      const before = await portal(id);
      await save('edit', { ssn: id, name: 'Renamed' });
      await eventually(async () => (await portal(id))?.['profile'].name).toBe('Renamed');
      const { email, phone, facebook, addresses } = before?.['profile'] ?? {};
      expect((await portal(id))?.['profile']).toMatchObject({ email, phone, facebook, addresses });
      expect((await portal(id))?.['membership']).toEqual(before?.['membership']);
    }
  }, 180_000);

  it('takes nothing from a change that was rolled back after its webhook', async () => {
    const kennitala = await memberAt(3);
    await registry.control('rollback', { ssn: kennitala, reachable: false });
    await registry.control('edit', { ssn: kennitala, name: 'Saved afterwards' });
    await eventually(async () => (await portal(kennitala))?.['profile'].name).toBe('Saved afterwards');
    await eventually(async () => (await portal(kennitala))?.['profile'].reachable).toBe(true);
  });

  it('writes nothing for a delete of somebody whom nobody knows', async () => {
    expect(await hint({ kennitala: NOBODY, action: 'delete' })).toMatchObject({
      status: 200,
      body: { success: true, result: 'accepted', action: 'delete' },
    });
    // A later hint that has been followed shows that this one had its turn.
    const kennitala = await memberAt(4);
    await save('edit', { ssn: kennitala, name: 'Edited after the unknown delete' });
    await eventually(async () => (await portal(kennitala))?.['profile'].name).toBe(
      'Edited after the unknown delete',
    );
    expect(await portal(NOBODY)).toBeUndefined();
  });

  it('takes a hint whose data it cannot read: only the hint counts', async () => {
    const kennitala = await memberAt(5);
    await registry.control('silent', { ssn: kennitala, name: 'Told of by a poor hint' });
    const data = { ssn: kennitala, name: 'Not this', gender: 7 };
    expect(await hint({ kennitala, action: 'update', data })).toMatchObject({
      status: 200,
      body: { result: 'accepted' },
    });
    await eventually(async () => (await portal(kennitala))?.['profile'].name).toBe('Told of by a poor hint');
  });

  it('makes nobody gone by an old row of its queue', async () => {
    const kennitala = await memberAt(6);
    await registry.control('queue', { ssn: kennitala, action: 'delete' });
    expect((await post('opsApi/two-way/runs', {})).status).toBe(200);
    await eventually(async () => (await registry.status()).pending).toBe(0);
    expect(await portal(kennitala)).toMatchObject({
      membership: { status: 'active' },
      metadata: { deleted_at: null },
    });
  }, 90_000);

  it('is equal to the portal at the end: a reconcile finds nobody to add or remove', async () => {
    const { body } = await post('opsApi/runs', { mirror: 'portal', dryRun: true });
    expect(body).toMatchObject({ run: { changes: { added: 0, removed: 0 } } });
  });
});
