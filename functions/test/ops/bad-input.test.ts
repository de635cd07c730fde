import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OpsStack, startOpsStack } from '../support/api-stack.ts';

let ops: OpsStack;
beforeAll(async () => {
  ops = await startOpsStack({ members: 20 });
});
afterAll(async () => {
  await ops.close();
});

const PLAN_ID = 'a'.repeat(64);
const APPROVE = { planId: PLAN_ID, operator: 'Somebody', reason: 'Looked at it' };

const BAD: readonly [method: string, path: string, body: unknown, named: string][] = [
  ['GET', '/runs?limit=0', undefined, 'limit'],
  ['GET', '/runs?limit=201', undefined, 'limit'],
  ['GET', '/runs?limit=two', undefined, 'limit'],
  ['GET', '/runs?limit=1.5', undefined, 'limit'],
  ['GET', '/runs?mirror=other', undefined, 'mirror'],
  ['GET', '/runs?outcome=fine', undefined, 'outcome'],
  ['GET', '/runs?before=nonsense', undefined, 'before'],
  ['GET', `/runs?before=${Buffer.from('[1,2]').toString('base64url')}`, undefined, 'before'],
  ['GET', `/runs?before=${Buffer.from('[1,-2,"x"]').toString('base64url')}`, undefined, 'before'],
  ['GET', '/runs?unknown=1', undefined, 'a key that is not known'],
  ['GET', '/runs/__reserved__', undefined, 'id'],
  ['GET', '/runs/a%2Fb', undefined, 'id'],
  ['GET', `/runs/${'x'.repeat(201)}`, undefined, 'id'],
  ['GET', '/runs/some-run/changes?page=-1', undefined, 'page'],
  ['GET', '/runs/some-run/people?page=-1', undefined, 'page'],
  ['POST', '/runs', '{', 'JSON'],
  ['POST', '/runs', '[]', 'body'],
  ['POST', '/runs', {}, 'mirror'],
  ['POST', '/runs', { mirror: 'roster', dryRun: 'yes' }, 'dryRun'],
  ['POST', '/runs', { mirror: 'roster', force: true }, 'a key that is not known'],
  ['POST', '/runs', { mirror: 'roster', approve: { ...APPROVE, planId: 'short' } }, 'approve.planId'],
  ['POST', '/runs', { mirror: 'roster', approve: { ...APPROVE, reason: ' ' } }, 'approve.reason'],
  ['POST', '/runs', { mirror: 'roster', dryRun: true, approve: APPROVE }, 'approve'],
  ['POST', '/portal/registry-word', {}, 'reason'],
  ['POST', '/portal/registry-word', { kennitala: '123', reason: 'x' }, 'kennitala'],
  ['POST', '/portal/registry-word', { dryRun: true, approve: APPROVE }, 'approve'],
  ['POST', '/roster/rollback', {}, 'generation'],
  ['POST', '/roster/rollback', { generation: '1', runId: 'r' }, 'generation'],
  ['POST', '/roster/rollback', { generation: '-1' }, 'generation'],
  ['POST', '/roster/rollback', { generation: 17 }, 'generation'],
  ['POST', '/roster/rollback', { generation: '12345678901234567890' }, 'generation'],
  ['POST', '/roster/rollback', { generation: '9223372036854775808' }, 'generation'],
  ['POST', '/roster/rollback', { generation: '1', dryRun: true, approve: APPROVE }, 'approve'],
  ['POST', '/mirrors/other/pause', { reason: 'why' }, 'name'],
  ['POST', '/mirrors/roster/pause', {}, 'reason'],
  ['POST', '/mirrors/roster/pause', { reason: '  ' }, 'reason'],
  ['POST', '/mirrors/roster/resume', {}, 'reason'],
  ['POST', '/explain', {}, 'kennitala'],
  ['POST', '/explain', { kennitala: '123' }, 'kennitala'],
  ['POST', '/explain', { kennitala: 1234567890 }, 'kennitala'],
  ['POST', '/erase', {}, 'kennitala'],
  ['POST', '/erase', { kennitala: '123', reason: 'why' }, 'kennitala'],
  ['POST', '/erase', { kennitala: 1234567890, reason: 'why' }, 'kennitala'],
  ['POST', '/erase', { kennitala: '0101302989' }, 'reason'],
  ['POST', '/erase', { kennitala: '0101302989', reason: ' ' }, 'reason'],
  ['POST', '/erase', { kennitala: '0101302989', reason: 'asked by 010130-2989' }, 'reason'],
  ['POST', '/erase', { kennitala: '0101302989', reason: 'why', dryRun: 'no' }, 'dryRun'],
  ['POST', '/erase', { kennitala: '0101302989', reason: 'why', force: true }, 'a key that is not known'],
  ['POST', '/roll', {}, 'at'],
  ['POST', '/roll', { at: '2026-11-01T12:00', name: 'a-roll' }, 'at'],
  ['POST', '/roll', { at: 'noon' }, 'moment'],
  ['POST', '/roll', { name: '../kennitalas' }, 'name'],
  ['POST', '/roll/compare', { from: '2026-11-01T12:00' }, 'to'],
  [
    'POST',
    '/rolls',
    { name: 'r-1234567890', at: '2026-11-01T12:00', until: '2027-01-01', reason: 'why' },
    'name',
  ],
  ['POST', '/rolls', { name: 'vote', at: '2026-11-01T12:00', until: '2027-02-30', reason: 'why' }, 'until'],
  ['POST', '/rolls', { name: 'vote', at: '2026-11-01T12:00', until: '2027-01-01', reason: ' ' }, 'reason'],
  ['GET', '/series?days=0', undefined, 'days'],
  ['GET', '/series?days=367', undefined, 'days'],
  ['GET', '/queue?status=odd', undefined, 'status'],
  ['GET', '/conflicts?state=odd', undefined, 'state'],
  ['POST', '/queue/some-id/retry', {}, 'reason'],
  ['POST', '/queue/some-id/fail', { reason: '' }, 'reason'],
  ['POST', '/conflicts/some-id/resolve', { path: 'profile.email' }, 'keep'],
  ['POST', '/two-way/runs', { deliver: 'everything' }, 'deliver'],
  ['POST', '/members/sync', { kennitala: '123' }, 'kennitala'],
];

describe('bad input', () => {
  it('is sent to every route that takes a query or a body', () => {
    const taking = ops.routes.filter(({ query, body }) => query !== undefined || body !== undefined);
    const missing = taking.filter(({ method, path }) => {
      const route = new RegExp(`^${path.replace(/:\w+/g, '[^/?]+')}(?:\\?|$)`);
      return !BAD.some(([used, url]) => used === method && route.test(url));
    });
    expect(missing.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
  });

  it.each(BAD)('%s %s %j is a 400 that names %s', async (method, path, body, named) => {
    const response = await ops.send(method, path, body);
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    const problem = (await response.json()) as { status: number; code: string; detail: string };
    expect([response.status, problem.code]).toEqual([400, 'invalid_request']);
    expect(problem.detail).toContain(named);
  });

  it('a body over the limit is refused', async () => {
    const response = await ops.send('POST', '/runs', JSON.stringify({ mirror: 'x'.repeat(70_000) }));
    expect(response.status).toBe(413);
  });

  it.each([
    ['GET', '/runs/no-such-run'],
    ['GET', '/runs/no-such-run/changes'],
    ['GET', '/queue/no-such-change'],
    ['GET', '/conflicts/no-such-conflict'],
    ['GET', '/nothing/here'],
    ['GET', '/'],
  ])('%s %s is a 404', async (method, path) => {
    const response = await ops.send(method, path);
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([404, 'not_found']);
  });

  it('what is not there cannot be rolled back to, retried or started', async () => {
    for (const [path, body] of [
      ['/roster/rollback', { runId: 'no-such-run' }],
      ['/roster/rollback', { generation: '123456' }],
      ['/queue/no-such-change/retry', { reason: 'why' }],
      ['/runs', { mirror: 'register' }],
    ] as const) {
      expect([path, (await ops.send('POST', path, body)).status]).toEqual([path, 404]);
    }
  });

  it('another method is a 405 that says which ones there are', async () => {
    const response = await ops.send('DELETE', '/runs');
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, POST']);
  });
});

describe('who may call', () => {
  it.each(['', '/api'])(
    'every route below "%s" refuses whoever has not proved to be an administrator',
    async (prefix) => {
      const member = ops.tokenOf({ roles: ['member'], kennitala: '0101302989' }, 'a-member');
      const late = ops.auth.mintIdToken({ uid: 'late', claims: { roles: ['admin'] }, lifetimeSeconds: -10 });
      for (const { method, path } of ops.routes) {
        const url = `${prefix}${path.replace(':name', 'roster').replace(/:\w+/g, 'some-id')}`;
        // A body that is no body: who calls is checked before it is read.
        const body = method === 'POST' ? '{' : undefined;
        const statuses = [];
        for (const token of [null, 'rubbish', late, member]) {
          statuses.push((await ops.send(method, url, body, token)).status);
        }
        expect([method, url, ...statuses]).toEqual([method, url, 401, 401, 401, 403]);
      }
    },
  );

  it('answers carry a request id that the log has too, and are never cached', async () => {
    const response = await ops.send('GET', '/api/runs');
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const entry = ops.logs.findLast(({ fields }) => fields['event'] === 'http_served');
    expect(entry?.fields).toMatchObject({ route: 'GET /runs', status: 200 });
    expect(entry?.fields['requestId']).toBe(response.headers.get('x-request-id'));
  });
});
