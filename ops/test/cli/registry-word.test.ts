import { expect, it } from 'vitest';
import { startServer } from './http-server.ts';
import { type Given, runOps, tooWide } from './run-ops.ts';
import { wireRun } from './wire-run.ts';

const PLAN = 'a'.repeat(64);
/** Registers Iceland's test person. */
const KENNITALA = '0101302989';

const runWith = (outcome: 'dry-run' | 'published' | 'blocked') =>
  wireRun({
    mirror: 'portal',
    trigger: 'http',
    outcome,
    changes: { added: 0, removed: 0, updated: 3, unchanged: 197, quarantined: 0 },
    planId: PLAN,
    ...(outcome === 'blocked' && {
      status: 'error',
      errorCode: 'guard_tripped',
      guard: { tripped: true, findings: [{ rule: 'changed_share', count: 3, allowed: 1 }] },
    }),
  });

const asked = async (outcome: Parameters<typeof runWith>[0], args: readonly string[], given: Given = {}) => {
  const run = runWith(outcome);
  const server = await startServer(() =>
    outcome === 'blocked'
      ? { status: 422, body: { code: 'guard_tripped', detail: 'The guard refused it.', run, forecast: null } }
      : { status: 200, body: { run, forecast: null } },
  );
  const ended = await runOps(['registry-word', ...args, '--url', server.url], {
    env: { OPS_TOKEN: 'token' },
    ...given,
  });
  return { ...ended, sent: server.asked.map(({ method, path, body }) => ({ method, path, body })) };
};
const post = (body: object) => [{ method: 'POST', path: '/portal/registry-word', body }];

it('a dry run asks nobody, and shows how it is done in earnest', async () => {
  const { code, stdout, sent } = await asked('dry-run', ['--all', '--dry-run']);
  expect(sent).toEqual(post({ dryRun: true }));
  expect(stdout).toContain('registry-word --all --reason TEXT');
  expect(tooWide(stdout.replaceAll(/^ {2}npm run .*$/gm, ''))).toEqual([]);
  expect(code).toBe(0);
});

it('about all, it is asked before anything is sent', async () => {
  const refused = await asked('published', ['--all', '--reason', 'restored'], { typed: 'n' });
  expect(refused).toMatchObject({ code: 1, sent: [] });
  const agreed = await asked('published', ['--all', '--reason', 'restored'], { typed: 'y' });
  expect(agreed).toMatchObject({ code: 0, sent: post({ reason: 'restored' }) });
});

it('about one, the number comes from standard input, and is not shown', async () => {
  const { code, stdout, stderr, sent } = await asked('published', ['--reason', 'restored', '--yes'], {
    stdin: `${KENNITALA}\n`,
  });
  expect(sent).toEqual(post({ kennitala: KENNITALA, reason: 'restored' }));
  expect(`${stdout}${stderr}`).not.toContain(KENNITALA);
  expect(code).toBe(0);
});

it('a refused one ends with code 2 and shows how exactly that plan is approved', async () => {
  const { code, stdout } = await asked('blocked', ['--all', '--reason', 'restored', '--yes']);
  expect(stdout).toContain(`registry-word --all --approve ${PLAN} --operator "Name" --reason TEXT`);
  expect(code).toBe(2);
  const { sent } = await asked('published', [
    ...['--all', '--approve', PLAN, '--operator', 'Name', '--reason', 'restored', '--yes'],
  ]);
  expect(sent).toEqual(post({ approve: { planId: PLAN, operator: 'Name', reason: 'restored' } }));
});

it.each([
  [['--all'], 'needs --reason, or --dry-run'],
  [['--all', '--dry-run', '--approve', PLAN], 'nothing to approve'],
  [['--all', '--approve', 'all', '--reason', 'r'], '64 digits'],
  [['--all', '--approve', PLAN, '--reason', 'r'], '--approve needs --operator'],
  [[KENNITALA, '--reason', 'r'], 'never an argument'],
])('%j is refused, and nothing is sent', async (args, said) => {
  const { code, stderr, sent } = await asked('published', args);
  expect(stderr).toContain(said);
  expect(stderr).not.toContain(KENNITALA);
  expect({ code, sent }).toEqual({ code: 1, sent: [] });
});
