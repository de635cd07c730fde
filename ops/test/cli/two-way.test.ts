import { expect, it } from 'vitest';
import type {
  ConflictDetail,
  QueueItemDetail,
  RetryAnswer,
  RetryOutcome,
} from '../../../functions/src/ops/schemas.ts';
import { type Asked, type Reply, startServer } from './http-server.ts';
import { expectDone, type Given, runOps, tooWide } from './run-ops.ts';

const AT = '2026-11-20T12:00:00.000Z';
const MEMBER = 'm_0123456789abcdef';
/** Of nobody: the thirteenth month. */
const KENNITALA = '0113700000';
const ID = '6f1c9d1e-2f6a-4c55-9d0e-0a1b2c3d4e5f~2.profile.email.resolved';

const item: QueueItemDetail = {
  id: ID,
  member: MEMBER,
  status: 'failed',
  action: 'update',
  waiting: ['profile.email'],
  settled: { 'profile.phone': 'synced' },
  createdAt: AT,
  editedAt: AT,
  syncedAt: null,
  retryCount: 7,
  nextAttemptAt: AT,
  isGivenUp: false,
  kennitala: KENNITALA,
  values: { 'profile.email': { oldValue: 'old@example.is', newValue: 'new@example.is' } },
  errorMessage: 'registry_unavailable',
};

const disputed = {
  winner: 'registry',
  reason: 'too-close',
  state: 'open',
  portalEditedAt: AT,
  registryChangedAt: null,
  decided: null,
  expected: 'old@example.is',
  portal: 'portal@example.is',
  registry: 'registry@example.is',
  resolution: null,
} as const;
const conflict: ConflictDetail = {
  id: ID,
  member: MEMBER,
  state: 'open',
  detectedAt: AT,
  kennitala: KENNITALA,
  paths: { 'profile.email': disputed },
};
const severalOpen: ConflictDetail = {
  ...conflict,
  paths: { 'profile.email': disputed, 'profile.reachable': { ...disputed, portal: true, registry: false } },
};

const address = (kind: string) => `/opsApi/${kind}/${encodeURIComponent(ID)}`;

const DELIVERED: RetryAnswer = {
  item: { ...item, status: 'synced', syncedAt: AT },
  delivery: { outcome: 'delivered', code: null },
};

const replyWith =
  (shown: ConflictDetail = conflict, retried: RetryAnswer = DELIVERED) =>
  ({ method, path }: Asked): Reply => {
    const answers: Record<string, unknown> = {
      'GET /opsApi/queue?status=failed&limit=20': { items: [item], next: 'cursor-2' },
      [`GET ${address('queue')}`]: { item },
      [`POST ${address('queue')}/retry`]: retried,
      [`POST ${address('queue')}/fail`]: { item },
      'GET /opsApi/conflicts?state=open&limit=20': { conflicts: [shown], next: null },
      [`GET ${address('conflicts')}`]: { conflict: shown },
      [`POST ${address('conflicts')}/resolve`]: { conflict: shown, queued: true, delivered: false },
    };
    const body = answers[`${method} ${path}`];
    return body === undefined
      ? { status: 404, body: { code: 'not_found', detail: 'There is no such thing.' } }
      : { status: 200, body };
  };

const open = async (shown?: ConflictDetail, retried?: RetryAnswer) => {
  const server = await startServer(replyWith(shown, retried));
  const ops = (args: readonly string[], given: Given = {}) =>
    runOps([...args, '--url', `${server.url}/opsApi`], { ...given, env: { OPS_TOKEN: 'token' } });
  const posted = () => server.asked.filter(({ method }) => method === 'POST').map(({ body }) => body);
  return { ops, posted };
};

it('lists show members by reference, fields by name, and no value', async () => {
  const { ops } = await open();
  for (const command of [['queue', '--status', 'failed'], ['conflicts']]) {
    const { code, stdout } = await ops(command);
    expect(code).toBe(0);
    expect(stdout).toContain(ID);
    expect(stdout).toContain(MEMBER);
    expect(stdout).toContain('profile.email');
    expect(stdout).not.toMatch(new RegExp(`${KENNITALA}|@example`));
    expect(tooWide(stdout)).toEqual([]);
  }
  expect((await ops(['queue', '--status', 'failed'])).stderr).toContain('--before cursor-2');
});

it('one item shows its values, and says that the look is recorded', async () => {
  const { ops } = await open();
  const shown = await ops(['queue', 'show', ID]);
  expect(shown.stdout).toContain(KENNITALA);
  expect(shown.stdout).toContain('"new@example.is"');
  const both = await ops(['conflicts', 'show', ID]);
  expect(both.stdout).toContain('"portal@example.is"');
  expect(both.stdout).toContain('"registry@example.is"');
  for (const { stdout, stderr } of [shown, both]) {
    expect(stderr).toContain('recorded');
    expect(tooWide(stdout)).toEqual([]);
  }
});

it('retries with a reason: done when the registry has it', async () => {
  const { ops, posted } = await open();
  expect(await ops(['queue', 'retry', ID, '--yes'])).toMatchObject({ code: 1 });
  expect(posted()).toEqual([]);
  expectDone(await ops(['queue', 'retry', ID, '--reason', 'it is up again', '--yes']));
  expect(posted()).toEqual([{ reason: 'it is up again' }]);
});

const NOT_DELIVERED: [outcome: RetryOutcome, code: string | null, said: string][] = [
  ['given_up', null, 'refused it again'],
  ['conflict', null, 'see conflicts'],
  ['waiting', 'registry_unauthorized', 'docs/runbook.md#registry_unauthorized'],
  ['busy', null, 'Somebody else is delivering'],
];

it.each(NOT_DELIVERED)(
  'a retry that came to %s (%s) is not done, and it says so',
  async (outcome, code, said) => {
    const { ops } = await open(undefined, { item, delivery: { outcome, code } });
    const ended = await ops(['queue', 'retry', ID, '--reason', 'it is up again', '--yes']);
    expect(ended.code).toBe(1);
    expect(ended.stdout).toContain(said);
    expect(tooWide(ended.stdout)).toEqual([]);
  },
);

it('gives up only what was confirmed', async () => {
  const { ops, posted } = await open();
  const command = ['queue', 'fail', ID, '--reason', 'wrong number'];
  expect(await ops(command)).toMatchObject({ code: 1 });
  expect(await ops(command, { typed: 'n' })).toMatchObject({ code: 1 });
  expect(posted()).toEqual([]);
  expectDone(await ops(command, { typed: 'y' }));
});

it('resolves the one open field without its name', async () => {
  const { ops, posted } = await open();
  const { code, stdout } = await ops(['conflicts', 'resolve', ID, '--keep', 'portal', '--yes']);
  expect(code).toBe(0);
  expect(stdout).toContain('on its way');
  expect(posted()).toEqual([{ path: 'profile.email', keep: 'portal' }]);
});

it('takes another value from standard input, and shows it nowhere', async () => {
  const { ops, posted } = await open();
  const { code, stdout, stderr } = await ops(['conflicts', 'resolve', ID, '--keep', 'value', '--yes'], {
    stdin: 'third@example.is\n',
  });
  expect(code).toBe(0);
  expect(posted()).toEqual([{ path: 'profile.email', keep: 'value', value: 'third@example.is' }]);
  expect(`${stdout}${stderr}`).not.toContain('third@example.is');
});

it('asks for the field when several are open, and takes a consent as JSON', async () => {
  const { ops, posted } = await open(severalOpen);
  const unnamed = await ops(['conflicts', 'resolve', ID, '--keep', 'portal', '--yes']);
  expect(unnamed.code).toBe(1);
  expect(unnamed.stderr).toContain('profile.email, profile.reachable');
  const named = ['conflicts', 'resolve', ID, '--path', 'profile.reachable', '--keep', 'value', '--yes'];
  expect(await ops(named, { stdin: 'yes' })).toMatchObject({ code: 1 });
  expect(posted()).toEqual([]);
  expectDone(await ops(named, { stdin: 'true' }));
  expect(posted()).toEqual([{ path: 'profile.reachable', keep: 'value', value: true }]);
});

it('shows both values and lets a person choose', async () => {
  const { ops, posted } = await open();
  const { code, stderr } = await ops(['conflicts', 'resolve', ID, '--yes'], { typed: '' });
  expect(stderr).toContain('portal@example.is');
  expect(stderr).toContain('registry@example.is');
  expect(code).toBe(0);
  expect(posted()).toEqual([{ path: 'profile.email', keep: 'portal' }]);
});
