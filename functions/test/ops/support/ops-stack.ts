import { randomUUID } from 'node:crypto';
import { IdempotencyStrategy, Storage } from '@google-cloud/storage';
import { deleteApp, initializeApp } from 'firebase-admin/app';
import { type LocalAuth, startAuth } from '../../../../local/src/auth/start-auth.ts';
import { makeVerifyFirebaseToken, makeVerifyGoogleToken } from '../../../src/adapters/auth/verify-tokens.ts';
import { makeMemberChanges } from '../../../src/adapters/django/member-changes.ts';
import { makeMemberPages, makeMemberReader } from '../../../src/adapters/django/read-members.ts';
import { makeRegistryHttp } from '../../../src/adapters/django/registry-http.ts';
import { makeFirestoreErasure } from '../../../src/adapters/firestore/erase-documents.ts';
import { makeHintStore } from '../../../src/adapters/firestore/hint-store.ts';
import { makeMemberStore } from '../../../src/adapters/firestore/member-store.ts';
import { makeMemberTrace, makePeopleReader } from '../../../src/adapters/firestore/ops-people.ts';
import { makeOperatorActions, makeRunHistory } from '../../../src/adapters/firestore/ops-runs.ts';
import { makeLiveCounts, makeMirrorStates } from '../../../src/adapters/firestore/ops-states.ts';
import { makeTwoWayReader } from '../../../src/adapters/firestore/ops-two-way.ts';
import { makeProofStore, makeVerifiedStore } from '../../../src/adapters/firestore/proof-store.ts';
import { makeQueueStore, makeTwoWayLog } from '../../../src/adapters/firestore/queue-store.ts';
import { makeRecordReader } from '../../../src/adapters/firestore/record-reader.ts';
import { makeRosterRefresh } from '../../../src/adapters/firestore/roster-refresh.ts';
import { makeEnvSecrets, makeTokenSource } from '../../../src/adapters/secrets/secret-manager.ts';
import { makeFrozenRolls } from '../../../src/adapters/storage/frozen-rolls.ts';
import {
  makeListStore,
  makeListVersions,
  makeSoftDeletedList,
  makeVersionsErasure,
} from '../../../src/adapters/storage/list-store.ts';
import type { Kennitala } from '../../../src/domain/kennitala.ts';
import { makeMemberReference } from '../../../src/domain/member/digest.ts';
import { makeApp } from '../../../src/http/app.ts';
import { makeAuthorizeAdmin } from '../../../src/http/callers.ts';
import type { OpsDependencies } from '../../../src/ops/dependencies.ts';
import { makeOpsLogs } from '../../../src/ops/ops-logs.ts';
import type { ErasureStore, RegisterLookup } from '../../../src/ops/ports.ts';
import { OPS_DOCUMENT, opsRoutes } from '../../../src/ops/routes.ts';
import { makeTwoWayActions } from '../../../src/ops/two-way-actions.ts';
import { syncMember } from '../../../src/portal/reconcile/sync-member.ts';
import type { DeliveryDependencies } from '../../../src/twoway/delivery.ts';
import { makeTwoWayLogs } from '../../../src/twoway/logs.ts';
import { makeApplyProtocol, makeRegistryMembers } from '../../../src/twoway/registry.ts';
import { runTwoWay } from '../../../src/twoway/sweep.ts';
import { chain } from '../../support/chain.ts';
import { BUCKET, type StackOptions, startStack } from '../../support/stack.ts';

const PROJECT = 'demo-ekklesia';

export interface OpsStackOptions extends StackOptions {
  readonly register?: RegisterLookup;
  readonly registerErasure?: ErasureStore;
}

/** A body as the tests look into it. */
// biome-ignore lint/suspicious/noExplicitAny: answers are checked against their schemas in `call`.
export type Body = any;

/** The operators' API over the roster's stack: real Firestore, Storage, registry, and Firebase ID tokens. */
export const startOpsStack = async ({ register, registerErasure, ...options }: OpsStackOptions = {}) => {
  const stack = await startStack(options);
  const auth: LocalAuth = await startAuth({ projectId: PROJECT, port: 0 });
  process.env['FIREBASE_AUTH_EMULATOR_HOST'] = auth.emulatorHost;
  const app = initializeApp({ projectId: PROJECT }, `ops-${auth.port}`);
  const http = makeRegistryHttp({
    baseUrl: stack.registry.url,
    authScheme: 'Token',
    token: makeTokenSource(makeEnvSecrets(stack.secrets), 'django-api-token'),
    requestTimeoutMs: 8_000,
    retry: { baseDelayMs: 5, maxDelayMs: 20 },
  });
  const db = async () => stack.db;
  const storage = async () => stack.storageClient;
  const erasing = async () =>
    new Storage({
      projectId: PROJECT,
      apiEndpoint: stack.storage.url,
      retryOptions: { maxRetries: 1, maxRetryDelay: 1, idempotencyStrategy: IdempotencyStrategy.RetryAlways },
    });
  const place = { bucket: BUCKET, object: 'kennitalas.txt' };
  const store = makeListStore(storage, place);
  const versions = makeListVersions(storage, place);
  const history = makeRunHistory(db);
  const states = makeMirrorStates(db, chain.current);
  const actions = makeOperatorActions(db, chain.current);
  const twoWay = makeTwoWayReader(db);
  const queue = makeQueueStore(db);
  const reference = async (kennitala: Kennitala) => makeMemberReference('key of the tests', kennitala);
  const { now } = stack.clock;
  const registry = makeMemberReader(http, { deadlineMs: 8_000 });
  const registryChanges = makeMemberChanges(http, { deadlineMs: 8_000 });
  const trace = makeMemberTrace(db, twoWay);
  const members = makeMemberStore(db);
  const { log } = stack.dependencies;
  const delivery: DeliveryDependencies = {
    store: queue,
    registry: registryChanges,
    registryMembers: makeRegistryMembers({
      reader: registry,
      pages: makeMemberPages(http, { baseUrl: stack.registry.url }),
    }),
    protocol: makeApplyProtocol(),
    logs: makeTwoWayLogs(stack.dependencies.log),
    random: () => 0,
    makeOwner: randomUUID,
    reference,
    now,
  };
  const dependencies: OpsDependencies = {
    runners: { roster: (request) => stack.run(request), portal: null, register: null },
    rollback: { versions, store, history, run: stack.dependencies },
    explain: {
      registry,
      members: makeMemberStore(db),
      roster: store,
      register: register ?? null,
      trace,
      states,
      history,
      actions,
      reference,
      now,
    },
    erase: {
      registry,
      events: registryChanges,
      roster: store,
      trace,
      register: register ?? null,
      states,
      stores: [
        ...makeFirestoreErasure(db, chain),
        ...(registerErasure === undefined ? [] : [registerErasure]),
        makeVersionsErasure(erasing, place),
      ],
      softDeleted: makeSoftDeletedList(erasing, place),
      actions,
      reference,
      logs: makeOpsLogs((severity, message, fields) => stack.logs.push({ severity, message, fields })),
      now,
    },
    history,
    states,
    counts: makeLiveCounts(db),
    people: makePeopleReader(db),
    versions,
    actions,
    hints: makeHintStore(db),
    proofs: makeProofStore(db),
    prove: () => Promise.reject(new Error('Nothing is proved here.')),
    takeRegistrysWord: () => Promise.reject(new Error('The portal is not configured here.')),
    twoWay,
    twoWayActions: makeTwoWayActions(delivery, { pauseMs: 20 }),
    syncMember: (request) =>
      syncMember(
        { ...request, signal: AbortSignal.timeout(20_000) },
        { members, registry, rosterRefresh: makeRosterRefresh(db), reference, now, log },
      ),
    runTwoWay: (which, requestedBy) =>
      runTwoWay(
        { trigger: 'http', which, requestedBy },
        {
          ...delivery,
          members,
          reader: registry,
          log: makeTwoWayLog(db, chain.current),
          rosterRefresh: makeRosterRefresh(db),
          changes: registryChanges,
          makeRunId: () => `sweep-${randomUUID()}`,
          runLimitMs: 60_000,
        },
      ),
    reference,
    verify: { records: makeRecordReader(db), versions, keys: chain, now },
    verified: makeVerifiedStore(db),
    roll: {
      versions,
      runsBefore: async (at, limit) =>
        (await history.page({ mirror: 'roster', until: new Date(at.getTime() + 1), limit })).items,
      keys: chain,
      now,
    },
    frozen: makeFrozenRolls(storage, BUCKET),
    logs: makeOpsLogs(log),
    now,
  };
  const routes = opsRoutes(dependencies);
  const api = makeApp(routes, {
    authorize: makeAuthorizeAdmin({
      verifyFirebaseToken: makeVerifyFirebaseToken(async () => app),
      verifyGoogleToken: makeVerifyGoogleToken(),
      serviceAccounts: [],
      audiences: [],
    }),
    log: (severity, message, fields) => stack.logs.push({ severity, message, fields }),
    prefixes: ['', '/api'],
    document: OPS_DOCUMENT,
  });
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

  /** As an administrator. A 200 must be of its route's schema, to the last field. */
  const call = async (method: 'GET' | 'POST', path: string, body?: unknown, token: string = admin) => {
    const response = await send(method, path, body, token);
    const json: Body = await response.json();
    if (response.status === 200) assertAnswer(method, path, json);
    return { status: response.status, body: json, headers: response.headers };
  };

  const assertAnswer = (method: string, path: string, json: unknown): void => {
    const [pathname = ''] = path.split('?');
    const route = routes.find(
      (one) =>
        one.method === method &&
        new RegExp(`^(?:/api)?${one.path.replace(/:\w+/g, '[^/]+')}$`).test(pathname),
    );
    const parsed: unknown = route?.answer.parse(json);
    if (JSON.stringify(sorted(parsed)) !== JSON.stringify(sorted(json))) {
      throw new Error(`The answer of ${method} ${path} has fields that its schema does not name.`);
    }
  };

  return {
    ...stack,
    dependencies,
    delivery,
    runDependencies: stack.dependencies,
    routes,
    api,
    auth,
    tokenOf,
    send,
    call,
    queue,
    reference,
    members,
    registryMembers: registry,
    registryChanges,
    actions: async () =>
      (await stack.db.collection('operator_actions').orderBy('at').get()).docs.map((found) => found.data()),
    close: async () => {
      delete process.env['FIREBASE_AUTH_EMULATOR_HOST'];
      await http.close();
      await deleteApp(app);
      await auth.close();
      await stack.close();
    },
  };
};

export type OpsStack = Awaited<ReturnType<typeof startOpsStack>>;

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, inner]) => [key, sorted(inner)] as const)
      .toSorted(([one], [other]) => (one < other ? -1 : 1)),
  );
};
