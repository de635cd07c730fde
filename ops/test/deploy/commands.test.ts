import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { ROOT } from '../../src/deploy/root.ts';
import { APIS, REGISTER_APIS } from '../../src/deploy/steps/preflight.ts';
import { type FunctionsServer, startFunctionsServer } from './functions-server.ts';
import { answersOfReadyProject, ENV_FILE, PROJECT } from './ready-project.ts';
import { makeStandIns, SIGNED_OUT_OUTPUT, type StandIns } from './stand-in-commands.ts';

let standIns: StandIns;
let settings: string;
let server: FunctionsServer;

beforeAll(async () => {
  server = await startFunctionsServer();
  standIns = await makeStandIns(
    ['gcloud', 'firebase', 'npm'],
    [
      { to: 'run services list', print: '[]' },
      { to: 'run revisions list', print: '[]' },
      { to: 'logging metrics list', print: '[]' },
      { to: 'monitoring policies list', print: '[]' },
      { to: 'monitoring channels list', print: '[]' },
      ...(await answersOfReadyProject()),
    ],
  );
  settings = await mkdtemp(join(tmpdir(), 'settings-'));
  await writeFile(join(settings, `.env.${PROJECT}`), ENV_FILE);
});
afterAll(() =>
  Promise.all([standIns.remove(), server.close(), rm(settings, { recursive: true, maxRetries: 5 })]),
);

const command = (of: string | { file: string; env: NodeJS.ProcessEnv }, ...args: string[]) =>
  new Promise<{ status: number | null; said: string }>((resolve, reject) => {
    const { file, env: base } = typeof of === 'string' ? { file: of, env: standIns.env } : of;
    const env = { ...base, FIREBASE_API_URL: server.url };
    const child = spawn(process.execPath, [file, ...args], { cwd: tmpdir(), env });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => {
        said += String(text);
      });
    }
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, said }));
  });
const DEPLOY = join(ROOT, 'ops/src/deploy/main.ts');

it.each([
  ['deploy', DEPLOY, ['--dry-run', '--settings'], 'Nothing was changed'],
  ['iam', join(ROOT, 'ops/src/deploy/iam-main.ts'), ['--settings'], '--apply runs these commands'],
  [
    'alerts',
    join(ROOT, 'ops/src/alerts/main.ts'),
    ['--email', 'operators@example.is'],
    '--apply runs these commands',
  ],
])('npm run %s shows what it would do, from any folder', async (_name, file, args, word) => {
  const withFolder = args.at(-1) === '--settings' ? [...args, settings] : args;
  const { status, said } = await command(file, '--project', PROJECT, ...withFolder);
  expect(said).toContain(word);
  expect(said).toContain('    $ ');
  expect(status).toBe(0);
});

it('npm run rollback-deploy fails where nothing is deployed', async () => {
  const { status, said } = await command(join(ROOT, 'ops/src/deploy/rollback-main.ts'), '--project', PROJECT);
  expect(said).toContain('Nothing is deployed');
  expect(status).toBe(1);
});

it('a deployment without its settings ends with code 1 and says what is missing', async () => {
  const { status, said } = await command(
    DEPLOY,
    '--project',
    'demo-other',
    '--dry-run',
    '--settings',
    settings,
  );
  expect(said).toContain('.env.demo-other');
  expect(status).toBe(1);
});

it.each([
  ['no project', [], "'--project <id>' not specified"],
  ['no project id', ['--project', '../etc'], 'the id of a project'],
  ['an address that is none', ['--project', PROJECT, '--url', 'ftp://x'], 'an http address'],
])('a deployment with %s is refused', async (_title, args, word) => {
  const { status, said } = await command(DEPLOY, ...args);
  expect(said).toContain(word);
  expect(status).toBe(1);
});

it('the owner of the schema is taken from the command line', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'settings-'));
  onTestFinished(() => rm(folder, { recursive: true, maxRetries: 5 }));
  await writeFile(join(folder, `.env.${PROJECT}`), `${ENV_FILE}CLOUD_SQL_INSTANCE=p:europe-west2:i\n`);
  await standIns.answer({ to: 'services list --enabled', print: [...APIS, ...REGISTER_APIS].join('\n') });
  const args = ['--project', PROJECT, '--url', server.url, '--settings', folder];

  expect((await command(DEPLOY, ...args)).said).toContain('Give --database-owner');
  await command(DEPLOY, ...args, '--database-owner', 'owner@example.is');

  expect((await standIns.calls()).filter((call) => call.includes('npm run migrate'))).toEqual([
    'DATABASE_USER=owner@example.is npm run migrate --silent',
  ]);
});

it.each([
  ['deploy', DEPLOY, []],
  ['iam', join(ROOT, 'ops/src/deploy/iam-main.ts'), []],
  ['alerts', join(ROOT, 'ops/src/alerts/main.ts'), ['--email', 'operators@example.is']],
  ['rollback-deploy', join(ROOT, 'ops/src/deploy/rollback-main.ts'), []],
])('npm run %s says in one line that nobody is signed in to gcloud', async (name, file, args) => {
  const signedOut = await makeStandIns(
    ['gcloud', 'firebase'],
    [{ to: 'gcloud ', status: 1, print: SIGNED_OUT_OUTPUT }],
  );
  onTestFinished(() => signedOut.remove());
  const more = ['deploy', 'iam'].includes(name) ? ['--settings', settings] : [];
  const { status, said } = await command(
    { file, env: signedOut.env },
    '--project',
    PROJECT,
    ...args,
    ...more,
  );
  expect(said.match(/signed in|auth login|ERROR/g)).toEqual(['signed in', 'auth login']);
  expect(said).toMatch(/FAILED: gcloud is not signed in: gcloud auth login$/m);
  expect(status).toBe(1);
});
