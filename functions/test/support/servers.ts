import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IdempotencyStrategy, Storage } from '@google-cloud/storage';
import { type App, deleteApp, initializeApp } from 'firebase-admin/app';
import { initializeFirestore } from 'firebase-admin/firestore';
import { startFirestore } from '../../../local/src/firestore/server.ts';
import { type RegistryOptions, startRegistry } from '../../../local/src/registry/start-registry.ts';
import { startStorage } from '../../../local/src/storage/index.ts';
import { makeVerifyFirebaseToken, makeVerifyGoogleToken } from '../../src/adapters/auth/verify-tokens.ts';
import { makeRegistryHttp } from '../../src/adapters/django/registry-http.ts';
import { makeRunStore } from '../../src/adapters/firestore/run-store.ts';
import { makeEnvSecrets, makeTokenSource } from '../../src/adapters/secrets/secret-manager.ts';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { makeMemberReference } from '../../src/domain/member/digest.ts';
import { makeAuthorizeAdmin } from '../../src/http/callers.ts';
import type { LogFields, LogSink, Severity } from '../../src/lib/log.ts';
import type { ReferTo } from '../../src/register/ports.ts';
import { parseConfig } from '../../src/settings.ts';
import type { Shared } from '../../src/wiring/shared.ts';
import { chain } from './chain.ts';
import { openMemoryServer } from './memory-server.ts';
import { SECRET } from './registry-events.ts';

export const PROJECT = 'demo-ekklesia';
export const BUCKET = `${PROJECT}.appspot.com`;
const TOKEN = 'token-of-the-tests';
/** Limits that nothing of a test comes near, on a busy machine either. */
export const PATIENT_MS = 30_000;

export const referTo: ReferTo = (kennitala) => makeMemberReference('key of the tests', kennitala);

export interface LogEntry {
  readonly severity: Severity;
  readonly message: string;
  readonly fields: LogFields;
}

export interface ServerOptions extends Partial<Omit<RegistryOptions, 'port' | 'token'>> {
  /** How often a call of the registry is tried; without it, until its time is over. */
  readonly attempts?: number;
  /** Of one call to Firestore, and of one to Cloud Storage. */
  readonly callLimitMs?: number;
  /** The suite needs no more of Firestore than its documents. The runs with mutants, where time is all, hold them in memory. */
  readonly mayBeInMemory?: true;
  /** By their names in `settings.ts`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Versions in force by the secret's name, beside those of the registry's token and of its webhook. */
  readonly secrets?: Readonly<Record<string, readonly string[]>>;
}

/**
 * Firestore, Cloud Storage and a registry in this process, on ports of their own, with real clients; and `base`, what production
 * wires every feature from, over them. Time is the test's: `clock.advance` makes a lease expire without waiting.
 */
export const startServers = async (options: ServerOptions = {}) => {
  const {
    attempts,
    callLimitMs = PATIENT_MS,
    mayBeInMemory,
    settings,
    secrets: more,
    ...registryOptions
  } = options;
  const closings: (() => unknown)[] = [];
  /** Called when the stack closes, the last one first. */
  const defer = (close: () => unknown): void => void closings.push(close);

  const folder = await mkdtemp(join(tmpdir(), 'stack-'));
  defer(() => rm(folder, { recursive: true, maxRetries: 5 }));
  const storage = await startStorage({ directory: folder });
  defer(storage.close);
  const registry = await startRegistry({ members: 60, ...registryOptions, port: 0, token: TOKEN });
  defer(registry.close);

  const app = initializeApp({ projectId: PROJECT }, folder);
  const isInMemory = mayBeInMemory === true && process.env['STORES_IN_MEMORY'] === 'true';
  const { server: firestore, db } = isInMemory ? openMemoryServer() : await openServer(app);
  defer(firestore.close);
  defer(() => deleteApp(app));
  const client = async () => db;
  const retryOptions = { maxRetries: 1, maxRetryDelay: 1, totalTimeout: callLimitMs / 1_000 };
  const openStorage = (more: { readonly idempotencyStrategy?: IdempotencyStrategy } = {}) =>
    new Storage({ projectId: PROJECT, apiEndpoint: storage.url, retryOptions: { ...retryOptions, ...more } });
  const storageClient = openStorage();
  /** What is in force now; a test may change it. */
  const secrets: Record<string, string | readonly string[]> = {
    'django-api-token': TOKEN,
    'django-webhook-secret': SECRET,
    ...more,
  };
  const source = makeEnvSecrets(secrets);
  const openHttp = (requestTimeoutMs: number) => {
    const http = makeRegistryHttp({
      baseUrl: registry.url,
      authScheme: 'Token',
      token: makeTokenSource(source, 'django-api-token'),
      requestTimeoutMs,
      retry: { baseDelayMs: 5, maxDelayMs: 20, ...(attempts !== undefined && { attempts }) },
    });
    defer(http.close);
    return http;
  };

  const logs: LogEntry[] = [];
  const log: LogSink = (severity, message, fields) => void logs.push({ severity, message, fields });
  let offsetMs = 0;
  let runs = 0;
  const clock = {
    now: () => new Date(Date.now() + offsetMs),
    advance: (milliseconds: number): void => {
      offsetMs += milliseconds;
    },
  };
  const config = parseConfig({
    GCLOUD_PROJECT: PROJECT,
    SYNC_BUCKET: BUCKET,
    DJANGO_BASE_URL: registry.url,
    ...settings,
  });
  const verifyGoogleToken = makeVerifyGoogleToken();
  const base: Shared = {
    config,
    log,
    now: clock.now,
    makeRunId: () => `run-${String(++runs).padStart(3, '0')}`,
    secrets: source,
    app: async () => app,
    firestore: client,
    storage: async () => storageClient,
    repeatableStorage: async () => openStorage({ idempotencyStrategy: IdempotencyStrategy.RetryAlways }),
    chain,
    runs: makeRunStore(client, chain.current, { callLimitMs }),
    registry: openHttp(PATIENT_MS),
    verifyGoogleToken,
    authorize: makeAuthorizeAdmin({
      verifyFirebaseToken: makeVerifyFirebaseToken(async () => app),
      verifyGoogleToken,
      ...config.callers,
    }),
    reference: async (kennitala) => referTo(kennitala),
  };
  return {
    base,
    firestore,
    storage,
    registry,
    app,
    db,
    storageClient,
    secrets,
    openHttp,
    clock,
    logs,
    /** The list that stands in Cloud Storage; null for none. */
    file: () => readFile(join(folder, BUCKET, 'kennitalas.txt'), 'utf8').catch(() => null),
    documentOf: (kennitala: string) => db.doc(`members/${kennitala}`),
    memberData: async (kennitala: string) => (await db.doc(`members/${kennitala}`).get()).data(),
    /** The kennitala of a member of the registry, by the number on the wire. */
    kennitalaOf: (id: number): Kennitala => registry.member(id).ssn.replace('-', '') as Kennitala,
    defer,
    close: async (): Promise<void> => {
      for (const close of closings.splice(0).reverse()) await close();
    },
  };
};

const openServer = async (app: App) => {
  const server = await startFirestore({ projectId: PROJECT });
  const db = initializeFirestore(app);
  db.settings({ host: `${server.host}:${server.port}`, ssl: false });
  return { server, db };
};
