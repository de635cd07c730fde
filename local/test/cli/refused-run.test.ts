import { expect, it, onTestFinished } from 'vitest';
import { type LocalRegistry, startRegistry } from '../../src/registry/start-registry.ts';
import { makePlace } from '../stack/place.ts';
import { runCli } from './run-cli.ts';

const MEMBERS = 400;
const TOKEN = 'command-line-token';

const openRegistry = async (): Promise<LocalRegistry> => {
  const registry = await startRegistry({ port: 0, members: MEMBERS, token: TOKEN });
  onTestFinished(() => registry.close());
  return registry;
};

const approval = (planId: string): string[] => [
  '--approve',
  planId,
  '--operator',
  'Test Operator',
  '--reason',
  'the registry was cleaned up',
];

it('a list that lost members is refused with code 2, until exactly that plan is approved', {
  timeout: 60_000,
}, async () => {
  const place = await makePlace();
  const registry = await openRegistry();
  const run = (...args: string[]) =>
    runCli([...place.args, '--django', registry.url, '--token', TOKEN, '--exit', '--json', ...args]);
  expect((await run()).code).toBe(0);

  registry.addFault({ drop: 100 });
  const blocked = await run();
  expect(blocked.code).toBe(2);
  const { planId, ...record } = JSON.parse(blocked.stdout);
  expect(record).toMatchObject({ outcome: 'blocked', errorCode: 'guard_tripped', changes: { removed: 100 } });
  expect(blocked.stderr).toContain(`--exit --approve ${planId} --operator NAME --reason TEXT`);
  expect(blocked.stderr).not.toContain(TOKEN);
  expect(await place.lines()).toBe(MEMBERS);

  const other = await run(...approval('0'.repeat(64)));
  expect(other.code).toBe(1);
  expect(JSON.parse(other.stdout)).toMatchObject({ outcome: 'skipped', errorCode: 'plan_changed' });

  const approved = await run(...approval(planId));
  expect(approved.code).toBe(0);
  expect(JSON.parse(approved.stdout)).toMatchObject({ outcome: 'published', approvedBy: 'Test Operator' });
  expect(await place.lines()).toBe(MEMBERS - 100);
});

it.each([
  [
    'that does not answer',
    async (registry: LocalRegistry) => registry.close(),
    TOKEN,
    /No registry answers at \S+ \(ECONNREFUSED\).*--django/,
  ],
  ['that refuses the token', async () => {}, 'another', /refuses the token \(401\).*--token/],
])('a registry %s is named before anything is started', async (_what, prepare, token, message) => {
  const place = await makePlace();
  const registry = await openRegistry();
  await prepare(registry);
  const { code, stdout, stderr } = await runCli([
    ...place.args,
    '--django',
    registry.url,
    '--token',
    token,
    '--exit',
  ]);
  expect(stderr).toMatch(message);
  expect(`${stdout}${stderr}`).not.toContain('The local stack is up');
  expect(code).toBe(1);
});

it('a run that fails ends with code 1 and says why', async () => {
  const place = await makePlace();
  const registry = await openRegistry();
  registry.addFault({ status: 503, path: '/api/members/' });
  const failed = await runCli([...place.args, '--django', registry.url, '--exit'], {
    DJANGO_API_TOKEN: TOKEN,
    REGISTRY_FETCH_TIMEOUT_SECONDS: '1',
  });
  expect(failed.code).toBe(1);
  expect(failed.stdout).toContain('Failed: nothing was published');
  expect(failed.stdout).toMatch(/why {8}registry_\w+: .+/);
  expect(failed.stdout).not.toMatch(/node_modules/);
});
