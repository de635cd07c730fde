import { isDeepStrictEqual } from 'node:util';
import { type LocalAuth, startAuth } from '../../../local/src/auth/start-auth.ts';
import { makeMemberReader } from '../../src/adapters/django/read-members.ts';
import type { Database } from '../../src/adapters/postgres/database.ts';
import { makeRegisterReader } from '../../src/adapters/postgres/register-reader.ts';
import { makeApp } from '../../src/http/app.ts';
import { SyncError } from '../../src/lib/errors.ts';
import type { RegisterLookup } from '../../src/ops/ports.ts';
import { OPS_DOCUMENT, opsRoutes } from '../../src/ops/routes.ts';
import { makeTwoWayActions } from '../../src/ops/two-way-actions.ts';
import { wireOps } from '../../src/wiring/ops.ts';
import { wireReconcile } from '../../src/wiring/reconcile.ts';
import { wireRegisterApi } from '../../src/wiring/register.ts';
import { wireRoll, wireRoster } from '../../src/wiring/roster.ts';
import { wireTwoWay } from '../../src/wiring/twoway.ts';
import { PROJECT, referTo, type ServerOptions } from './servers.ts';
import {
  API_URL,
  LEASE_MS,
  type RegisterStackOptions,
  startRegisterStack,
  startRosterStack,
} from './stack.ts';

export const KEYS = ['0f'.repeat(32), 'e1'.repeat(32)];
export const SERVICE = 'elections@demo-ekklesia.iam.gserviceaccount.com';

/** A token whose signature the API's stand-ins for Google and Firebase take for good: what it claims is in its payload. */
export const tokenOf = (claims: Readonly<Record<string, unknown>>): string =>
  `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`;
const claimsOf = (token = '') => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

/** The register's API as production wires it. Only the issuers of tokens are stood in for. */
export const startApiStack = async (options: RegisterStackOptions = {}) => {
  const stack = await startRegisterStack({
    ...options,
    settings: { REGISTER_SERVICE_ACCOUNTS: SERVICE, REGISTER_API_URL: API_URL },
    secrets: { 'admin-api-key': KEYS },
  });
  const base: typeof stack.base = {
    ...stack.base,
    authorize: async (header) => {
      const claims = claimsOf(header);
      if (claims.valid !== true) throw new SyncError('unauthenticated', 'The token is not valid here.');
      if (claims.role !== 'admin') throw new SyncError('forbidden', 'This needs the role admin.');
      return { kind: 'person', id: claims.uid };
    },
    verifyGoogleToken: async (token, audiences) => {
      const claims = claimsOf(token);
      if (!audiences.includes(claims.aud)) throw new Error('wrong audience');
      return claims;
    },
  };
  const roster = wireRoster(base);
  const register = {
    reader: makeRegisterReader(stack.database),
    pages: stack.registerOptions.pages,
    makeReferTo: async () => referTo,
    runRegister: stack.run,
    afterwards: async () => undefined,
    abandonedAfterMs: LEASE_MS,
  };
  const api = await wireRegisterApi(base, register, wireRoll(base, roster));
  const call = async (path: string, { token, ...init }: RequestInit & { token?: string } = {}) => {
    const headers = {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(typeof init.body === 'string' ? { 'content-type': 'application/json' } : {}),
      ...init.headers,
    };
    const response = await api.fetch(new Request(`http://api.test${path}`, { ...init, headers }));
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    const { status } = response;
    return { status, headers: response.headers, text, body: isJson ? JSON.parse(text) : null };
  };
  return {
    ...stack,
    api,
    call,
    service: tokenOf({ aud: API_URL, email: SERVICE, email_verified: true }),
    key: KEYS[0] ?? '',
    list: roster.restore.store,
  };
};
export type ApiStack = Awaited<ReturnType<typeof startApiStack>>;

export interface OpsStackOptions extends ServerOptions {
  /** The register's. */
  readonly database?: Database;
  readonly register?: RegisterLookup;
}

/** A body as the tests look into it. */
// biome-ignore lint/suspicious/noExplicitAny: answers are checked against their schemas in `call`.
export type Body = any;

/** The operators' API as production wires it, with Firebase ID tokens; of the mirrors, it may run the roster. */
export const startOpsStack = async ({ database, register, ...options }: OpsStackOptions = {}) => {
  const auth: LocalAuth = await startAuth({ projectId: PROJECT, port: 0 });
  process.env['FIREBASE_AUTH_EMULATOR_HOST'] = auth.emulatorHost;
  const stack = await startRosterStack(options);
  const { base } = stack;
  const roster = wireRoster(base);
  const delivery = { ...wireTwoWay(base), random: () => 0 };
  const wired = wireOps(base, {
    roster: { ...roster, restore: { ...roster.restore, run: stack.dependencies } },
    twoWay: delivery,
    database: database ?? null,
    runners: { roster: (request) => stack.run(request), portal: null, register: null },
    prove: () => Promise.reject(new Error('Nothing is proved here.')),
    roll: wireRoll(base, roster),
    syncMember: wireReconcile(base).syncMember,
    takeRegistrysWord: () => Promise.reject(new Error('The portal is not configured here.')),
  });
  /** Of whose slowness a test waits for the end. */
  const impatient = makeMemberReader(stack.openHttp(8_000), { deadlineMs: 8_000 });
  const dependencies: typeof wired = {
    ...wired,
    ...(register && { explain: { ...wired.explain, register } }),
    erase: { ...wired.erase, registry: impatient },
    twoWayActions: makeTwoWayActions(delivery, { pauseMs: 20 }),
  };
  const routes = opsRoutes(dependencies);
  const { authorize, log } = base;
  const api = makeApp(routes, { authorize, log, prefixes: ['', '/api'], document: OPS_DOCUMENT });
  const tokenOf = (claims: Record<string, unknown>, uid = 'operator') => auth.mintIdToken({ uid, claims });
  const admin = tokenOf({ roles: ['admin'] });
  const send = async (method: string, path: string, body?: unknown, token: string | null = admin) =>
    api.fetch(
      new Request(`http://ops.test${path}`, {
        method,
        headers: token === null ? {} : { authorization: `Bearer ${token}` },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
    );
  const assertAnswer = (method: string, path: string, json: unknown): void => {
    const [pathname = ''] = path.split('?');
    const route = routes.find(
      (one) =>
        one.method === method &&
        new RegExp(`^(?:/api)?${one.path.replace(/:\w+/g, '[^/]+')}$`).test(pathname),
    );
    if (!isDeepStrictEqual(route?.answer.parse(json), json)) {
      throw new Error(`The answer of ${method} ${path} has fields that its schema does not name.`);
    }
  };
  return {
    ...stack,
    dependencies,
    delivery,
    runDependencies: stack.dependencies,
    routes,
    auth,
    tokenOf,
    send,
    /** As an administrator. A 200 must be of its route's schema, to the last field. */
    call: async (method: 'GET' | 'POST', path: string, body?: unknown, token: string = admin) => {
      const response = await send(method, path, body, token);
      const json: Body = await response.json();
      if (response.status === 200) assertAnswer(method, path, json);
      return { status: response.status, body: json, headers: response.headers };
    },
    queue: delivery.store,
    reference: base.reference,
    members: delivery.members,
    registryMembers: delivery.reader,
    registryChanges: delivery.changes,
    actions: async () =>
      (await stack.db.collection('operator_actions').orderBy('at').get()).docs.map((found) => found.data()),
    close: async () => {
      delete process.env['FIREBASE_AUTH_EMULATOR_HOST'];
      await stack.close();
      await auth.close();
    },
  };
};
export type OpsStack = Awaited<ReturnType<typeof startOpsStack>>;
