import type { DocumentSnapshot, Firestore } from 'firebase-admin/firestore';
import { expect, vi } from 'vitest';
import type { DocumentChange } from '../../../local/src/firestore/server.ts';
import { makeListExport, makeMemberPages } from '../../src/adapters/django/read-members.ts';
import { makeHintStore } from '../../src/adapters/firestore/hint-store.ts';
import { makeMemberStore } from '../../src/adapters/firestore/member-store.ts';
import { makePortalWriter } from '../../src/adapters/firestore/portal-documents.ts';
import { makeQueueStore } from '../../src/adapters/firestore/queue-store.ts';
import { toMemberWrite } from '../../src/adapters/firestore/twoway-documents.ts';
import { makeDatabase } from '../../src/adapters/postgres/make-database.ts';
import { makeRegisterStore } from '../../src/adapters/postgres/register-store.ts';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import type { MemberChange } from '../../src/domain/member/member-change.ts';
import { type RunDependencies, type RunRequest, runMirror } from '../../src/mirror/run.ts';
import { applyReading } from '../../src/portal/apply-event.ts';
import type { PortalWriter } from '../../src/portal/ports.ts';
import { answerWebhook, type WebhookCall } from '../../src/portal/receive-webhook.ts';
import { makePortalMirror, type PortalMirrorDependencies } from '../../src/portal/reconcile/portal-mirror.ts';
import { makeWebhookGate, type WebhookSecrets } from '../../src/portal/webhook-caller.ts';
import { type RegisterOptions, runRegisterMirror } from '../../src/register/register.ts';
import type { MemberPages, MemberReader } from '../../src/registry/ports.ts';
import { makeRoster } from '../../src/roster/roster.ts';
import { type EditTime, makeEditTime, partsOf } from '../../src/twoway/queue.ts';
import { runTwoWay, type TwoWayDependencies, type TwoWayRun } from '../../src/twoway/sweep.ts';
import { trackMemberWrite } from '../../src/twoway/track.ts';
import { wireWebhook } from '../../src/wiring/portal.ts';
import { wireReconcile } from '../../src/wiring/reconcile.ts';
import { wireRoster } from '../../src/wiring/roster.ts';
import { runDependencies } from '../../src/wiring/shared.ts';
import { wireTwoWay } from '../../src/wiring/twoway.ts';
import { startWebhookServer } from '../portal/support/webhook-server.ts';
import { makeFailingDatabase } from '../register/support/failing-database.ts';
import { type MemberRow, type SyncLogRow, startDatabase } from '../register/support/test-database.ts';
import { readAnswer, SECRET, signed } from './registry-events.ts';
import { BUCKET, PATIENT_MS, referTo, type ServerOptions, startServers } from './servers.ts';

/** Of every mirror here, so that each test advances the clock by the same. */
export const LEASE_MS = 150_000;
export const API_URL = 'https://api.example.is';
const LIMITS = { runLimitMs: 2 * PATIENT_MS, leaseMs: LEASE_MS };

/** The roster as production wires it. */
export const startRosterStack = async (options: ServerOptions = {}) => {
  const servers = await startServers(options);
  const { base, db, storageClient } = servers;
  const { roster, restore } = wireRoster(base);
  const dependencies = runDependencies(base, LIMITS);
  const hurried = servers.openHttp(400);
  return {
    ...servers,
    dependencies,
    run: (request: RunRequest = { trigger: 'http' }, given = dependencies) =>
      runMirror(roster, request, given),
    /** The same with the patience of a moment: for one request always, and for all of them as said. */
    runHurried: (deadlineMs = 600) =>
      runMirror(
        makeRoster(makeListExport(hurried, { deadlineMs }), restore.store),
        { trigger: 'http' },
        dependencies,
      ),
    fileMetadata: async () => (await storageClient.bucket(BUCKET).file('kennitalas.txt').getMetadata())[0],
    records: async () =>
      (await db.collection('sync_audit').orderBy('timestamp').get()).docs.map((document) => document.data()),
  };
};
export type RosterStack = Awaited<ReturnType<typeof startRosterStack>>;

/** The portal's mirror as production wires it, over a registry that sends no webhooks where the test does not ask for them. */
export const startReconcileStack = async (options: ServerOptions = {}) => {
  const servers = await startServers({ members: 40, attempts: 2, ...options });
  const { base, db } = servers;
  const portal: PortalMirrorDependencies = {
    ...wireReconcile(base).portal,
    writer: makePortalWriter(base.firestore, { throttling: false }),
  };
  const dependencies = runDependencies(base, LIMITS);
  return {
    ...servers,
    portal,
    dependencies,
    members: makeMemberStore(base.firestore),
    hints: makeHintStore(base.firestore),
    run: (
      request: RunRequest = { trigger: 'http' },
      given: { portal?: Partial<PortalMirrorDependencies>; run?: Partial<RunDependencies> } = {},
    ) =>
      runMirror(makePortalMirror({ ...portal, ...given.portal }), request, {
        ...dependencies,
        ...given.run,
      }),
    portalDocuments: async () =>
      new Map((await db.collection('members').get()).docs.map((document) => [document.id, document.data()])),
  };
};
export type ReconcileStack = Awaited<ReturnType<typeof startReconcileStack>>;

/** A writer that takes so many writes and no more, as when the time is up. */
export const takingOnly = (count: number, writer: PortalWriter): PortalWriter => ({
  write: async (writes, options) => {
    const taken = async function* () {
      let left = count;
      for await (const write of writes) {
        yield write;
        left -= 1;
        if (left === 0) return;
      }
    };
    await writer.write(taken(), options);
  },
});

export interface WebhookStackOptions {
  readonly keys?: Partial<WebhookSecrets>;
  /** What the registry says of a member who is asked about; without it, that there is none. */
  readonly reader?: MemberReader;
  readonly callLimitMs?: number;
  readonly mayBeInMemory?: true;
  readonly register?: (change: MemberChange) => Promise<void>;
}

/** The webhook as production wires it; its sender, and the registry that it asks, are the test. */
export const startWebhookStack = async ({ keys, reader, register, ...limits }: WebhookStackOptions = {}) => {
  const servers = await startServers({ members: 1, ...limits });
  const { base, db } = servers;
  const signing = { readAll: async () => [SECRET], drop: () => undefined };
  const dependencies = {
    ...wireWebhook(base),
    identify: makeWebhookGate({ signing, legacyKey: null, ...keys }, base.now),
    members: makeMemberStore(base.firestore, { callLimitMs: limits.callLimitMs ?? PATIENT_MS }),
    registry: reader ?? { readMember: async () => null },
    hints: makeHintStore(base.firestore),
    register,
  };
  const receive = async (call: WebhookCall) => readAnswer(await answerWebhook(call, dependencies));
  return {
    ...servers,
    dependencies,
    receive,
    /** Signs and delivers an event, as the registry would. */
    deliver: (id: string, body: unknown, secret = SECRET) =>
      receive(signed(id, JSON.stringify(body), secret)),
    member: servers.memberData,
    refreshes: async () => (await db.collection('roster_refreshes').get()).size,
  };
};
export type WebhookStack = Awaited<ReturnType<typeof startWebhookStack>>;

export interface RegisterStackOptions extends ServerOptions {
  readonly subscribers?: RegisterOptions['subscribers'];
  readonly isMigrated?: boolean;
}

/** No wait between tries: what is tried again is told by the count of tries. */
const noWait = { now: () => Date.now(), sleep: async () => undefined, random: () => 0 };

/** The register over a real database, whose statements a test may hold up or fail. */
export const startRegisterStack = async (options: RegisterStackOptions = {}) => {
  const { subscribers = [], isMigrated = true, ...serverOptions } = options;
  const servers = await startServers(serverOptions);
  const { base, registry } = servers;
  const postgres = await startDatabase({ isMigrated });
  servers.defer(postgres.close);
  const database = makeFailingDatabase(
    makeDatabase({ target: { kind: 'url', url: postgres.url }, connectTimeoutMs: PATIENT_MS }),
  );
  servers.defer(database.close);
  /** Pages of 25, so that the tests' few members come on several. */
  const pagesBy = (http: typeof base.registry, deadlineMs: number): MemberPages => {
    const { pages } = makeMemberPages(http, { baseUrl: registry.url, deadlineMs });
    return { pages: (given) => pages({ pageSize: 25, ...given }) };
  };
  const registerOptions: RegisterOptions = {
    pages: pagesBy(base.registry, PATIENT_MS),
    store: makeRegisterStore(database, { clock: noWait }),
    referTo,
    subscribers,
    apiUrl: API_URL,
    abandonedAfterMs: LEASE_MS,
  };
  const dependencies = runDependencies(base, LIMITS);
  return {
    ...servers,
    postgres,
    database,
    store: registerOptions.store,
    dependencies,
    registerOptions,
    /** For a registry that is tried again until the time is up: the patience of a moment. */
    hurriedPages: pagesBy(servers.openHttp(400), 600),
    advance: servers.clock.advance,
    run: (request: RunRequest = { trigger: 'schedule' }, given: Partial<RegisterOptions> = {}) =>
      runRegisterMirror(request, { ...registerOptions, ...given }, dependencies),
    members: () => postgres.sql<MemberRow>('select * from public.members order by id'),
    syncLog: () => postgres.sql<SyncLogRow>('select * from public.sync_log order by id'),
  };
};
export type RegisterStack = Awaited<ReturnType<typeof startRegisterStack>>;

/**
 * Both directions as production wires them: Firestore with its triggers, and a registry that sends webhooks. What its members'
 * documents tell can be held back and delivered by the test.
 */
export const startTwoWayStack = async (options: ServerOptions = {}) => {
  const receiver = await startWebhookServer();
  const servers = await startServers({
    attempts: 2,
    hyphenated: 0,
    webhook: { url: receiver.url, secrets: [SECRET], retryDelaysMs: [20, 50, 100, 200, 400] },
    ...options,
  });
  servers.defer(receiver.close);
  const { base, firestore, db, registry, kennitalaOf } = servers;
  const limits = { callLimitMs: options.callLimitMs ?? PATIENT_MS };
  const wired = wireTwoWay(base);
  const requests: string[] = [];
  let owners = 0;
  const dependencies: TwoWayDependencies = {
    ...wired,
    store: makeQueueStore(base.firestore, limits),
    members: makeMemberStore(base.firestore, limits),
    registry: {
      ...wired.registry,
      apply: (told, given) => {
        requests.push(`apply ${told.length}`);
        return wired.registry.apply(told, given);
      },
    },
    random: () => 0.5,
    makeOwner: () => `owner-${owners++}`,
    runLimitMs: 2 * PATIENT_MS,
  };
  // The registry signs by the real time.
  const gate = wireWebhook({ ...base, now: () => new Date() });
  const webhook = { ...gate, members: dependencies.members, now: base.now };
  receiver.serve(
    (call) => answerWebhook(call, webhook),
    () => null,
  );

  const held: DocumentChange[] = [];
  const running = new Set<Promise<unknown>>();
  const outcomes: string[] = [];
  const mode = { holds: false };
  const toWrite = (change: DocumentChange) =>
    toMemberWrite({
      id: change.id,
      time: change.time.toISOString(),
      kennitala: change.path.split('/')[1] ?? '',
      before: toSnapshot(db, change, change.before),
      after: toSnapshot(db, change, change.after),
    });
  /** `laterByMs`: as if the member had written so much later. */
  const deliver = (change: DocumentChange, laterByMs = 0): Promise<string> => {
    const told = toWrite(change);
    const write = told && { ...told, at: laterBy(told.at, laterByMs) };
    if (write === null) return Promise.resolve('ignored');
    return trackMemberWrite(write, AbortSignal.timeout(10_000), dependencies).catch(
      (cause: { code?: string }) => `failed ${cause.code}`,
    );
  };
  const start = (change: DocumentChange): void => {
    const run = deliver(change).then((outcome) => outcomes.push(outcome));
    running.add(run);
    void run.finally(() => running.delete(run));
  };
  const stopListening = firestore.onDocumentWritten((change) => {
    if (!change.path.startsWith('members/')) return;
    if (mode.holds) held.push(change);
    else start(change);
  });
  servers.defer(async () => {
    stopListening();
    await Promise.all(running);
    await registry.close();
  });

  const all = async (collection: string, by: string) =>
    (await db.collection(collection).orderBy(by).get()).docs.map(
      (it) => ({ id: it.id, ...it.data() }) as Record<string, unknown> & { id: string },
    );
  return {
    ...servers,
    dependencies,
    requests,
    outcomes,
    held,
    mode,
    now: base.now,
    advance: servers.clock.advance,
    deliver,
    /** The held events of a member's own writes, in their order, once there are so many. */
    heldEdits: (count: number): Promise<DocumentChange[]> =>
      vi.waitFor(() => {
        const edits = held.filter((change) => toWrite(change)?.isServers === false);
        expect(edits).toHaveLength(count);
        return edits;
      }),
    /** Loads some members of the registry into the portal. */
    load: async (...ids: number[]): Promise<Kennitala[]> => {
      const kennitalas = ids.map(kennitalaOf);
      for (const kennitala of kennitalas) {
        await applyReading({ kennitala, action: 'update' }, null, AbortSignal.timeout(5_000), webhook);
      }
      return kennitalas;
    },
    /** What the member's own client does. */
    edit: (kennitala: string, values: Readonly<Record<string, unknown>>) =>
      db.doc(`members/${kennitala}`).update(values),
    member: async (kennitala: string) => (await servers.memberData(kennitala)) ?? {},
    items: () => all('sync_queue', 'edited_at'),
    conflicts: () => all('sync_conflicts', 'detected_at'),
    run: (run: Partial<TwoWayRun> = {}) =>
      runTwoWay({ trigger: 'http', which: 'due', requestedBy: 'operator', ...run }, dependencies),
    /** Waits until no trigger runs and no webhook is under way. */
    settled: async (): Promise<void> => {
      for (let quiet = 0; quiet < 3; ) {
        await registry.webhooks?.drain();
        await new Promise((resolve) => setImmediate(resolve));
        quiet = running.size === 0 ? quiet + 1 : 0;
        await Promise.all(running);
      }
    },
  };
};
export type TwoWayStack = Awaited<ReturnType<typeof startTwoWayStack>>;

/** The client's own way to make a snapshot of a message, which is also how firebase-functions makes its events. */
const toSnapshot = (
  db: Firestore,
  { database, path }: DocumentChange,
  document: DocumentChange['before'],
): DocumentSnapshot => {
  const maker = db as unknown as {
    snapshot_(document: unknown, readTime: unknown, encoding: 'protobufJS'): DocumentSnapshot;
  };
  return maker.snapshot_(document ?? `${database}/documents/${path}`, null, 'protobufJS');
};

const laterBy = (at: EditTime, ms: number): EditTime => {
  const { seconds, nanoseconds } = partsOf(at);
  return makeEditTime(seconds + ms / 1_000, nanoseconds);
};
