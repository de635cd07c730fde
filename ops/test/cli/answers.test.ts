import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { WELL } from '../../../functions/test/ops/support/status-answers.ts';
import { findFreeOffset } from './free-offset.ts';
import { makeGcloudStandIn } from './gcloud-stand-in.ts';
import { type Reply, startServer } from './http-server.ts';
import { expectDone, runOps } from './run-ops.ts';

const TOKEN = 'secret-token-of-the-test';
const env = { OPS_TOKEN: TOKEN };

const ask = async (args: readonly string[], reply: Reply) => {
  const { url } = await startServer(() => reply);
  return runOps([...args, '--url', url], { env });
};

const problem = (status: number, code: string): Reply => ({
  status,
  body: { code, detail: 'what is wrong', reference: 'ref-1' },
});

const BAD_ANSWERS: [title: string, reply: Reply, said: string][] = [
  ['a refusal', problem(403, 'forbidden'), 'forbidden: what is wrong Reference: ref-1'],
  ['a page of somebody else', { status: 404, body: '<html>' }, 'answered 404 without saying why'],
  [
    'an answer of another form',
    { status: 200, body: { ...WELL, healthy: 'yes' } },
    'not of the agreed form (healthy)',
  ],
  ['an empty answer', { status: 200, body: '' }, 'not of the agreed form'],
  ['a login page', { status: 302, body: '' }, 'answered 302 without saying why'],
  ['a connection that breaks', 'broken', 'does not answer'],
];

it.each(BAD_ANSWERS)('%s is no success', async (_title, reply, said) => {
  const { code, stdout, stderr } = await ask(['status'], reply);
  expect(code).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toContain(said);
  expect(stderr).not.toContain(TOKEN);
});

it('when a run gets no answer, whether it was done is said to be unknown', async () => {
  const { code, stderr } = await ask(['sync', 'roster', '--yes'], 'broken');
  expect(code).toBe(1);
  expect(stderr).toContain('is not known');
});

it('nothing that goes wrong is well: an unhealthy status ends with 1', async () => {
  const { code } = await ask(['status'], { status: 200, body: { ...WELL, healthy: false } });
  expect(code).toBe(1);
});

it('a pipe gets no colours, a terminal does, unless NO_COLOR is set', async () => {
  const { url } = await startServer(() => ({ status: 200, body: WELL }));
  const args = ['status', '--url', url];
  const colour = '\u001b[';
  expect((await runOps(args, { env })).stdout).not.toContain(colour);
  expect((await runOps(args, { env, typed: '' })).stdout).toContain(colour);
  expect((await runOps(args, { env: { ...env, NO_COLOR: '1' }, typed: '' })).stdout).not.toContain(colour);
});

it('shows on a terminal that a run works and for how long, and leaves no trace of that in a pipe', async () => {
  const { url } = await startServer(() => problem(503, 'registry_timeout'));
  const args = ['plan', 'roster', '--url', url];
  const onTerminal = await runOps(args, { env, typed: '' });
  expect(onTerminal.stderr).toMatch(/Planning a run of the roster: \d+ s/);
  // The line is cleared before anything else is said.
  expect(onTerminal.stderr).toContain(' s\u001b[1G\u001b[2Kregistry_timeout');
  expect((await runOps(args, { env })).stderr).toMatch(/^registry_timeout/);
});

it('gcloud makes the token for the audience of the project, as the account that is named', async () => {
  const server = await startServer(() => ({ status: 200, body: WELL }));
  const gcloud = await makeGcloudStandIn({ 'auth print-identity-token': 'identity\n' });
  const args = [
    'status',
    '--project',
    'demo-p',
    '--url',
    server.url,
    '--as',
    'ops@demo-p.iam.gserviceaccount.com',
  ];
  expectDone(await runOps(args, { env: gcloud.env }));
  expect(server.asked[0]?.authorization).toBe('Bearer identity');
  expect(await gcloud.calls()).toEqual([
    'auth print-identity-token --impersonate-service-account ops@demo-p.iam.gserviceaccount.com --include-email ' +
      '--audiences https://europe-west2-demo-p.cloudfunctions.net/runMemberListSync',
  ]);
});

it('a person, for whom gcloud makes no such token, is told to name a service account', async () => {
  // As gcloud 528 says it.
  const fails =
    'ERROR: (gcloud.auth.print-identity-token) Invalid account type for `--audiences`. Requires valid service account.\n';
  const gcloud = await makeGcloudStandIn({ 'auth print-identity-token': { fails } });
  const { code, stderr } = await runOps(['status', '--project', 'demo-p'], { env: gcloud.env });
  expect(code).toBe(1);
  expect(stderr).toContain('--as');
});

it('a token is never sent over plain http', async () => {
  const { code, stderr } = await runOps(['status', '--url', 'http://ops.example.is/api'], { env });
  expect(code).toBe(1);
  expect(stderr).toContain('https://');
});

it('without a local stack and without a project, it says what to do', async () => {
  const { code, stderr } = await runOps(['status', '--port-offset', String(await findFreeOffset())]);
  expect(code).toBe(1);
  expect(stderr).toContain('npm start');
  expect(stderr).toContain('--project');
});

it('runs as a program, with its exit code', async () => {
  const { url } = await startServer(() => ({ status: 200, body: WELL }));
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
  const child = spawn(process.execPath, [main, 'status', '--json', '--url', url], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  const [code] = await once(child, 'close');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual(WELL);
});
