import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FIREBASE_TOOLS } from '../../src/deploy/deploy-with-firebase.ts';
import { emailOf } from '../../src/deploy/iam-table.ts';
import { ROOT } from '../../src/deploy/root.ts';
import { APIS } from '../../src/deploy/steps/preflight.ts';
import { type FunctionsServer, startFunctionsServer } from '../deploy/functions-server.ts';
import { type Google, startGoogle } from './google.ts';
import { type Json, PROJECT, PROJECT_NUMBER, REGION, type State } from './project-state.ts';

export const BUCKET = `${PROJECT}-lists`;
const TOOLS = join(ROOT, '.local', FIREBASE_TOOLS.replace('@', '-'));
export const FIREBASE = join(TOOLS, 'node_modules/firebase-tools/lib/bin/firebase.js');
const GCLOUD_APIS = [
  ...['artifactregistry', 'cloudfunctions', 'cloudresourcemanager', 'cloudscheduler', 'firestore', 'iam'],
  ...['iamcredentials', 'logging', 'monitoring', 'run', 'secretmanager', 'serviceusage', 'storage'],
];
const PRELOAD = fileURLToPath(new URL('to-loopback.cjs', import.meta.url));

export const hasGcloud = spawnSync('gcloud', ['--version'], { stdio: 'ignore' }).status === 0;

/** The real firebase-tools, in a folder of its own: 300 MB that `npm ci` has no need of. */
export const installFirebaseTools = async (): Promise<void> => {
  if (existsSync(FIREBASE)) return;
  await mkdir(TOOLS, { recursive: true });
  await writeFile(join(TOOLS, 'package.json'), '{"private": true}');
  const { status, stderr } = spawnSync(
    'npm',
    ['install', '--no-audit', '--no-fund', '--ignore-scripts', FIREBASE_TOOLS],
    {
      cwd: TOOLS,
      encoding: 'utf8',
    },
  );
  if (status !== 0) throw new Error(`${FIREBASE_TOOLS} could not be installed: ${stderr.slice(-500)}`);
};

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

export interface Rehearsal {
  readonly google: Google;
  readonly server: FunctionsServer;
  readonly folder: string;
  /** Runs a command of the project. Gives its code and all that it said. */
  run(file: string, ...args: string[]): Promise<{ code: number | null; said: string }>;
  gcloud(...args: string[]): Promise<{ code: number | null; said: string }>;
  firebase(...args: string[]): Promise<{ code: number | null; said: string }>;
  setEnv(change: (text: string) => string): Promise<void>;
  close(): Promise<void>;
}

/** A project on loopback, and the project's own commands that meet it through the real `firebase` and `gcloud`. */
export const startRehearsal = async (state: State = newProject()): Promise<Rehearsal> => {
  const google = await startGoogle(state);
  const server = await startFunctionsServer();
  const folder = await mkdtemp(join(tmpdir(), 'rehearsal-'));
  const bin = join(folder, 'bin');
  await mkdir(bin);
  const at = (machine: string) => `http://127.0.0.1:${google.port}/${machine}/`;
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
  const firebase = `#!/bin/sh\nNODE_OPTIONS='--require ${PRELOAD}' exec '${process.execPath}' '${FIREBASE}' "$@"\n`;
  await writeFile(join(bin, 'firebase'), firebase);
  await chmod(join(bin, 'firebase'), 0o755);
  const env: NodeJS.ProcessEnv = {
    PATH: [bin, join(ROOT, 'node_modules/.bin'), process.env['PATH']].join(delimiter),
    HOME: folder,
    XDG_CONFIG_HOME: folder,
    REHEARSE_PORT: String(google.port),
    GOOGLE_APPLICATION_CREDENTIALS: join(folder, 'adc.json'),
    FIREBASE_API_URL: at('firebase.googleapis.com').slice(0, -1),
    CLOUDSDK_CONFIG: join(folder, 'gcloud'),
    CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: join(folder, 'token'),
    CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
    CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: '1',
    CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: '1',
    PYTHONDONTWRITEBYTECODE: '1',
    // Plain addresses, which gcloud asks of a proxy: the loopback Google. What is left of https ends there too.
    http_proxy: at('').replace(/\/+$/, ''),
    https_proxy: at('').replace(/\/+$/, ''),
    no_proxy: '127.0.0.1,localhost',
    ...Object.fromEntries(
      GCLOUD_APIS.map((api) => [
        `CLOUDSDK_API_ENDPOINT_OVERRIDES_${api.toUpperCase()}`,
        `http://${api}.googleapis.com/${api === 'storage' ? 'storage/v1/' : ''}`,
      ]),
    ),
  };
  const run = (command: string, args: readonly string[]) =>
    new Promise<{ code: number | null; said: string }>((resolve, reject) => {
      const child = spawn(command, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
      let said = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += String(text)));
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, said }));
    });
  const example = await readFile(join(ROOT, '.env.example'), 'utf8');
  const file = join(ROOT, 'functions', `.env.${PROJECT}`);
  const base = `${example}SYNC_BUCKET=${BUCKET}\nADMIN_SERVICE_ACCOUNTS=${emailOf('operator', PROJECT)}\n`;
  await writeFile(file, base);
  return {
    google,
    server,
    folder,
    run: (script, ...args) => run(process.execPath, [join(ROOT, script), ...args]),
    gcloud: (...args) => run('gcloud', args),
    firebase: (...args) => run('firebase', args),
    setEnv: (change) => writeFile(file, change(base)),
    close: async () => {
      await rm(file, { force: true });
      await Promise.all([google.close(), server.close(), rm(folder, { recursive: true, force: true })]);
    },
  };
};
