import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { migrateDatabase } from '../../functions/src/adapters/postgres/migrate.ts';
import { startAuth } from './auth/start-auth.ts';
import { startDashboard } from './dashboard.ts';
import { startFirestore } from './firestore/server.ts';
import type { LogLine } from './functions/log-lines.ts';
import { startFunctions } from './functions/start-functions.ts';
import { connectTriggers } from './functions/triggers.ts';
import { lockFolder } from './lock-folder.ts';
import { assertPortsFree, type Ports } from './ports.ts';
import { startPostgres } from './postgres/start-postgres.ts';
import { startRegistry } from './registry/start-registry.ts';
import { type LocalSecrets, openSecrets } from './secrets.ts';
import { startStorage } from './storage/index.ts';

export const PROJECT_ID = 'demo-ekklesia';
export const BUCKET = `${PROJECT_ID}.appspot.com`;
export const REGION = 'europe-west2';
const MODULE = fileURLToPath(new URL('../../functions/lib/index.js', import.meta.url));

export interface StackOptions {
  /** The folder where everything lives and survives restarts. */
  readonly data: string;
  readonly ports: Ports;
  /** A real registry; without it the stand-in is started. */
  readonly django?: { readonly url: string; readonly token: string } | undefined;
  /** The registry has no companion app: the functions take its key, and the stand-in behaves as such a one. */
  readonly legacy?: boolean;
  /** Size of the stand-in; undefined keeps what the folder holds. */
  readonly members?: number | undefined;
  /**
   * False leaves PostgreSQL out, which takes seconds to start, and with it the proof after each run: for what looks at neither.
   */
  readonly register?: boolean;
  /** Serves the operators' page too. */
  readonly dashboard?: boolean;
  /** Secrets to use instead of those that the folder keeps. */
  readonly secrets?: Partial<Record<keyof LocalSecrets, string | undefined>>;
  /** Settings of the functions besides their addresses and secrets, by the names of `.env.example`. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly onLog?: (line: LogLine) => void;
  /** Called when the data folder is not this stack's any more: nothing that is written from now on is safe. */
  readonly onLost?: (reason: string) => void;
  /** The built functions; by default those of this repository. */
  readonly modulePath?: string;
}

export type LocalStack = Awaited<ReturnType<typeof startStack>>;

/**
 * Starts everything that the functions talk to, and the functions themselves as they are deployed. What had been
 * started is closed again when something cannot start.
 * @throws Error with a message for a person: a port in use, the build missing, the folder in use.
 */
export const startStack = async (options: StackOptions) => {
  const { data, ports, modulePath = MODULE, onLog = () => {}, onLost = () => {} } = options;
  if (!existsSync(modulePath)) throw new Error('functions/lib is missing. Build it first: npm run build');
  await assertPortsFree(portsNeeded(options));
  await using opened = new AsyncDisposableStack();
  const open = async <T extends { close(): Promise<unknown> }>(starting: Promise<T>): Promise<T> =>
    opened.adopt(await starting, async (started) => void (await started.close()));

  const onWait = () =>
    onLog({
      severity: 'NOTICE',
      message: `Another stack holds ${data}: waiting to see whether it still lives`,
    });
  await open(lockFolder(data, { onWait, onLost }));
  const firestore = await open(
    startFirestore({
      projectId: PROJECT_ID,
      port: ports.firestore,
      dataFile: join(data, 'firestore.jsonl'),
    }),
  );
  const storageFolder = join(data, 'storage');
  const storage = await open(startStorage({ directory: storageFolder, port: ports.storage }));
  const auth = await open(startAuth({ projectId: PROJECT_ID, port: ports.auth }));
  // Null when the register was left out.
  const postgres =
    options.register === false
      ? null
      : await open(startPostgres({ port: ports.postgres, dataDir: join(data, 'postgres') }));
  if (postgres !== null) await migrateDatabase({ kind: 'url', url: postgres.url });
  const { secrets, madeUp } = openSecrets(data, {
    ...options.secrets,
    ...(options.django && { DJANGO_API_TOKEN: options.django.token }),
  });
  // Null with a real one.
  const registry = options.django
    ? null
    : await open(
        startRegistry({
          port: ports.registry,
          token: secrets.DJANGO_API_TOKEN,
          authScheme: options.settings?.['DJANGO_AUTH_SCHEME'] === 'Bearer' ? 'Bearer' : 'Token',
          webhook: {
            url: `http://127.0.0.1:${ports.functions}/${PROJECT_ID}/${REGION}/syncFromDjango`,
            secrets: secrets.DJANGO_WEBHOOK_SECRET.split(' '),
            legacyKey: secrets.SYNC_API_KEY,
          },
          companion: options.legacy !== true,
          dataFile: join(data, 'registry.jsonl'),
          ...(options.members !== undefined && { members: options.members }),
        }),
      );
  const registryUrl = options.django?.url ?? registry?.url ?? '';
  const functions = await open(
    startFunctions({
      modulePath,
      projectId: PROJECT_ID,
      port: ports.functions,
      storageBucket: BUCKET,
      env: {
        ...secrets,
        ...(options.legacy === true && { ALLOW_LEGACY_WEBHOOK_AUTH: 'true' }),
        ...options.settings,
        FIRESTORE_EMULATOR_HOST: `127.0.0.1:${firestore.port}`,
        STORAGE_EMULATOR_HOST: storage.url,
        FIREBASE_AUTH_EMULATOR_HOST: auth.emulatorHost,
        DJANGO_BASE_URL: registryUrl,
        ...(postgres && { DATABASE_URL: postgres.url }),
      },
      onLog,
    }),
  );
  // Without the register there is nothing that the proof could look at.
  const idle = postgres === null ? ['proveAfterRun'] : [];
  opened.defer(connectTriggers({ firestore, functions, location: REGION, idle }));
  // Null when the page was left out.
  const dashboard = options.dashboard
    ? await open(
        startDashboard({
          port: ports.dashboard,
          functionsUrl: `${functions.url}/${PROJECT_ID}/${REGION}`,
          authUrl: auth.url,
          projectId: PROJECT_ID,
        }),
      )
    : null;

  /** @throws Error for a function that the build has not */
  const urlOf = (name: string): string => {
    const served = functions.functions.find((one) => one.name === name);
    if (served) return served.url;
    throw new Error(`functions/lib does not export ${name}. Build it anew: npm run build`);
  };
  const running = opened.move();
  return {
    ...{ firestore, storage, auth, postgres, registry, registryUrl, functions, secrets, madeUp, urlOf },
    dashboardUrl: dashboard?.url ?? null,
    /** The folder with the bucket's current objects as plain files. */
    bucketFolder: join(storageFolder, BUCKET),
    /** POSTs JSON to a function as an administrator. */
    callAsAdmin: (name: string, path: string, body: object): Promise<Response> => {
      const token = auth.mintIdToken({ uid: 'local-operator', claims: { roles: ['admin'] } });
      return fetch(urlOf(name) + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    },
    close: (): Promise<void> => running.disposeAsync(),
  };
};

/** What is left out needs no port: 5000 in particular is often taken by something else. */
const portsNeeded = ({ ports, django, register, dashboard }: StackOptions): Partial<Ports> => {
  const unused = [
    ...(django === undefined ? [] : ['registry']),
    ...(register === false ? ['postgres'] : []),
    ...(dashboard === true ? [] : ['dashboard']),
  ];
  return Object.fromEntries(Object.entries(ports).filter(([service]) => !unused.includes(service)));
};
