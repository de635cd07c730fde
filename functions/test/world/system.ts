import { makeRunStore } from '../../src/adapters/firestore/run-store.ts';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { makeMemberReference } from '../../src/domain/member/digest.ts';
import type { FetchApp } from '../../src/http/front.ts';
import type { MirrorName } from '../../src/mirror/mirror.ts';
import type { ChainKey, ChainKeys } from '../../src/proof/chain-key.ts';
import { parseConfig } from '../../src/settings.ts';
import { opsApp } from '../../src/wiring/ops.ts';
import { webhookApp } from '../../src/wiring/portal.ts';
import { registerApi } from '../../src/wiring/register.ts';
import type { Shared } from '../../src/wiring/shared.ts';
import type { Lens, MemoryFirestore, Written } from '../support/memory/firestore.ts';
import type { MemoryRegister } from '../support/memory/register.ts';
import type { MemoryStorage } from '../support/memory/storage.ts';
import { SECRET, signed } from '../support/registry-events.ts';
import { type Clock, hash } from './clock.ts';
import type { Instance } from './instances.ts';
import { BASE_URL, type Registry } from './registry.ts';

/** Two of them, of whom the first makes each plan. */
export type Operator = 'operator' | 'another';

export interface Stores {
  readonly registry: Registry;
  readonly firestore: MemoryFirestore;
  readonly storage: MemoryStorage;
  readonly register: MemoryRegister;
  readonly config: Shared['config'];
}

/** A fault between our code and the stores, or in what it is set to. */
export interface Fault {
  readonly distort?: (base: Shared) => Shared;
  readonly lens?: Lens;
  readonly event?: (event: Event) => Event;
}

/** What the platform tells a function of a document that was written. */
export interface Event extends Written {
  readonly id: string;
  readonly time: string;
}

export const LIST = 'kennitalas.txt';
const LEGACY_KEY = 'key-of-a-registry-that-cannot-sign';
const SERVICE = 'elections@demo-world.iam.gserviceaccount.com';
export const referenceOf = (kennitala: Kennitala): string =>
  makeMemberReference('key of the world', kennitala);

const seal = (text: string): string => hash(text).toString(36);
const key: ChainKey = {
  id: 'key-of-the-world',
  pem: '',
  sign: seal,
  verifies: (text, signature) => seal(text) === signature,
  digest: (purpose, text) => seal(`${purpose}\n${text}`),
};
/** Seals in the place of signatures: half of a history's time would go into Ed25519, which has tests of its own. */
const chain: ChainKeys = { current: async () => key, all: async () => [key] };

const SETTINGS = {
  GCLOUD_PROJECT: 'demo-world',
  SYNC_BUCKET: 'lists',
  DJANGO_BASE_URL: BASE_URL,
  ALLOW_LEGACY_WEBHOOK_AUTH: 'true',
  ROSTER_SELF_CHECK: 'rollback',
  // Never opened: `registerStores` stand in its place.
  DATABASE_URL: 'postgres://nobody@127.0.0.1:1/members',
  REGISTER_FROM_WEBHOOK: 'true',
  REGISTER_SERVICE_ACCOUNTS: SERVICE,
  // So small that a handful of people trip it.
  GUARD_REMOVED_PERCENT: '25',
  GUARD_REMOVED_FLOOR: '1',
  GUARD_ADDED_PERCENT: '25',
  GUARD_ADDED_FLOOR: '2',
  GUARD_CHANGED_PERCENT: '100',
  GUARD_BLANKED_PERCENT: '100',
  GUARD_BLANKED_FLOOR: '50',
};
/** In every second history whoever had a plan made may not approve it. */
const [ONE_PERSON, TWO_PERSONS] = ['false', 'true'].map((APPROVAL_NEEDS_SECOND_PERSON) =>
  parseConfig({ ...SETTINGS, APPROVAL_NEEDS_SECOND_PERSON }),
) as [Shared['config'], Shared['config']];
export const configOf = (seed: number): Shared['config'] =>
  hash(seed, 'two persons') % 2 === 0 ? TWO_PERSONS : ONE_PERSON;
export const LIMITS = ONE_PERSON.guard;

/** What the deployed wiring makes the functions of one instance of: clients of the world's stores, and its own clock. */
export const makeBase = (
  { registry, firestore, storage, register, config }: Stores,
  instance: Instance,
  clock: Clock,
  log: Shared['log'],
  { distort = (base) => base, lens }: Fault,
): Shared => {
  const { call } = instance;
  const sleep = (ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve));
  const db = firestore.clientOf(call, sleep, Math.random, lens);
  const bucket = storage.clientOf(call);
  const client = async () => db;
  let runs = 0;
  return distort({
    config,
    log,
    now: () => new Date(clock.time + instance.skewMs),
    makeRunId: (startedAt) => {
      runs += 1;
      return `${startedAt.toISOString().replace(/[-:]|\.\d+/g, '')}-${instance.id}-${runs}`;
    },
    secrets: {
      read: async () => 'key of the world',
      readAll: async (name) => [name === config.webhook.legacyKeySecret ? LEGACY_KEY : SECRET],
      drop: () => undefined,
    },
    app: () => Promise.reject(new Error('The world needs no app of Firebase.')),
    firestore: client,
    storage: async () => bucket,
    repeatableStorage: async () => bucket,
    chain,
    runs: makeRunStore(client, chain.current),
    registry: { ...registry.httpOf(call), close: async () => undefined },
    verifyGoogleToken: async () => ({ email: SERVICE, email_verified: true }),
    authorize: async (header = '') => ({ kind: 'person', id: header.split(/[ .]/)[1] ?? '' }),
    reference: async (kennitala) => referenceOf(kennitala),
    registerStores: register.storesOf(call, () => instance.isAlive),
  });
};

/** What an app answered. */
export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: each caller knows what it asked.
  readonly body: any;
}

type Method = 'GET' | 'POST';
const asking =
  (app: (base: Shared) => FetchApp | Promise<FetchApp>) =>
  (method: Method, path: string, body?: object, by: Operator = 'operator') =>
  async (base: Shared): Promise<Answer> => {
    const request = new Request(`http://world.test${path}`, {
      method,
      headers: { authorization: `Bearer ${by}.of.theworld` },
      ...(body && { body: JSON.stringify(body) }),
    });
    const answer = await (await app(base)).fetch(request);
    return { status: answer.status, body: await answer.json() };
  };

/** A call of an operator's. */
export const ops = asking(opsApp);
/** A call to the register's API: an administrator's, or another service's. */
export const register = asking(registerApi);

const reason = 'a test';

/** What a dry run of `dry` plans is approved by `by`, and done as `wet` says. */
const decided =
  (by: Operator, dry: ReturnType<typeof ops>, wet: (approve: object) => ReturnType<typeof ops>) =>
  async (base: Shared): Promise<Answer> => {
    const { status, body } = await dry(base);
    const { planId = null } = body.run ?? body.record ?? {};
    // The operators' API also takes how many removals whoever approves has seen.
    const seen = body.run && { removed: body.run.changes?.removed };
    return planId === null ? { status, body } : wet({ planId, operator: by, reason, ...seen })(base);
  };

/** A dry run whose plan `by` then approves, at the operators' API or at the register's own. */
export const approved = (mirror: MirrorName | 'sync', by: Operator) =>
  mirror === 'sync'
    ? decided(by, register('POST', '/sync/dry-run', {}), (approve) =>
        register('POST', '/sync', { approve }, by),
      )
    : decided(by, ops('POST', '/runs', { mirror, dryRun: true }), (approve) =>
        ops('POST', '/runs', { mirror, approve }, by),
      );

/** The version before the current one is brought back. */
export const rolledBack = async (base: Shared): Promise<Answer> => {
  const shown = await ops('GET', '/roster/versions')(base);
  const generation: string | undefined = shown.body.versions?.[1]?.generation;
  if (generation === undefined) return shown;
  const dry = ops('POST', '/roster/rollback', { generation, dryRun: true });
  return decided('another', dry, (approve) =>
    ops('POST', '/roster/rollback', { generation, reason, approve }, 'another'),
  )(base);
};

/** An event as the registry sends it: signed with the companion app, with a key without it. */
export const webhook = async (
  base: Shared,
  { id, body, row }: { readonly id: string; readonly body: string; readonly row: number | null },
  at: Date,
): Promise<number> => {
  const { id: webhookId = '', timestamp = '', signature = '' } = signed(id, body, undefined, at).headers;
  const headers: Record<string, string> =
    row === null
      ? { authorization: `Bearer ${LEGACY_KEY}` }
      : { 'webhook-id': webhookId, 'webhook-timestamp': timestamp, 'webhook-signature': signature };
  const request = new Request('http://world.test/', { method: 'POST', headers, body });
  return (await webhookApp(base).fetch(request)).status;
};
