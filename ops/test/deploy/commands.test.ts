import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ROOT } from '../../src/deploy/root.ts';
import { type FunctionsServer, startFunctionsServer } from './functions-server.ts';
import { answersOfReadyProject, ENV_FILE, PROJECT } from './ready-project.ts';
import { makeStandIns, type StandIns } from './stand-in-commands.ts';

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
afterAll(() => Promise.all([standIns.remove(), server.close(), rm(settings, { recursive: true })]));

const command = (file: string, ...args: string[]) =>
  new Promise<{ status: number | null; said: string }>((resolve, reject) => {
    const env = { ...standIns.env, FIREBASE_API_URL: server.url };
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
