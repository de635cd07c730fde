import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deleteApp, getApps } from 'firebase-admin/app';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type LocalFirestore, startFirestore } from '../../../local/src/firestore/server.ts';
import { type LocalRegistry, startRegistry } from '../../../local/src/registry/start-registry.ts';
import { makeSigningKey } from '../../../local/src/secrets.ts';
import { type LocalStorage, startStorage } from '../../../local/src/storage/index.ts';
import { startDatabase } from '../register/support/test-database.ts';

const PROJECT = 'demo-ekklesia';
const BUCKET = `${PROJECT}.appspot.com`;
const TOKEN = 'token-of-the-tests';
const AUTHORIZATION = { authorization: `Token ${TOKEN}`, 'content-type': 'application/json' };

let firestore: LocalFirestore;
let storage: LocalStorage;
let registry: LocalRegistry;
let postgres: Awaited<ReturnType<typeof startDatabase>>;
let folder: string;
const logged: unknown[] = [];
let prove: typeof import('../../src/wiring/proof.ts')['runProof'];
let lookAfterRun: typeof import('../../src/wiring/proof.ts')['lookAfterRun'];
let sync: (mirror: 'roster' | 'portal' | 'register') => Promise<{ record: { outcome: unknown } }>;
let wiredRoster: typeof import('../../src/wiring/roster.ts').wiredRoster;
let shared: typeof import('../../src/wiring/shared.ts').shared;

/** What the platform tells once a run has closed its record. */
const closedAt = (at: Date) => ({
  before: { status: 'running', trigger: 'schedule' },
  after: { status: 'success', trigger: 'schedule' },
  time: at.toISOString(),
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'prove-'));
  firestore = await startFirestore({ projectId: PROJECT });
  storage = await startStorage({ directory: folder });
  registry = await startRegistry({ members: 120, placeholders: 2, port: 0, token: TOKEN });
  postgres = await startDatabase();
  Object.assign(process.env, {
    GCLOUD_PROJECT: PROJECT,
    SYNC_BUCKET: BUCKET,
    FUNCTIONS_EMULATOR: 'true',
    FIRESTORE_EMULATOR_HOST: `${firestore.host}:${firestore.port}`,
    STORAGE_EMULATOR_HOST: storage.url,
    DJANGO_BASE_URL: registry.url,
    DJANGO_API_TOKEN: TOKEN,
    MEMBER_REFERENCE_KEY: 'key of the tests',
    CHAIN_SIGNING_KEY: makeSigningKey(),
    DATABASE_URL: postgres.url,
  });
  for (const level of ['debug', 'info', 'log', 'warn', 'error'] as const) {
    vi.spyOn(console, level).mockImplementation((...line: unknown[]) => void logged.push(line));
  }
  const [proof, reconcile, roster, register, base] = await Promise.all([
    import('../../src/wiring/proof.ts'),
    import('../../src/wiring/reconcile.ts'),
    import('../../src/wiring/roster.ts'),
    import('../../src/wiring/register.ts'),
    import('../../src/wiring/shared.ts'),
  ]);
  ({ runProof: prove, lookAfterRun } = proof);
  shared = base.shared;
  wiredRoster = roster.wiredRoster;
  const runs = {
    roster: roster.runRoster,
    portal: reconcile.runReconcile,
    register: register.runRegister,
  };
  sync = (mirror) => runs[mirror]({ trigger: 'http' });
});
afterAll(async () => {
  vi.restoreAllMocks();
  await (await import('../../src/wiring/register.ts')).registerDatabase()?.close();
  await Promise.all(getApps().map((app) => deleteApp(app)));
  await Promise.all([firestore.close(), storage.close(), registry.close(), postgres.close()]);
  await rm(folder, { recursive: true, maxRetries: 5 });
});

const db = () => shared().firestore();
/** The registry believes that it delivered everything: what the stores lack now is lost. */
const loseEvents = async (): Promise<void> => {
  const waiting = await fetch(`${registry.url}/api/sync/changes/`, { headers: AUTHORIZATION });
  const { changes } = (await waiting.json()) as { changes: { id: number }[] };
  const body = JSON.stringify({ sync_ids: changes.map(({ id }) => id) });
  await fetch(`${registry.url}/api/sync/mark-synced/`, { method: 'POST', headers: AUTHORIZATION, body });
};
/** By the register's own pool: one database of these tests serves one connection at a time. */
const sql = async (text: string): Promise<void> => {
  const { registerDatabase } = await import('../../src/wiring/register.ts');
  await registerDatabase()?.transaction((query) => query(text));
};
const digitsOf = (id: number): string => registry.member(id).ssn.replace('-', '');
/** In the order in which they began: of a second, their ids are in none. */
const runsOf = async () =>
  (await (await db()).collection('sync_audit').orderBy('timestamp').get()).docs
    .map((it) => it.data())
    .filter((it) => it['trigger'] === 'proof');
const forgetHealings = async (): Promise<void> => {
  await (await db()).collection('sync_state').doc('proof').delete();
};
const EQUAL = { state: 'equal', differences: 0 };

describe('a proof of all four', () => {
  beforeEach(async () => {
    registry.clearFaults();
    for (const mirror of ['roster', 'portal', 'register'] as const) await sync(mirror);
    await loseEvents();
    await forgetHealings();
  });

  it('fills a portal that is empty by a run of the whole, which counts as the last that ended well', async () => {
    const parts = (await runsOf()).length;
    const members = (await (await db()).collection('members').get()).docs;
    await Promise.all(members.map((member) => member.ref.delete()));
    expect(await prove()).toMatchObject({ outcome: 'equal', members: 120 });
    expect(await runsOf()).toHaveLength(parts);
    const state = (await (await db()).collection('sync_state').doc('portal').get()).data();
    expect(state?.['lastSuccess'].runId).toBe(state?.['last'].runId);
  });

  it('says that they are equal, and writes one small record and no run', async () => {
    const before = (await runsOf()).length;
    const proof = await prove();
    expect(proof).toMatchObject({
      outcome: 'equal',
      members: registry.summary().members - 2,
      stores: { roster: EQUAL, portal: EQUAL, register: EQUAL },
      unprovedSince: null,
    });
    expect(proof.provedAt).toEqual(proof.at);
    const stored = await (await db()).collection('sync_state').doc('proof').get();
    expect(JSON.stringify(stored.data()).length).toBeLessThan(1_000);
    expect(await runsOf()).toHaveLength(before);
  });

  it.each([
    ['an update', () => registry.updateMember(7, { name: 'Týnd Breyting' })],
    ['a deletion', () => registry.deleteMember(registry.randomMember())],
    ['a new member', () => registry.createMember()],
  ])(
    'finds %s whose event was lost, and has it mended by runs over that bucket alone',
    async (_what, change) => {
      change();
      await loseEvents();
      const before = (await runsOf()).length;
      expect(await prove()).toMatchObject({ outcome: 'equal', healings: 0 });
      const runs = (await runsOf()).slice(before);
      expect(new Set(runs.map((run) => run['mirror']))).toEqual(new Set(['portal', 'register']));
      expect(runs.map((run) => run['outcome'])).toEqual(['published', 'published']);
      expect(runs.map((run) => run['memberCount'])).toEqual(runs.map(() => registry.summary().members - 2));
      expect(await sync('portal')).toMatchObject({ record: { outcome: 'unchanged' } });
      expect(await sync('register')).toMatchObject({ record: { outcome: 'unchanged' } });
      expect(await sync('roster')).toMatchObject({ record: { outcome: 'unchanged' } });
    },
  );

  it('waits for events that are on their way', async () => {
    registry.updateMember(9, { name: 'Á Leiðinni' });
    const before = (await runsOf()).length;
    const proof = await prove();
    expect(proof).toMatchObject({
      outcome: 'under_way',
      because: 'events',
      stores: { portal: { differences: 1 } },
    });
    expect(await runsOf()).toHaveLength(before);
  });

  it('brings a member back whom the portal holds as gone', async () => {
    const member = (await db()).collection('members').doc(digitsOf(11));
    await member.update({ 'membership.status': 'inactive' });
    expect(await prove()).toMatchObject({ outcome: 'equal' });
    expect((await member.get()).get('membership.status')).toBe('active');
  });

  it('mends a roster and a register that somebody edited by hand', async () => {
    await sql(`update public.members set is_active = false where kennitala = '${digitsOf(13)}'`);
    const { store } = wiredRoster().restore;
    const before = await store.read();
    const lines = Buffer.from(before?.bytes ?? [])
      .toString()
      .replace(`${digitsOf(13)}\n`, '');
    const metadata = {
      syncedAt: new Date(),
      memberCount: 1,
      djangoExportedAt: null,
      sha256: '',
      runId: 'by-hand',
      chainHead: null,
    };
    await store.publish(Buffer.from(lines), metadata, before?.generation ?? null);
    expect(await prove()).toMatchObject({
      outcome: 'equal',
      stores: { roster: EQUAL, portal: EQUAL, register: EQUAL },
    });
    expect(Buffer.from((await store.read())?.bytes ?? []).toString()).toContain(digitsOf(13));
  });

  it('leaves a paused mirror alone, and says so', async () => {
    registry.updateMember(15, { name: 'Í Bið' });
    await loseEvents();
    await sync('register');
    const pause = { reason: 'a test', by: 'the tests', at: new Date() };
    const state = (await db()).collection('sync_state').doc('portal');
    await state.set({ pause }, { merge: true });
    const before = (await runsOf()).length;
    expect(await prove()).toMatchObject({
      outcome: 'differs',
      because: 'paused',
      stores: { portal: { state: 'differs', differences: 1 }, register: EQUAL },
    });
    expect(await runsOf()).toHaveLength(before);
    await state.set({ pause: null }, { merge: true });
  });

  it('takes a document that nobody mapped for no equality, until a whole reading has seen to it', async () => {
    const stranger = (await db()).collection('members').doc('9999000001');
    await stranger.set({ membership: { status: 'active' } });
    const proof = await prove();
    expect(proof.stores.portal).toMatchObject({ state: 'differs', differences: null });
    await stranger.delete();
  });

  it('after a run is a look that mends nothing, and counts nothing as mended', async () => {
    const proofs = async () => (await (await db()).collection('sync_state').doc('proof').get()).data();
    const runs = (await runsOf()).length;
    await lookAfterRun(closedAt(new Date()));
    expect(await proofs()).toMatchObject({ outcome: 'equal', unprovedSince: null });
    registry.updateMember(17, { name: 'Ólæknuð Breyting' });
    await loseEvents();
    await lookAfterRun(closedAt(new Date()));
    expect(await proofs()).toMatchObject({ outcome: 'differs', healings: 0, healedAt: null });
    expect(await runsOf()).toHaveLength(runs);
    expect(await prove()).toMatchObject({ outcome: 'equal' });
  });

  it('after a run is let go when its event comes late: the schedule has looked meanwhile', async () => {
    await lookAfterRun(closedAt(new Date(Date.now() - 660_000)));
    expect((await (await db()).collection('sync_state').doc('proof').get()).exists).toBe(false);
  });

  it.each([
    ['one that is under way still', { status: 'running' }, { status: 'running' }],
    ['one that was closed before', { status: 'success' }, { status: 'success' }],
    [
      "a proof's own, after which that proof looks",
      { status: 'running' },
      { status: 'success', trigger: 'proof' },
    ],
  ])('passes over the update of a record: %s', async (_which, before, after) => {
    await lookAfterRun({ ...closedAt(new Date()), before, after });
    expect((await (await db()).collection('sync_state').doc('proof').get()).exists).toBe(false);
  });

  it('knows nothing where the register does not answer', async () => {
    await sql('alter table public.members rename column digest_a to digest_z');
    expect(await prove()).toMatchObject({
      outcome: 'unknown',
      stores: { register: { state: 'unknown', errorCode: 'schema_outdated' }, portal: EQUAL },
    });
    await sql('alter table public.members rename column digest_z to digest_a');
  });

  it('names no member in any log', async () => {
    await prove();
    const text = JSON.stringify(logged);
    expect(text).toContain('[PROOF] equal');
    for (const id of [7, 9, 11, 13, 15]) expect(text).not.toContain(digitsOf(id));
  });

  // The last one: what the registry has lost here stays lost.
  it('of whom too many would go leaves a person a plan over everybody, which can be approved', async () => {
    for (let n = 20; n < 45; n += 1) registry.deleteMember(n);
    await loseEvents();
    const before = (await runsOf()).length;
    expect(await prove()).toMatchObject({ outcome: 'differs', healings: 1 });
    const parts = (await runsOf()).slice(before);
    expect(parts.map((run) => [run['mirror'], run['outcome']]).toSorted()).toEqual([
      ['portal', 'blocked'],
      ['register', 'blocked'],
    ]);
    for (const mirror of ['roster', 'portal', 'register']) {
      const last = (await (await db()).collection('sync_state').doc(mirror).get()).get('last');
      expect(last).toMatchObject({ outcome: 'blocked', errorCode: 'guard_tripped' });
      expect(parts.map((run) => run['runId'])).not.toContain(last.runId);
    }
  });
});
