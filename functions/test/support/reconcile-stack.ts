import { deleteApp, initializeApp } from 'firebase-admin/app';
import { type DocumentData, type Firestore, initializeFirestore } from 'firebase-admin/firestore';
import { startFirestore } from '../../../local/src/firestore/server.ts';
import { type RegistryOptions, startRegistry } from '../../../local/src/registry/start-registry.ts';
import { makeMemberPages, makeMemberReader } from '../../src/adapters/django/read-members.ts';
import { makeRegistryHttp } from '../../src/adapters/django/registry-http.ts';
import { makeHintStore } from '../../src/adapters/firestore/hint-store.ts';
import { makeMemberStore } from '../../src/adapters/firestore/member-store.ts';
import { makePortalIndex, makePortalWriter } from '../../src/adapters/firestore/portal-documents.ts';
import { makeRosterRefresh } from '../../src/adapters/firestore/roster-refresh.ts';
import { makeRunStore } from '../../src/adapters/firestore/run-store.ts';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { makeMemberReference } from '../../src/domain/member/digest.ts';
import type { LogFields, Severity } from '../../src/lib/log.ts';
import { type RunDependencies, type RunRequest, runMirror } from '../../src/mirror/run.ts';
import type { PortalWriter } from '../../src/portal/ports.ts';
import { makePortalMirror, type PortalMirrorDependencies } from '../../src/portal/reconcile/portal-mirror.ts';
import { parseConfig } from '../../src/settings.ts';
import { chain } from './chain.ts';

const PROJECT = 'demo-ekklesia';
const TOKEN = 'token-of-the-tests';

/**
 * The reconcile as production wires it, over the real Firestore client and a registry of its own with webhooks off.
 * Time is the test's: `clock.advance` makes an edit old without waiting.
 */
export const startReconcileStack = async (options: Partial<RegistryOptions> = {}) => {
  const firestore = await startFirestore({ projectId: PROJECT });
  const registry = await startRegistry({ members: 40, ...options, port: 0, token: TOKEN });
  const app = initializeApp({ projectId: PROJECT }, `reconcile-${firestore.port}`);
  const db: Firestore = initializeFirestore(app);
  db.settings({ host: `${firestore.host}:${firestore.port}`, ssl: false });
  const http = makeRegistryHttp({
    baseUrl: registry.url,
    authScheme: 'Token',
    token: { read: async () => TOKEN, drop: () => undefined },
    retry: { attempts: 2, baseDelayMs: 2, maxDelayMs: 5 },
  });
  const logs: { severity: Severity; message: string; fields: LogFields }[] = [];
  let offsetMs = 0;
  let runs = 0;
  const clock = {
    now: () => new Date(Date.now() + offsetMs),
    advance: (milliseconds: number) => {
      offsetMs += milliseconds;
    },
  };
  const client = async () => db;
  const portal: PortalMirrorDependencies = {
    pages: makeMemberPages(http, { baseUrl: registry.url }),
    registry: makeMemberReader(http),
    index: makePortalIndex(client),
    writer: makePortalWriter(client, { throttling: false }),
    rosterRefresh: makeRosterRefresh(client),
    hints: makeHintStore(client),
    reference: async (kennitala) => makeMemberReference('key of the tests', kennitala),
    now: clock.now,
  };
  const dependencies: RunDependencies = {
    runs: makeRunStore(client, chain.current),
    limits: parseConfig({ GCLOUD_PROJECT: PROJECT, SYNC_BUCKET: 'bucket', DJANGO_BASE_URL: registry.url })
      .guard,
    needsSecondPerson: false,
    log: (severity, message, fields) => logs.push({ severity, message, fields }),
    now: clock.now,
    makeRunId: () => {
      runs += 1;
      return `run-${String(runs).padStart(3, '0')}`;
    },
    runLimitMs: 15_000,
    leaseMs: 150_000,
  };
  const member = (kennitala: string) => db.doc(`members/${kennitala}`);
  return {
    firestore,
    registry,
    http,
    db,
    clock,
    logs,
    portal,
    dependencies,
    members: makeMemberStore(client),
    hints: makeHintStore(client),
    run: (
      request: RunRequest = { trigger: 'http' },
      given: { portal?: Partial<PortalMirrorDependencies>; run?: Partial<RunDependencies> } = {},
    ) =>
      runMirror(makePortalMirror({ ...portal, ...given.portal }), request, {
        ...dependencies,
        ...given.run,
      }),
    /** The kennitala of a member of the registry, by the number on the wire. */
    kennitalaOf: (id: number): Kennitala => registry.member(id).ssn.replace('-', '') as Kennitala,
    member,
    memberData: async (kennitala: string) => (await member(kennitala).get()).data(),
    portalDocuments: async (): Promise<Map<string, DocumentData>> =>
      new Map((await db.collection('members').get()).docs.map((document) => [document.id, document.data()])),
    close: async () => {
      await http.close();
      await deleteApp(app);
      await Promise.all([firestore.close(), registry.close()]);
    },
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
