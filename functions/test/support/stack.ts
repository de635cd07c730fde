import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Storage } from '@google-cloud/storage';
import { deleteApp, initializeApp } from 'firebase-admin/app';
import { type Firestore, initializeFirestore } from 'firebase-admin/firestore';
import { startFirestore } from '../../../local/src/firestore/server.ts';
import { type RegistryOptions, startRegistry } from '../../../local/src/registry/start-registry.ts';
import { startStorage } from '../../../local/src/storage/index.ts';
import { makeListExport } from '../../src/adapters/django/read-members.ts';
import { makeRegistryHttp } from '../../src/adapters/django/registry-http.ts';
import { makeRunStore } from '../../src/adapters/firestore/run-store.ts';
import { makeEnvSecrets, makeTokenSource } from '../../src/adapters/secrets/secret-manager.ts';
import { makeListStore } from '../../src/adapters/storage/list-store.ts';
import type { LogFields, Severity } from '../../src/lib/log.ts';
import { type RunDependencies, type RunRequest, runMirror } from '../../src/mirror/run.ts';
import { makeRoster } from '../../src/roster/roster.ts';
import { parseConfig } from '../../src/settings.ts';
import { chain } from './chain.ts';

export const BUCKET = 'demo-ekklesia.appspot.com';
const PROJECT = 'demo-ekklesia';
const TOKEN = 'token-of-the-tests';
/** Limits that nothing of a test comes near, on a busy machine either. */
const PATIENT_MS = 30_000;

export interface LogEntry {
  readonly severity: Severity;
  readonly message: string;
  readonly fields: LogFields;
}

export interface StackOptions extends Partial<RegistryOptions> {
  readonly callLimitMs?: number;
  readonly needsSecondPerson?: boolean;
}

/**
 * The roster as production wires it, over real clients: Firestore, Storage and the registry run in this process,
 * on ports of their own. Time is the test's: `clock.advance` makes a lease expire without waiting.
 */
export const startStack = async (options: StackOptions = {}) => {
  const { callLimitMs = PATIENT_MS, needsSecondPerson = false, ...registryOptions } = options;
  const folder = await mkdtemp(join(tmpdir(), 'roster-stack-'));
  const firestore = await startFirestore({ projectId: PROJECT });
  const storage = await startStorage({ directory: join(folder, 'storage') });
  const registry = await startRegistry({ members: 60, ...registryOptions, port: 0, token: TOKEN });

  const secrets: Record<string, string> = { 'django-api-token': TOKEN };
  const app = initializeApp({ projectId: PROJECT }, folder);
  const db: Firestore = initializeFirestore(app);
  db.settings({ host: `${firestore.host}:${firestore.port}`, ssl: false });
  const storageClient = new Storage({
    projectId: PROJECT,
    apiEndpoint: storage.url,
    retryOptions: { maxRetries: 1, maxRetryDelay: 1, totalTimeout: callLimitMs / 1_000 },
  });
  const token = makeTokenSource(makeEnvSecrets(secrets), 'django-api-token');
  const openHttp = (requestTimeoutMs: number) =>
    makeRegistryHttp({
      baseUrl: registry.url,
      authScheme: 'Token',
      token,
      requestTimeoutMs,
      retry: { baseDelayMs: 5, maxDelayMs: 20 },
    });
  const patient = openHttp(PATIENT_MS);
  const hurried = openHttp(400);

  const logs: LogEntry[] = [];
  let offsetMs = 0;
  let runs = 0;
  const clock = {
    now: () => new Date(Date.now() + offsetMs),
    advance: (milliseconds: number) => {
      offsetMs += milliseconds;
    },
  };
  const list = makeListStore(async () => storageClient, { bucket: BUCKET, object: 'kennitalas.txt' });
  const roster = makeRoster(makeListExport(patient, { deadlineMs: PATIENT_MS }), list);
  const dependencies: RunDependencies = {
    runs: makeRunStore(async () => db, chain.current, { callLimitMs }),
    limits: parseConfig({ GCLOUD_PROJECT: PROJECT, SYNC_BUCKET: BUCKET, DJANGO_BASE_URL: registry.url })
      .guard,
    needsSecondPerson,
    log: (severity, message, fields) => logs.push({ severity, message, fields }),
    now: clock.now,
    makeRunId: () => {
      runs += 1;
      return `run-${String(runs).padStart(3, '0')}`;
    },
    runLimitMs: 60_000,
    leaseMs: 150_000,
  };

  return {
    firestore,
    storage,
    registry,
    secrets,
    db,
    storageClient,
    clock,
    logs,
    dependencies,
    run: (request: RunRequest = { trigger: 'http' }, given = dependencies) =>
      runMirror(roster, request, given),
    /** The same with the patience of a moment: for one request always, and for all of them as said. */
    runHurried: (deadlineMs = 600) =>
      runMirror(makeRoster(makeListExport(hurried, { deadlineMs }), list), { trigger: 'http' }, dependencies),
    file: () => readFile(join(folder, 'storage', BUCKET, 'kennitalas.txt'), 'utf8').catch(() => null),
    fileMetadata: async () => (await storageClient.bucket(BUCKET).file('kennitalas.txt').getMetadata())[0],
    records: async () =>
      (await db.collection('sync_audit').orderBy('timestamp').get()).docs.map((document) => document.data()),
    close: async () => {
      await Promise.all([patient.close(), hurried.close()]);
      await deleteApp(app);
      await Promise.all([firestore.close(), storage.close(), registry.close()]);
      await rm(folder, { recursive: true });
    },
  };
};

export type Stack = Awaited<ReturnType<typeof startStack>>;
