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
  /** As the platform would tell it of a write of a member's document. */
  readonly event?: (event: Event) => Event;
}

export interface Event extends Pick<Written, 'before' | 'after'> {
  readonly id: string;
  readonly time: string;
  readonly kennitala: string;
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

const ask = async (
  app: FetchApp,
  method: 'GET' | 'POST',
  path: string,
  body: object | undefined,
  by: string,
): Promise<Answer> => {
  const headers = { authorization: `Bearer ${by}.of.theworld` };
  const request = new Request(`http://world.test${path}`, {
    method,
    headers,
    ...(body && { body: JSON.stringify(body) }),
  });
  const answer = await app.fetch(request);
  return { status: answer.status, body: await answer.json() };
};

/** A call of an operator's. */
export const ops =
  (method: 'GET' | 'POST', path: string, body?: object, by: Operator = 'operator') =>
  (base: Shared): Promise<Answer> =>
    ask(opsApp(base), method, path, body, by);

/** A call of another service's, or of an administrator's, to the register's API. */
export const register =
  (method: 'GET' | 'POST', path: string, body?: object) =>
  async (base: Shared): Promise<Answer> =>
    ask(await registerApi(base), method, path, body, 'service');

const reason = 'a test';

/** A dry run whose plan `by` then approves. */
export const approved =
  (mirror: MirrorName, by: Operator) =>
  async (base: Shared): Promise<Answer> => {
    const dry = await ops('POST', '/runs', { mirror, dryRun: true })(base);
    const { planId = null, changes } = dry.body.run ?? {};
    if (planId === null) return dry;
    const approve = { planId, operator: by, reason, removed: changes.removed };
    return ops('POST', '/runs', { mirror, approve }, by)(base);
  };

/** The version before the current one is brought back. */
export const rolledBack = async (base: Shared): Promise<Answer> => {
  const shown = await ops('GET', '/roster/versions')(base);
  const generation: string | undefined = shown.body.versions?.[1]?.generation;
  if (generation === undefined) return shown;
  const dry = await ops('POST', '/roster/rollback', { generation, dryRun: true })(base);
  const { planId = null, changes } = dry.body.run ?? {};
  if (planId === null) return dry;
  const approve = { planId, operator: 'another', reason, removed: changes.removed };
  return ops('POST', '/roster/rollback', { generation, reason, approve }, 'another')(base);
};

/** An event as the registry sends it: signed with the companion app, with a key without it. */
export const webhook = async (
  base: Shared,
  { id, body, row }: { readonly id: string; readonly body: string; readonly row: number | null },
  at: Date,
): Promise<number> => {
  const { headers } = signed(id, body, undefined, at);
  const proof: Record<string, string> =
    row === null
      ? { authorization: `Bearer ${LEGACY_KEY}` }
      : {
          'webhook-id': headers.id ?? '',
          'webhook-timestamp': headers.timestamp ?? '',
          'webhook-signature': headers.signature ?? '',
        };
  const request = new Request('http://world.test/', { method: 'POST', headers: proof, body });
  return (await webhookApp(base).fetch(request)).status;
};
