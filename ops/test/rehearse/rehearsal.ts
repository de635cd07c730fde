import { spawn, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installFirebaseTools } from '../../../functions/test/support/install-firebase-tools.ts';
import { FIREBASE_TOOLS } from '../../src/deploy/deploy-with-firebase.ts';
import { emailOf } from '../../src/deploy/iam-table.ts';
import { ROOT } from '../../src/deploy/root.ts';
import { APIS } from '../../src/deploy/steps/preflight.ts';
import { type FunctionsServer, startFunctionsServer } from '../deploy/functions-server.ts';
import { type Google, startGoogle } from './google.ts';
import { type Json, PROJECT, PROJECT_NUMBER, REGION, type State } from './project-state.ts';

export const BUCKET = `${PROJECT}-lists`;
const GCLOUD_APIS = [
  ...[
    'artifactregistry',
    'cloudbilling',
    'cloudbuild',
    'cloudfunctions',
    'cloudresourcemanager',
    'cloudscheduler',
    'firestore',
    'iam',
  ],
  ...['iamcredentials', 'logging', 'monitoring', 'run', 'secretmanager', 'serviceusage', 'storage'],
];
const PRELOAD = fileURLToPath(new URL('to-loopback.cjs', import.meta.url));

const gcloud = spawnSync('sh', ['-c', 'command -v gcloud'], { encoding: 'utf8' }).stdout.trim();
export const hasGcloud = gcloud !== '';

/** A new project in which what `docs/deploy.md` does by hand is done, and nothing is deployed. */
export const newProject = (): State => {
  const service = (name: string): [string, Json] => [
    `services/${name}`,
    { name: `projects/${PROJECT_NUMBER}/services/${name}`, config: { name }, state: 'ENABLED' },
  ];
  const secret = (name: string): [string, Json] => [
    `secrets/${name}/versions/1`,
    {
      name: `projects/${PROJECT_NUMBER}/secrets/${name}/versions/1`,
      state: 'ENABLED',
      createTime: new Date().toISOString(),
      payload: 'value-of-the-rehearsal',
    },
  ];
  const defaultBucket = `${PROJECT}.firebasestorage.app`;
  return new Map<string, Json>([
    [
      'firebase',
      {
        projectId: PROJECT,
        projectNumber: PROJECT_NUMBER,
        displayName: PROJECT,
        state: 'ACTIVE',
        resources: { hostingSite: PROJECT, storageBucket: defaultBucket, locationId: REGION },
      },
    ],
    ['adminSdkConfig', { projectId: PROJECT, storageBucket: defaultBucket, locationId: REGION }],
    ['billingInfo', { billingEnabled: true, billingAccountName: 'billingAccounts/0' }],
    [
      'firestore',
      {
        name: `projects/${PROJECT}/databases/(default)`,
        type: 'FIRESTORE_NATIVE',
        locationId: REGION,
        databaseEdition: 'STANDARD',
      },
    ],
    [
      `buckets/${BUCKET}`,
      {
        kind: 'storage#bucket',
        name: BUCKET,
        id: BUCKET,
        location: REGION.toUpperCase(),
        storageClass: 'STANDARD',
        metageneration: '1',
      },
    ],
    ...APIS.map(service),
    ...['django-api-token', 'django-webhook-secret', 'member-reference-key', 'chain-signing-key'].map(secret),
  ]);
};

/** What a command ended with, and all that it said. */
export interface Ended {
  readonly code: number | null;
  readonly said: string;
  /** Of that, what went to the standard output. */
  readonly printed: string;
}

export interface Rehearsal {
  readonly google: Google;
  readonly server: FunctionsServer;
  /**
   * Gives a command to the shell, in the repository's folder, with the project's id for the word `P` and the bucket's name
   * for `B`, as docs/deploy.md writes them. Throws when it does not end in its time.
   */
  give(line: string, input?: string): Promise<Ended>;
  /** Changes `.env.<project>`, from what `.env.example` makes of it. */
  setEnv(change: (text: string) => string): Promise<void>;
  close(): Promise<void>;
}

/** Google's programs take seconds; a whole deployment has tens of them, on a busy machine each much longer. */
const LIMIT_MS = 240_000;
const WHOLE_LIMIT_MS = 1_500_000;
const LAST_SAID = 1_500;

export interface RehearsalOptions {
  /** The folder of `.env.<project>`; firebase-tools looks into `functions/`. */
  readonly settings?: string;
  readonly state?: State;
}

/** A project on loopback, and the project's own commands that meet it through the real `firebase` and `gcloud`. */
export const startRehearsal = async ({
  settings = join(ROOT, 'functions'),
  state = newProject(),
}: RehearsalOptions = {}): Promise<Rehearsal> => {
  const program = await installFirebaseTools(FIREBASE_TOOLS);
  const server = await startFunctionsServer();
  const google = await startGoogle(state, { [`${REGION}-${PROJECT}.cloudfunctions.net`]: server.url });
  const folder = await mkdtemp(join(tmpdir(), 'rehearsal-'));
  const bin = join(folder, 'bin');
  await mkdir(bin);
  await writeFile(
    join(folder, 'adc.json'),
    JSON.stringify({
      type: 'authorized_user',
      client_id: 'rehearsal',
      client_secret: 'rehearsal',
      refresh_token: 'rehearsal',
    }),
  );
  await writeFile(join(folder, 'token'), 'rehearsal');
  const write = (name: string, command: string) =>
    writeFile(join(bin, name), `#!/bin/sh\nexec env ${command} "$@"\n`, { mode: 0o755 });
  await write('firebase', `'${process.execPath}' '${program}'`);
  // Plain addresses, which it asks of a proxy. What is left of https ends there too.
  const proxy = `http://127.0.0.1:${google.port}`;
  await write('gcloud', `http_proxy=${proxy} https_proxy=${proxy} '${gcloud}'`);
  const env: NodeJS.ProcessEnv = {
    PATH: [bin, join(ROOT, 'node_modules/.bin'), process.env['PATH']].join(delimiter),
    HOME: folder,
    XDG_CONFIG_HOME: folder,
    NODE_OPTIONS: `--require ${PRELOAD}`,
    REHEARSE_PORT: String(google.port),
    METADATA_SERVER_DETECTION: 'none',
    npm_config_update_notifier: 'false',
    GOOGLE_APPLICATION_CREDENTIALS: join(folder, 'adc.json'),
    CLOUDSDK_CONFIG: join(folder, 'gcloud'),
    CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: join(folder, 'token'),
    CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
    CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: '1',
    CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: '1',
    PYTHONDONTWRITEBYTECODE: '1',
    ...Object.fromEntries(
      GCLOUD_APIS.map((api) => [
        `CLOUDSDK_API_ENDPOINT_OVERRIDES_${api.toUpperCase()}`,
        `http://${api}.googleapis.com/${api === 'storage' ? 'storage/v1/' : ''}`,
      ]),
    ),
  };
  const give = (shown: string, input = ''): Promise<Ended> =>
    new Promise((resolve, reject) => {
      const line = shown.replaceAll(/\bP\b/g, PROJECT).replaceAll(/\bB\b/g, BUCKET);
      const limitMs = line.startsWith('npm run') ? WHOLE_LIMIT_MS : LIMIT_MS;
      // A group of its own: what a command has started ends with it.
      const child = spawn('bash', ['-c', line], { cwd: ROOT, env, detached: true });
      child.stdin.on('error', () => {}).end(input);
      let said = '';
      let printed = '';
      const limit = setTimeout(() => {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
        const asked = google.calls.slice(-5).map(({ method, what }) => `${method} ${what}`);
        reject(
          new Error(
            `${line} did not end in ${limitMs / 1_000} s. It asked last:\n${asked.join('\n')}\nIt said last:\n${said.slice(-LAST_SAID)}`,
          ),
        );
      }, limitMs);
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += String(text)));
      child.stdout.on('data', (text) => (printed += String(text)));
      child.on('error', reject);
      child.on('close', (code) => {
        clearTimeout(limit);
        resolve({ code, said, printed });
      });
    });
  const example = await readFile(join(ROOT, '.env.example'), 'utf8');
  const file = join(settings, `.env.${PROJECT}`);
  const base = [
    example,
    'DJANGO_BASE_URL=https://registry.example.is/felagar',
    `SYNC_BUCKET=${BUCKET}`,
    `ADMIN_SERVICE_ACCOUNTS=${emailOf('operator', PROJECT)}\n`,
  ].join('\n');
  await writeFile(file, base);
  return {
    google,
    server,
    give,
    setEnv: (change) => writeFile(file, change(base)),
    close: async () => {
      await rm(file, { force: true });
      await Promise.all([
        google.close(),
        server.close(),
        rm(folder, { recursive: true, force: true, maxRetries: 5 }),
      ]);
    },
  };
};
