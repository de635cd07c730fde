import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Firestore } from '@google-cloud/firestore';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFirestore } from '../../../local/src/firestore/server.ts';
import { type LocalRegistry, startRegistry } from '../../../local/src/registry/start-registry.ts';
import { makeSigningKey } from '../../../local/src/secrets.ts';
import { startStorage } from '../../../local/src/storage/index.ts';
import { findOfficialFirestore } from '../support/official-firestore.ts';
import { signInWithClaims } from './support/auth-users.ts';
import { type OfficialSuite, startOfficialSuite } from './support/official-suite.ts';
import { makeProjectFolder, type ProjectFolder } from './support/project-folder.ts';

const PROJECT = 'demo-ekklesia';
const MEMBERS = 60;
const TOKEN = 'emulator-suite-token';
const WEBHOOK_SECRET = 'whsec_ZW11bGF0b3Itc3VpdGUtd2ViaG9vay1zZWNyZXQ=';
/** For what goes through an event function, whose process the emulator may have to start first. */
const ARRIVAL = { timeout: 45_000, interval: 200 };

const official = findOfficialFirestore();
const missing = 'missing' in official ? official.missing : null;
// The reporter counts what is skipped, but does not print why.
if (missing !== null) console.warn(`Firestore is the local one, and its events do not fire: ${missing}.`);

let data: string;
let folder: ProjectFolder;
let registry: LocalRegistry;
let suite: OfficialSuite;
let db: Firestore;
let admin: string;
const opened: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'emulator-suite-'));
  opened.push(() => rm(data, { recursive: true, force: true, maxRetries: 5 }));
  folder = await makeProjectFolder();
  opened.push(() => folder.remove());
  const storage = await startStorage({ directory: data });
  opened.push(() => storage.close());
  registry = await startRegistry({ port: 0, token: TOKEN, members: MEMBERS });
  opened.push(() => registry.close());
  const servers: Record<string, string> = {
    STORAGE_EMULATOR_HOST: storage.url,
    // Each event that runs at the same time is a process of its own.
    FUNCTIONS_EMULATOR_PARALLEL: '4',
  };
  let firestoreHost = `127.0.0.1:${folder.ports.firestore}`;
  if (missing !== null) {
    const local = await startFirestore({ projectId: PROJECT });
    opened.push(() => local.close());
    firestoreHost = `127.0.0.1:${local.port}`;
    servers['FIRESTORE_EMULATOR_HOST'] = firestoreHost;
  }
  await folder.setLocalEnv({
    DJANGO_BASE_URL: registry.url,
    DJANGO_API_TOKEN: TOKEN,
    DJANGO_WEBHOOK_SECRET: WEBHOOK_SECRET,
    MEMBER_REFERENCE_KEY: 'key of the emulator suite',
    CHAIN_SIGNING_KEY: makeSigningKey(),
  });
  suite = await startOfficialSuite({
    folder,
    firestoreJar: 'jar' in official ? official.jar : null,
    servers,
  });
  opened.push(() => suite.stop());
  db = new Firestore({ projectId: PROJECT, host: firestoreHost, ssl: false });
  opened.push(() => db.terminate());
  admin = await signIn('admin@example.is', { roles: ['admin'] });
});

afterAll(async () => {
  for (const close of opened.toReversed()) await close();
});

const signIn = (email: string, claims: Readonly<Record<string, unknown>>): Promise<string> =>
  signInWithClaims(`127.0.0.1:${folder.ports.auth}`, email, claims);

const addressOf = (path: string): string =>
  `http://127.0.0.1:${folder.ports.functions}/${PROJECT}/europe-west2/${path}`;

const post = async (path: string, token: string | null, body: object = {}) => {
  const answer = await fetch(addressOf(path), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: await answer.json() };
};

const publishedLines = async (): Promise<number> => {
  const text = await readFile(join(data, `${PROJECT}.appspot.com`, 'kennitalas.txt'), 'utf8');
  return text.split('\n').length - 1;
};

const newestRecord = async (): Promise<Record<string, unknown> | undefined> => {
  const found = await db.collection('sync_audit').orderBy('timestamp', 'desc').limit(1).get();
  return found.docs[0]?.data();
};

const someone = (): { readonly id: number; readonly kennitala: string } => {
  const id = registry.randomMember();
  return { id, kennitala: registry.member(id).ssn.replace('-', '') };
};

const emailInPortal = async (kennitala: string): Promise<unknown> =>
  (await db.doc(`members/${kennitala}`).get()).get('profile.email');

it('the emulator asks for nothing and loads every function, on the pinned Node', () => {
  expect(suite.output()).not.toMatch(/doesn't match your global version|Failed to load function/);
  expect(suite.output()).toMatch(/functions\[europe-west2-runMemberListSync\]: http function initialized/);
});

describe('the roster', () => {
  it('only administrators run it on demand, and only by POST', async () => {
    const member = await signIn('member@example.is', { roles: ['member'] });
    expect((await post('runMemberListSync', null)).status).toBe(401);
    expect((await post('runMemberListSync', 'not-a-token')).status).toBe(401);
    expect(await post('runMemberListSync', member)).toMatchObject({
      status: 403,
      body: { code: 'forbidden' },
    });
    expect((await fetch(addressOf('runMemberListSync'))).status).toBe(405);
    expect(await newestRecord()).toBeUndefined();
  });

  it('a list is planned, published by the schedule, found unchanged, refused when it shrinks, and approved', async () => {
    expect(await post('runMemberListSync', admin, { dryRun: true })).toMatchObject({
      status: 200,
      body: { record: { outcome: 'dry-run', changes: { added: MEMBERS } } },
    });
    await expect(publishedLines()).rejects.toThrow('ENOENT');

    // The official emulator numbers the handlers of a schedule.
    const scheduled = await fetch(addressOf('syncMemberList-0'), { method: 'POST' });
    expect(scheduled.status).toBe(200);
    expect(await newestRecord()).toMatchObject({
      outcome: 'published',
      trigger: 'schedule',
      memberCount: MEMBERS,
    });
    expect(await publishedLines()).toBe(MEMBERS);

    expect(await post('runMemberListSync', admin)).toMatchObject({
      status: 200,
      body: { record: { outcome: 'unchanged', trigger: 'http' } },
    });

    registry.addFault({ drop: 20 });
    const blocked = await post('runMemberListSync', admin);
    expect(blocked).toMatchObject({ status: 422, body: { code: 'guard_tripped' } });
    expect(await publishedLines()).toBe(MEMBERS);

    const { planId } = (blocked.body as { record: { planId: string } }).record;
    const approve = { planId, operator: 'Test Operator', reason: 'the suite drops members' };
    expect(await post('runMemberListSync', admin, { approve })).toMatchObject({
      status: 200,
      body: { record: { outcome: 'published', approvedBy: 'Test Operator', changes: { removed: 20 } } },
    });
    expect(await publishedLines()).toBe(MEMBERS - 20);
    registry.clearFaults();
  });
});

describe('the portal', () => {
  it('a reconcile that an administrator asks for fills it', async () => {
    expect(await post('opsApi/runs', admin, { mirror: 'portal' })).toMatchObject({
      status: 200,
      body: { run: { outcome: 'published', changes: { added: MEMBERS } } },
    });
    expect((await db.collection('members').count().get()).data().count).toBe(MEMBERS);
    const { id, kennitala } = someone();
    expect(await emailInPortal(kennitala)).toBe(registry.member(id).contact_info.email);
  });

  it('a signed webhook changes it, once, and one with a false signature does not', async () => {
    const { id, kennitala } = someone();
    const { version, occurred_at } = registry.updateMember(id);
    const { email } = registry.member(id).contact_info;
    const body = JSON.stringify({
      kennitala,
      action: 'update',
      data: registry.member(id),
      version,
      occurred_at,
    });
    const deliver = async (secret: string) => {
      const at = new Date();
      const answer = await fetch(addressOf('syncFromDjango'), {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'webhook-id': 'msg_emulator',
          'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
          'webhook-signature': new Webhook(secret).sign('msg_emulator', at, body),
        },
        body,
      });
      return { status: answer.status, body: await answer.json() };
    };
    expect(await deliver('whsec_YW5vdGhlci13ZWJob29rLXNlY3JldC0yNC1ieXRlcw==')).toMatchObject({
      status: 401,
    });
    expect(await emailInPortal(kennitala)).not.toBe(email);
    expect(await deliver(WEBHOOK_SECRET)).toMatchObject({ status: 200, body: { result: 'applied' } });
    expect(await emailInPortal(kennitala)).toBe(email);
    expect(await deliver(WEBHOOK_SECRET)).toMatchObject({ status: 200, body: { result: 'duplicate' } });
  });

  it.skipIf(missing !== null)(
    'a member’s own edit passes the rules, and the document trigger carries it to the registry',
    async () => {
      const { id, kennitala } = someone();
      const member = await signIn('edits@example.is', { kennitala });
      const name = `projects/${PROJECT}/databases/(default)/documents/members/${kennitala}`;
      const edit = (field: string, value: object) =>
        fetch(`http://127.0.0.1:${folder.ports.firestore}/v1/${name.split('/members')[0]}:commit`, {
          method: 'POST',
          headers: { authorization: `Bearer ${member}` },
          body: JSON.stringify({
            writes: [
              {
                update: { name, fields: { profile: { mapValue: { fields: { [field]: value } } } } },
                updateMask: { fieldPaths: [`profile.${field}`] },
                currentDocument: { exists: true },
              },
            ],
          }),
        });
      expect((await edit('name', { stringValue: 'Another Name' })).status).toBe(403);
      expect((await edit('email', { stringValue: 'edited@postur.example' })).status).toBe(200);
      await expect.poll(() => registry.member(id).contact_info.email, ARRIVAL).toBe('edited@postur.example');
      await expect
        .poll(async () => {
          const found = await db.collection('sync_queue').where('kennitala', '==', kennitala).get();
          return found.docs.map((item) => item.get('sync_status'));
        }, ARRIVAL)
        .toEqual(['synced']);
      expect(suite.output()).not.toContain(kennitala);
    },
  );
});

describe('our own front', () => {
  it.each([
    ['a body that is no JSON', { 'content-type': 'application/json' }, '{"Mark-51be02', 400],
    [
      'a compressed body',
      { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      'Mark-51be02',
      415,
    ],
    ['a body over the limit', { 'content-type': 'application/json' }, 'Mark-51be02'.repeat(10_000), 413],
  ])('refuses %s as a problem document, and prints none of it', async (_what, headers, body, status) => {
    const answer = await fetch(addressOf('runMemberListSync'), {
      method: 'POST',
      headers: { ...headers, authorization: `Bearer ${admin}` },
      body,
    });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      status,
      expect.stringContaining('json'),
    ]);
    expect(suite.output()).not.toContain('Mark-51be02');
  });

  it('the register’s health is JSON where no database is configured', async () => {
    const answer = await fetch(addressOf('membershipSync/health'));
    expect(answer.headers.get('content-type')).toContain('json');
    // Its code, and not a crash's bare 500.
    expect(await answer.json()).toMatchObject({ status: answer.status, code: 'config_invalid' });
    expect(suite.output()).toMatch(/DATABASE_URL|CLOUD_SQL_INSTANCE/);
  });
});
