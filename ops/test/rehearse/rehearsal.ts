import { spawn, spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
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
  ...['artifactregistry', 'cloudfunctions', 'cloudresourcemanager', 'cloudscheduler', 'firestore', 'iam'],
  ...['iamcredentials', 'logging', 'monitoring', 'run', 'secretmanager', 'serviceusage', 'storage'],
];
const PRELOAD = fileURLToPath(new URL('to-loopback.cjs', import.meta.url));

export const hasGcloud = spawnSync('gcloud', ['--version'], { stdio: 'ignore' }).status === 0;

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
    ...['django-api-token', 'django-webhook-secret', 'member-reference-key'].map(secret),
  ]);
};

/** What a command ended with, and all that it said. */
export interface Ended {
  readonly code: number | null;
  readonly said: string;
}

export interface Rehearsal {
  readonly google: Google;
  readonly server: FunctionsServer;
  /** Runs a command of the project, by its file. Throws, like the others, when it does not end in its time. */
  run(file: string, ...args: string[]): Promise<Ended>;
  gcloud(...args: string[]): Promise<Ended>;
  firebase(...args: string[]): Promise<Ended>;
  /** Changes `.env.<project>`, from what `.env.example` makes of it. */
  setEnv(change: (text: string) => string): Promise<void>;
  close(): Promise<void>;
}

/** One program of Google's takes seconds, a whole deployment tens of them: minutes on a busy machine. */
const PROGRAM_LIMIT_MS = 240_000;
const COMMAND_LIMIT_MS = 1_500_000;
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
  const firebase = `#!/bin/sh\nNODE_OPTIONS='--require ${PRELOAD}' exec '${process.execPath}' '${program}' "$@"\n`;
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
  const run = (command: string, args: readonly string[], limitMs = PROGRAM_LIMIT_MS): Promise<Ended> =>
    new Promise((resolve, reject) => {
      // A group of its own: what a command has started ends with it.
      const child = spawn(command, args, {
        cwd: ROOT,
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      });
      let said = '';
      const limit = setTimeout(() => {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
        const asked = google.calls.slice(-5).map(({ method, what }) => `${method} ${what}`);
        const line = [command, ...args].join(' ');
        reject(
          new Error(
            `${line} did not end in ${limitMs / 1_000} s. It asked last:\n${asked.join('\n')}\nIt said last:\n${said.slice(-LAST_SAID)}`,
          ),
        );
      }, limitMs);
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += String(text)));
      child.on('error', reject);
      child.on('close', (code) => {
        clearTimeout(limit);
        resolve({ code, said });
      });
    });
  const example = await readFile(join(ROOT, '.env.example'), 'utf8');
  const file = join(settings, `.env.${PROJECT}`);
  const base = `${example}SYNC_BUCKET=${BUCKET}\nADMIN_SERVICE_ACCOUNTS=${emailOf('operator', PROJECT)}\n`;
  await writeFile(file, base);
  return {
    google,
    server,
    run: (script, ...args) => run(process.execPath, [join(ROOT, script), ...args], COMMAND_LIMIT_MS),
    gcloud: (...args) => run('gcloud', args),
    firebase: (...args) => run('firebase', args),
    setEnv: (change) => writeFile(file, change(base)),
    close: async () => {
      await rm(file, { force: true });
      await Promise.all([google.close(), server.close(), rm(folder, { recursive: true, force: true })]);
    },
  };
};
