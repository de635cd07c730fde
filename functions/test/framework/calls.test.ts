import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deleteApp, initializeApp } from 'firebase-admin/app';
import { getFirestore } from 'firebase-admin/firestore';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DocumentChange } from '../../../local/src/firestore/events.ts';
import { toDocumentEvent } from '../../../local/src/firestore/events.ts';
import * as all from '../../src/index.ts';
import { windowOf } from '../../src/roster/ports.ts';
import { type RunningFunction, startFunction } from './support/start-function.ts';
import { ADMIN_KEYS, startWorld, WEBHOOK_SECRET, type World } from './support/world.ts';

const MARK = 'Mark-51be02';

let world: World;
let admin: Readonly<Record<string, string>>;
const running = new Map<string, Promise<RunningFunction>>();

beforeAll(async () => {
  world = await startWorld(30);
  admin = {
    authorization: `Bearer ${world.auth.mintIdToken({ uid: 'operator', claims: { roles: ['admin'] } })}`,
  };
  process.env['FIRESTORE_EMULATOR_HOST'] = world.env['FIRESTORE_EMULATOR_HOST'];
});
afterAll(async () => {
  for (const started of running.values()) await (await started).stop();
  delete process.env['FIRESTORE_EMULATOR_HOST'];
  await world.close();
});

const endpointOf = (name: string): object =>
  (all as unknown as Record<string, { __endpoint: object }>)[name]?.__endpoint ?? {};

/** Each function once started, in its own process, with a database that nobody serves. */
const started = (target: string): Promise<RunningFunction> => {
  const found =
    running.get(target) ??
    startFunction({
      target,
      signature: 'eventTrigger' in endpointOf(target) ? 'cloudevent' : 'http',
      env: {
        ...world.env,
        DATABASE_URL: target === 'membershipSync' ? 'postgres://u@127.0.0.1:9/members' : '',
      },
    });
  running.set(target, found);
  return found;
};

const post = async (
  target: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: string | Uint8Array<ArrayBuffer>,
) => {
  const { url } = await started(target);
  const response = await fetch(url + path, { method: 'POST', headers, ...(body !== undefined && { body }) });
  const text = await response.text();
  return { status: response.status, text, body: text === '' ? null : JSON.parse(text) };
};

const json = { 'content-type': 'application/json' };

/** Everything that has a body of an administrator: the address, and the status and code that `{}` comes to. */
const ADMIN_POSTS = [
  ['runMemberListSync', '/', 200, undefined],
  ['opsApi', '/runs', 400, 'invalid_request'],
  // Nobody serves its database here: who is admitted and understood gets this far.
  ['membershipSync', '/sync', 503, 'database_unavailable'],
  ['membershipSync', '/sync/dry-run', 503, 'database_unavailable'],
] as const;
/** What a store says that a busy machine made too slow; then nothing was decided, and it is asked again. */
const BUSY = ['audit_unavailable', 'store_unavailable', 'storage_unavailable', 'lease_held'];
const credentials = (target: string, path: string) =>
  target === 'membershipSync'
    ? { authorization: `Bearer ${path === '/sync' ? ADMIN_KEYS[0] : ADMIN_KEYS[1]}` }
    : admin;

describe.each(ADMIN_POSTS)('an administrator’s POST to %s%s', (target, path, status, code) => {
  it.each([
    ['no body and no type', {}, undefined],
    ['no body, as JSON', json, undefined],
    ['an empty object, as JSON', json, '{}'],
    ['an empty object without a type', {}, new TextEncoder().encode('{}')],
  ])('may have %s', async (_what, headers, body) => {
    let answer: Awaited<ReturnType<typeof post>>;
    do answer = await post(target, path, { ...credentials(target, path), ...headers }, body);
    while (BUSY.includes(answer.body.code));
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  it.each([
    ['no JSON', json, `{"${MARK}`, 400],
    ['JSON that is no object', json, `["${MARK}"]`, 400],
    ['a key that is not known', json, `{"${MARK}": 1}`, 400],
    ['bytes that are no text', json, new Uint8Array([0x22, 0xff, 0x22]), 400],
    ['over the limit', json, JSON.stringify({ reason: MARK.repeat(20_000) }), 413],
  ])('with %s is refused, and not quoted', async (_what, headers, body, refused) => {
    const answer = await post(target, path, { ...credentials(target, path), ...headers }, body);
    expect(answer).toMatchObject({ status: refused, body: { status: refused } });
    expect(answer.text).not.toContain(MARK);
    expect((await started(target)).output()).not.toContain(MARK);
  });
});

describe('the registry’s webhook', () => {
  const deliver = (id: string, headers: Readonly<Record<string, string>>, change: object = {}) => {
    const member = world.registry.member(world.registry.randomMember());
    const at = new Date();
    const event = { kennitala: member.ssn, action: 'update', version: 41, occurred_at: at.toISOString() };
    const { data = {}, ...envelope } = change as { data?: object };
    const body = JSON.stringify({ ...event, data: { ...member, ...data }, ...envelope });
    return post(
      'syncFromDjango',
      '/',
      {
        ...headers,
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
        'webhook-signature': new Webhook(WEBHOOK_SECRET).sign(id, at, body),
      },
      new TextEncoder().encode(body),
    );
  };

  it('believes its signature, with a type and without', async () => {
    expect(await deliver('with', json)).toMatchObject({ status: 200, body: { result: 'applied' } });
    expect(await deliver('without', {})).toMatchObject({ status: 200, body: { result: 'applied' } });
    expect(await deliver('without', {})).toMatchObject({ status: 200, body: { result: 'duplicate' } });
  });

  it.each<[string, number, object, string?]>([
    ['NUL in a name', 400, { data: { name: `${MARK}\0` } }],
    ['an escape in a street', 400, { data: { local_address: { street: `${MARK}\u001b[2J` } } }],
    ['a C1 control in a city', 400, { data: { local_address: { city: `${MARK}\u009b` } } }],
    ['half a character in a name', 400, { data: { name: `${MARK} \ud83d` } }],
    ['half a character in an e-mail address', 400, { data: { contact_info: { email: `${MARK}\udc00` } } }],
    ['a turn of direction', 400, { data: { name: `${MARK}\u202e` } }],
    ['a character of no width', 400, { data: { contact_info: { facebook: `${MARK}\u200b` } } }],
    ['a name of 200 kB', 400, { data: { name: MARK.repeat(15_000) } }],
    ['a version past the last', 400, { version: 2 ** 31, data: { name: MARK } }],
    ['a version of sixteen digits', 400, { version: Number.MAX_SAFE_INTEGER, data: { name: MARK } }],
    ['a time before the year 1', 400, { occurred_at: '0000-01-01T00:00:00Z', data: { name: MARK } }],
    ['a time after the year 9999 in UTC', 400, { occurred_at: '9999-12-31T23:59:59-02:00' }],
    ['a time that is none', 400, { occurred_at: MARK }],
    ['a joining before the year 1', 400, { data: { date_joined: '0001-01-01T00:00:00+02:00', name: MARK } }],
    ['the id .', 401, { data: { name: MARK } }, '.'],
    ['the id ..', 401, { data: { name: MARK } }, '..'],
    ['the id __x__', 401, { data: { name: MARK } }, `__${MARK}__`],
    ['an id that is a path', 401, { data: { name: MARK } }, `../members/${MARK}`],
  ])('signed, with %s: %i at once, and nothing of it anywhere', async (what, status, change, id = what) => {
    const answer = await deliver(id.replaceAll(' ', '-'), json, change);
    expect([answer.status, answer.body.code]).toEqual([
      status,
      status === 401 ? 'unauthenticated' : expect.stringMatching(/^(invalid_request|member_invalid)$/),
    ]);
    expect(answer.text).not.toContain(MARK);
    expect((await started('syncFromDjango')).output()).not.toContain(MARK);
  });
});

it('a rollback to a generation of twenty digits is refused, and not tried', async () => {
  const rollback = JSON.stringify({ generation: '9'.repeat(20), reason: 'a slip of the hand' });
  const answer = await post('opsApi', '/roster/rollback', { ...admin, ...json }, rollback);
  expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
});

describe('the register’s API', () => {
  it('is healthy by itself, and says which of its servers is not', async () => {
    const { url } = await started('membershipSync');
    expect(await (await fetch(`${url}/health`)).json()).toMatchObject({ status: 'healthy' });
    const headers = { authorization: `Bearer ${ADMIN_KEYS[0]}` };
    const deep = await fetch(`${url}/health?deep=1`, { headers });
    expect([deep.status, await deep.json()]).toMatchObject([
      503,
      { status: 'unhealthy', checks: { database: 'database_unavailable', registry: 'ok' } },
    ]);
  });
});

describe('a scheduled function', () => {
  const names = Object.keys(all).filter((name) => 'scheduleTrigger' in endpointOf(name));

  it.each(names)('%s runs when Cloud Scheduler calls it', async (name) => {
    const headers = {
      'x-cloudscheduler-jobname': `firebase-schedule-${name}-europe-west2`,
      'x-cloudscheduler-scheduletime': '2026-11-23T03:00:00Z',
      ...json,
    };
    // Cloud Scheduler sends no body; what is sent all the same reaches no parser.
    expect(await post(name, '/', headers, `{"${MARK}`)).toMatchObject({ status: 200 });
    expect((await started(name)).output()).not.toContain(MARK);
  });

  it('has published the list', async () => {
    const list = await readFile(join(world.folder, 'demo-ekklesia.appspot.com/kennitalas.txt'), 'utf8');
    expect(list.trim().split('\n')).toHaveLength(30);
  });
});

describe('an event function', () => {
  /** The event that Eventarc would send for this write. */
  const eventOf = async (path: string, data: object): Promise<ReturnType<typeof toDocumentEvent>> => {
    const app = initializeApp({ projectId: 'demo-ekklesia' }, path);
    const { promise, resolve } = Promise.withResolvers<DocumentChange>();
    const stop = world.firestore.onDocumentWritten((change) => {
      if (change.path === path) resolve(change);
    });
    await getFirestore(app).doc(path).set(data, { merge: true });
    const change = await promise;
    stop();
    await deleteApp(app);
    return toDocumentEvent(change, 'europe-west2');
  };
  const deliver = async (target: string, { headers, body }: Awaited<ReturnType<typeof eventOf>>) =>
    post(target, '/', headers, typeof body === 'string' ? body : new Uint8Array(body));

  it('refreshRoster publishes when somebody has joined', async () => {
    world.registry.createMember();
    // The window of now: a run that has just published may have seen what an earlier one asks for.
    const event = await eventOf(`roster_refreshes/${windowOf(new Date())}`, { at: new Date() });
    expect((await deliver('refreshRoster', event)).status).toBeLessThan(300);
    await expect.poll((await started('refreshRoster')).output, { timeout: 20_000 }).toContain('"published"');
  });

  it('proveAfterRun looks once a run has closed its record', async () => {
    const path = 'sync_audit/20261123T030000Z-1f2e3d4c';
    const opened = await eventOf(path, { status: 'running', outcome: null, trigger: 'http' });
    const closed = await eventOf(path, { status: 'success', outcome: 'published' });
    const { output } = await started('proveAfterRun');
    expect((await deliver('proveAfterRun', opened)).status).toBeLessThan(300);
    expect(output()).not.toContain('[PROOF]');
    expect((await deliver('proveAfterRun', closed)).status).toBeLessThan(300);
    await expect.poll(output, { timeout: 20_000 }).toContain('[PROOF]');
  });

  it('followHints reads the member of a new hint until the registry agrees', async () => {
    const { ssn } = world.registry.member(world.registry.createMember().id);
    const kennitala = ssn.replace('-', '');
    const event = await eventOf(`webhook_hints/${kennitala}`, {
      token: 'first',
      state: 'following',
      action: 'create',
      announced: ['create'],
      last_at: new Date(),
    });
    expect((await deliver('followHints', event)).status).toBeLessThan(300);
    const { output } = await started('followHints');
    await expect.poll(output).toContain('"confirmed"');
    expect(output()).not.toContain(kennitala);
  });

  it('trackMemberChanges carries a member’s own edit to the registry', async () => {
    const { id, ssn } = world.registry.member(world.registry.randomMember());
    const kennitala = ssn.replace('-', '');
    const event = await eventOf(`members/${kennitala}`, {
      profile: { kennitala, email: 'edited@example.is' },
      metadata: { django_id: id },
    });
    expect((await deliver('trackMemberChanges', event)).status).toBeLessThan(300);
    expect((await started('trackMemberChanges')).output()).not.toContain(kennitala);
  });
});

it('every deployed function was called', () => {
  expect([...running.keys()].sort()).toEqual(
    expect.arrayContaining(
      Object.keys(all)
        .filter((name) => !('httpsTrigger' in endpointOf(name)))
        .sort(),
    ),
  );
});
