import { randomBytes } from 'node:crypto';
import { makeVerifyFirebaseToken, makeVerifyGoogleToken } from '../adapters/auth/verify-tokens.ts';
import { makeRegistryHttp } from '../adapters/django/registry-http.ts';
import { makeRunStore } from '../adapters/firestore/run-store.ts';
import { makeFirebaseApp, makeFirestoreClient } from '../adapters/firestore/store-call.ts';
import { makeEnvSecrets, makeSecretManager, makeTokenSource } from '../adapters/secrets/secret-manager.ts';
import { makeStorageClient } from '../adapters/storage/client.ts';
import type { Kennitala } from '../domain/kennitala.ts';
import { makeMemberReference } from '../domain/member/digest.ts';
import { makeAuthorizeAdmin } from '../http/callers.ts';
import { logRegistryRetry } from '../lib/log.ts';
import type { RunDependencies } from '../mirror/run.ts';
import type { ErasureStore, RegisterLookup } from '../ops/ports.ts';
import { makeChainKeys } from '../proof/chain-key.ts';
import type { RegisterDigests } from '../proof/digest-ports.ts';
import type { Outbox, RegisterReader, RegisterStore, RowStore } from '../register/ports.ts';
import { type Config, loadConfig } from '../settings.ts';
import { log } from './log.ts';

/** One call to Cloud Storage with its retries. */
const STORAGE_CALL_LIMIT_MS = 30_000;

/** What every function is made of. Nothing is opened here: each client connects at its first call. */
const wireShared = (config: Config) => {
  const secrets =
    config.localSecrets === null
      ? makeSecretManager({ projectId: config.projectId })
      : makeEnvSecrets(config.localSecrets);
  const chain = makeChainKeys(
    config.chainKeySecret,
    () => secrets.read(config.chainKeySecret),
    () => secrets.readAll(config.chainKeySecret),
  );
  const app = makeFirebaseApp(config.projectId);
  const firestore = makeFirestoreClient(app);
  const storage = { projectId: config.projectId, callLimitMs: STORAGE_CALL_LIMIT_MS };
  const verifyGoogleToken = makeVerifyGoogleToken();
  return {
    config,
    log,
    now,
    makeRunId,
    secrets,
    app,
    firestore,
    storage: makeStorageClient(storage),
    /** For calls that may all be made twice. */
    repeatableStorage: makeStorageClient({ ...storage, retriesEverything: true }),
    chain,
    runs: makeRunStore(firestore, chain.current),
    registry: makeRegistryHttp({
      ...config.registry,
      token: makeTokenSource(secrets, config.registry.tokenSecret),
      log: { onRetry: logRegistryRetry(log) },
    }),
    verifyGoogleToken,
    authorize: makeAuthorizeAdmin({
      verifyFirebaseToken: makeVerifyFirebaseToken(app),
      verifyGoogleToken,
      ...config.callers,
    }),
    reference: async (kennitala: Kennitala) =>
      makeMemberReference(await secrets.read(config.memberReferenceSecret), kennitala),
  };
};

/** The register's stores, each as its port says. */
export interface RegisterStores {
  readonly store: RegisterStore;
  readonly reader: RegisterReader;
  readonly rows: RowStore;
  readonly outbox: Outbox;
  readonly removeExpired: (at: Date) => Promise<void>;
  readonly digests: RegisterDigests;
  readonly lookup: RegisterLookup;
  readonly erasure: ErasureStore;
}

export interface Shared extends ReturnType<typeof wireShared> {
  /** In the place of PostgreSQL. */
  readonly registerStores?: RegisterStores;
}

/** Made once in a process, by whichever function is called first. Throws `config_invalid`. */
export const shared = (): Shared => {
  made ??= wireShared(loadConfig());
  return made;
};
let made: Shared | undefined;

/** What is joined once of each `Shared`, when it is first asked for. A process has one, unless its caller brings its own. */
export const wiredOnce = <Wired extends object>(
  wire: (base: Shared) => Wired,
): ((base?: Shared) => Wired) => {
  const all = new WeakMap<Shared, Wired>();
  return (base = shared()) => {
    const wired = all.get(base) ?? wire(base);
    all.set(base, wired);
    return wired;
  };
};

/** What a run of any mirror needs, with the limits of the function that runs it. */
export const runDependencies = (
  { runs, config, log, now, makeRunId }: Shared,
  limits: { readonly runLimitMs: number; readonly leaseMs: number },
): RunDependencies => ({
  runs,
  limits: config.guard,
  ...config.approvals,
  log,
  now,
  makeRunId,
  ...limits,
});

const now = (): Date => new Date();

/** `20261123T030000Z-1f2e3d4c`: sorts by time, and tells nothing else. */
const makeRunId = (startedAt: Date): string =>
  `${startedAt.toISOString().replace(/[-:]|\.\d+/g, '')}-${randomBytes(4).toString('hex')}`;
