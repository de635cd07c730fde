import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deleteApp, initializeApp } from 'firebase-admin/app';
import { type DocumentSnapshot, type Firestore, initializeFirestore } from 'firebase-admin/firestore';
import { expect, vi } from 'vitest';
import { type DocumentChange, startFirestore } from '../../../../local/src/firestore/server.ts';
import { startRegistry } from '../../../../local/src/registry/start-registry.ts';
import { makeMemberChanges } from '../../../src/adapters/django/member-changes.ts';
import { makeMemberPages, makeMemberReader } from '../../../src/adapters/django/read-members.ts';
import { makeRegistryHttp } from '../../../src/adapters/django/registry-http.ts';
import { makeHintStore } from '../../../src/adapters/firestore/hint-store.ts';
import { makeMemberStore } from '../../../src/adapters/firestore/member-store.ts';
import { makeQueueStore, makeTwoWayLog } from '../../../src/adapters/firestore/queue-store.ts';
import { makeRosterRefresh } from '../../../src/adapters/firestore/roster-refresh.ts';
import { toMemberWrite } from '../../../src/adapters/firestore/twoway-documents.ts';
import { makeEnvSecrets, makeTokenSource } from '../../../src/adapters/secrets/secret-manager.ts';
import type { Kennitala } from '../../../src/domain/kennitala.ts';
import { makeMemberReference } from '../../../src/domain/member/digest.ts';
import type { LogFields, Severity } from '../../../src/lib/log.ts';
import { applyReading } from '../../../src/portal/apply-event.ts';
import { answerWebhook } from '../../../src/portal/receive-webhook.ts';
import { makeWebhookGate } from '../../../src/portal/webhook-caller.ts';
import { makeTwoWayLogs } from '../../../src/twoway/logs.ts';
import { type EditTime, makeEditTime, partsOf } from '../../../src/twoway/queue.ts';
import { makeApplyProtocol, makeRegistryMembers } from '../../../src/twoway/registry.ts';
import { runTwoWay, type TwoWayDependencies, type TwoWayRun } from '../../../src/twoway/sweep.ts';
import { trackMemberWrite } from '../../../src/twoway/track.ts';
import { chain } from '../../support/chain.ts';
import { SECRET } from '../../support/portal-stack.ts';

const PROJECT = 'demo-ekklesia';
const TOKEN = 'token-of-the-tests';

export interface TwoWayStackOptions {
  readonly members?: number;
  readonly companion?: boolean;
  readonly callLimitMs?: number;
}

/**
 * Both directions as production wires them, over real clients: Firestore with its triggers, the stand-in registry with its
 * webhooks, on ports of their own. Time is the test's.
 */
export const startTwoWayStack = async (options: TwoWayStackOptions = {}) => {
  const { members = 20, companion = true, callLimitMs = 30_000 } = options;
  const firestore = await startFirestore({ projectId: PROJECT });
  const app = initializeApp({ projectId: PROJECT }, `two-way-${firestore.port}`);
  const db: Firestore = initializeFirestore(app);
  db.settings({ host: `${firestore.host}:${firestore.port}`, ssl: false });

  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const webhookUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const registry = await startRegistry({
    members,
    companion,
    hyphenated: 0,
    port: 0,
    token: TOKEN,
    webhook: { url: webhookUrl, secrets: [SECRET], retryDelaysMs: [20, 50, 100, 200, 400] },
  });
  const http = makeRegistryHttp({
    baseUrl: registry.url,
    authScheme: 'Token',
    token: makeTokenSource(makeEnvSecrets({ 'django-api-token': TOKEN }), 'django-api-token'),
    requestTimeoutMs: 30_000,
    retry: { baseDelayMs: 5, maxDelayMs: 20, attempts: 2 },
  });

  let offsetMs = 0;
  let runs = 0;
  let owners = 0;
  const now = () => new Date(Date.now() + offsetMs);
  const logs: { severity: Severity; message: string; fields: LogFields }[] = [];
  const sink = (severity: Severity, message: string, fields: LogFields) => {
    logs.push({ severity, message, fields });
  };
  const client = async () => db;
  const changes = makeMemberChanges(http, { deadlineMs: 30_000 });
  const requests: string[] = [];
  const reader = makeMemberReader(http);
  const dependencies: TwoWayDependencies = {
    store: makeQueueStore(client, { callLimitMs }),
    members: makeMemberStore(client, { callLimitMs }),
    log: makeTwoWayLog(client, chain.current),
    rosterRefresh: makeRosterRefresh(client),
    registry: {
      ...changes,
      apply: (told, given) => {
        requests.push(`apply ${told.length}`);
        return changes.apply(told, given);
      },
    },
    changes,
    reader,
    registryMembers: makeRegistryMembers({
      reader,
      pages: makeMemberPages(http, { baseUrl: registry.url }),
    }),
    protocol: makeApplyProtocol(),
    logs: makeTwoWayLogs(sink),
    random: () => 0.5,
    makeOwner: () => `owner-${owners++}`,
    makeRunId: () => `run-${String(++runs).padStart(3, '0')}`,
    runLimitMs: 20_000,
    reference: async (kennitala) => makeMemberReference('key of the tests', kennitala),
    now,
  };
  const webhook = {
    identify: makeWebhookGate(
      { signing: { readAll: async () => [SECRET], drop: () => undefined }, legacyKey: null },
      () => new Date(),
    ),
    members: dependencies.members,
    registry: reader,
    hints: makeHintStore(client),
    rosterRefresh: dependencies.rosterRefresh,
    reference: dependencies.reference,
    now,
    log: sink,
  };
  server.on('request', async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const header = (name: string) => request.headers[name] as string | undefined;
    const answer = await answerWebhook(
      {
        method: request.method ?? '',
        rawBody: Buffer.concat(chunks),
        headers: {
          id: header('webhook-id'),
          timestamp: header('webhook-timestamp'),
          signature: header('webhook-signature'),
          authorization: undefined,
        },
      },
      webhook,
    );
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
  });

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

  const kennitalaOf = (id: number): Kennitala => registry.member(id).ssn.replace('-', '') as Kennitala;
  return {
    firestore,
    db,
    registry,
    dependencies,
    logs,
    requests,
    outcomes,
    held,
    mode,
    now,
    deliver,
    /** The held events of a member's own writes, in their order, once there are so many. */
    heldEdits: (count: number): Promise<DocumentChange[]> =>
      vi.waitFor(() => {
        const edits = held.filter((change) => toWrite(change)?.isServers === false);
        expect(edits).toHaveLength(count);
        return edits;
      }),
    kennitalaOf,
    advance: (ms: number) => {
      offsetMs += ms;
    },
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
    member: async (kennitala: string) => (await db.doc(`members/${kennitala}`).get()).data() ?? {},
    items: async () =>
      (await db.collection('sync_queue').orderBy('edited_at').get()).docs.map(
        (it) => ({ id: it.id, ...it.data() }) as Record<string, unknown> & { id: string },
      ),
    conflicts: async () =>
      (await db.collection('sync_conflicts').get()).docs.map(
        (it) => ({ id: it.id, ...it.data() }) as Record<string, unknown> & { id: string },
      ),
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
    close: async () => {
      stopListening();
      await Promise.all(running);
      await registry.close();
      await new Promise((resolve) => server.close(resolve));
      await http.close();
      await deleteApp(app);
      await firestore.close();
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
