import { deleteApp, initializeApp } from 'firebase-admin/app';
import { initializeFirestore } from 'firebase-admin/firestore';
import { startFirestore } from '../../../../local/src/firestore/server.ts';
import { type RegistryOptions, startRegistry } from '../../../../local/src/registry/start-registry.ts';
import { makeMemberPages } from '../../../src/adapters/django/read-members.ts';
import { makeRegistryHttp, type RegistryHttp } from '../../../src/adapters/django/registry-http.ts';
import { makeRunStore } from '../../../src/adapters/firestore/run-store.ts';
import { makeDatabase } from '../../../src/adapters/postgres/make-database.ts';
import { makeRegisterStore } from '../../../src/adapters/postgres/register-store.ts';
import { makeEnvSecrets, makeTokenSource } from '../../../src/adapters/secrets/secret-manager.ts';
import { makeMemberReference } from '../../../src/domain/member/digest.ts';
import type { LogFields, Severity } from '../../../src/lib/log.ts';
import type { RunDependencies, RunRequest } from '../../../src/mirror/run.ts';
import type { ReferTo, RegisterStore } from '../../../src/register/ports.ts';
import { type RegisterOptions, runRegisterMirror } from '../../../src/register/register.ts';
import type { MemberPages } from '../../../src/registry/ports.ts';
import { chain } from '../../support/chain.ts';
import { DEFAULT_LIMITS } from '../../support/default-limits.ts';
import { makeFailingDatabase } from './failing-database.ts';
import { startDatabase } from './test-database.ts';

const PROJECT = 'demo-ekklesia';
const TOKEN = 'token-of-the-tests';
/** Limits that nothing of a test comes near, on a busy machine either. */
const PATIENT_MS = 30_000;
export const referTo: ReferTo = (kennitala) => makeMemberReference('key-of-the-tests', kennitala);

/** No wait between tries: what is tried again is told by the count of tries. */
const clock = { now: () => Date.now(), sleep: async () => undefined, random: () => 0 };

export interface RegisterStackOptions extends Partial<RegistryOptions> {
  readonly subscribers?: RegisterOptions['subscribers'];
  readonly isMigrated?: boolean;
}

/** Pages of 25, so that the tests' few members come on several. */
const smallPages = (http: RegistryHttp, baseUrl: string, deadlineMs: number): MemberPages => {
  const pages = makeMemberPages(http, { baseUrl, deadlineMs });
  return { pages: (options) => pages.pages({ pageSize: 25, ...options }) };
};

/** The register as production wires it, over a real database, Firestore and registry of this process. */
export const startRegisterStack = async (options: RegisterStackOptions = {}) => {
  const { subscribers = [], isMigrated = true, ...registryOptions } = options;
  const postgres = await startDatabase({ isMigrated });
  const firestore = await startFirestore({ projectId: PROJECT });
  const registry = await startRegistry({ members: 60, ...registryOptions, port: 0, token: TOKEN });
  const app = initializeApp({ projectId: PROJECT }, `register-${registry.port}`);
  const db = initializeFirestore(app);
  db.settings({ host: `${firestore.host}:${firestore.port}`, ssl: false });
  const openHttp = (requestTimeoutMs: number) =>
    makeRegistryHttp({
      baseUrl: registry.url,
      authScheme: 'Token',
      token: makeTokenSource(makeEnvSecrets({ 'django-api-token': TOKEN }), 'django-api-token'),
      requestTimeoutMs,
      retry: { baseDelayMs: 5, maxDelayMs: 20 },
    });
  const http = openHttp(PATIENT_MS);
  const hurriedHttp = openHttp(400);
  const database = makeFailingDatabase(
    makeDatabase({ target: { kind: 'url', url: postgres.url }, connectTimeoutMs: PATIENT_MS }),
  );
  const store: RegisterStore = makeRegisterStore(database, { clock });
  const registerOptions: RegisterOptions = {
    pages: smallPages(http, registry.url, PATIENT_MS),
    store,
    referTo,
    subscribers,
    apiUrl: 'https://api.example.is',
    abandonedAfterMs: 150_000,
  };

  const logs: { severity: Severity; message: string; fields: LogFields }[] = [];
  let offsetMs = 0;
  let runs = 0;
  const dependencies: RunDependencies = {
    runs: makeRunStore(async () => db, chain.current, { callLimitMs: PATIENT_MS }),
    limits: DEFAULT_LIMITS,
    needsSecondPerson: false,
    log: (severity, message, fields) => logs.push({ severity, message, fields }),
    now: () => new Date(Date.now() + offsetMs),
    makeRunId: () => {
      runs += 1;
      return `run-${String(runs).padStart(3, '0')}`;
    },
    runLimitMs: 2 * PATIENT_MS,
    leaseMs: 150_000,
  };
  return {
    postgres,
    registry,
    database,
    store,
    db,
    http,
    logs,
    dependencies,
    registerOptions,
    /** For a registry that is tried again until the time is up: the patience of a moment. */
    hurriedPages: smallPages(hurriedHttp, registry.url, 600),
    advance: (milliseconds: number) => {
      offsetMs += milliseconds;
    },
    run: (request: RunRequest = { trigger: 'schedule' }, given: Partial<RegisterOptions> = {}) =>
      runRegisterMirror(request, { ...registerOptions, ...given }, dependencies),
    members: () => postgres.sql<MemberRow>('select * from public.members order by id'),
    syncLog: () => postgres.sql<SyncLogRow>('select * from public.sync_log order by id'),
    close: async () => {
      await database.close();
      await Promise.all([http.close(), hurriedHttp.close()]);
      await deleteApp(app);
      await Promise.all([firestore.close(), registry.close()]);
      await postgres.close();
    },
  };
};

export type RegisterStack = Awaited<ReturnType<typeof startRegisterStack>>;

export interface MemberRow {
  readonly id: number;
  readonly kennitala: string;
  readonly name: string;
  readonly email: string | null;
  readonly phone: string | null;
  readonly is_active: boolean;
  readonly added_at: Date;
  readonly removed_at: Date | null;
  readonly sync_source: string;
  readonly external_id: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly last_verified_at: Date | null;
}

export interface SyncLogRow {
  readonly id: number;
  readonly sync_type: string;
  readonly sync_timestamp: Date;
  readonly members_added: number;
  readonly members_removed: number;
  readonly members_verified: number;
  readonly error_count: number;
  readonly details: Readonly<Record<string, unknown>>;
  readonly status: string;
}
