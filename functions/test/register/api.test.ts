import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ApiStack, startApiStack } from '../support/api-stack.ts';
import { makeKennitalas } from '../support/kennitalas.ts';

let stack: ApiStack;
beforeEach(async () => {
  stack = await startApiStack({ members: 40 });
});
afterEach(async () => {
  await stack.close();
});

const post = (path: string, body?: unknown, token = stack.key) =>
  stack.call(path, { method: 'POST', token, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });

describe('running a sync', () => {
  it('POST /sync runs now and answers the record, with the key’s fingerprint and no more', async () => {
    const answer = await post('/sync');
    expect(answer).toMatchObject({
      status: 200,
      body: { record: { outcome: 'published', memberCount: 40 }, samples: { added: expect.any(Array) } },
    });
    expect(answer.body.record.requestedBy).toMatch(/^api-key [0-9a-f]{8}$/);
    expect(answer.text).not.toContain(stack.key);
    expect(await stack.members()).toHaveLength(40);
  });

  it('POST /sync/dry-run answers the plan, and its approval applies it', async () => {
    await post('/sync');
    for (let n = 0; n < 11; n += 1) stack.registry.deleteMember(stack.registry.randomMember());
    const refused = await post('/sync', {});
    expect(refused).toMatchObject({
      status: 422,
      body: { code: 'guard_tripped', record: { outcome: 'blocked' } },
    });
    const { body } = await post('/sync/dry-run', {});
    expect(body).toMatchObject({ record: { outcome: 'dry-run', changes: { removed: 11 } } });
    expect(body.samples.removed[0]).toMatch(/^m_[0-9a-f]{16}$/);
    const approve = { planId: body.record.planId, operator: 'Operator', reason: 'They left.' };
    expect(await post('/sync', { approve })).toMatchObject({
      status: 200,
      body: { record: { outcome: 'published' } },
    });
  });

  it('answers a registry that is down as 503 with its code', async () => {
    stack.registry.addFault({ status: 403 });
    expect(await post('/sync')).toMatchObject({ status: 503, body: { code: 'registry_unauthorized' } });
  });

  it.each([
    ['an unknown key', { force: true }],
    ['an approval without a reason', { approve: { planId: 'a'.repeat(64), operator: 'x' } }],
    ['a list', []],
  ])('refuses %s', async (_what, body) => {
    expect(await post('/sync', body)).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(await stack.syncLog()).toEqual([]);
  });

  it('reads a body as JSON whatever its type says, and refuses what is none', async () => {
    const approve = JSON.stringify({ approve: { planId: 'a'.repeat(64), operator: 'x', reason: 'y' } });
    const send = (body: string, type: string) =>
      stack.call('/sync', { method: 'POST', token: stack.key, body, headers: { 'content-type': type } });
    expect((await send('{', 'application/json')).status).toBe(400);
    expect((await send(`{"approve": "${'x'.repeat(70_000)}"}`, 'application/json')).status).toBe(413);
    expect(await stack.syncLog()).toEqual([]);
    const answers = [await send(approve, 'application/json'), await send(approve, 'text/plain')];
    expect(answers.map(({ body }) => body.code)).toEqual(['plan_changed', 'plan_changed']);
  });

  it('lets one caller start ten runs a minute', async () => {
    const answers = [];
    for (let n = 0; n < 11; n += 1) answers.push(await post('/sync', { force: n }));
    expect(answers.map(({ status }) => status)).toEqual([...Array(10).fill(400), 429]);
    expect(Number(answers[10]?.headers.get('retry-after'))).toBeGreaterThan(0);
    stack.advance(60_000);
    expect((await post('/sync', { force: 1 })).status).toBe(400);
  });
});

describe('GET /sync/status', () => {
  it('says that nothing has run yet', async () => {
    const { body } = await stack.call('/sync/status', { token: stack.key });
    expect(body).toEqual({
      running: false,
      last_run: null,
      last_success: null,
      age_seconds: null,
      active_members: 0,
      inactive_members: 0,
      waiting_notifications: 0,
    });
  });

  it('tells the last run from the last success, and its age', async () => {
    await stack.run();
    stack.advance(3_600_000);
    stack.registry.addFault({ status: 403 });
    await stack.run();
    const { body } = await stack.call('/sync/status', { token: stack.key });
    expect(body).toMatchObject({
      running: false,
      last_run: { status: 'failed', details: { code: 'registry_unauthorized' } },
      last_success: { status: 'success', members_added: 40 },
      active_members: 40,
    });
    expect(body.age_seconds).toBeGreaterThanOrEqual(3_600);
  });

  it('says while a run is under way, and not for one that crashed', async () => {
    await stack.postgres.sql(
      `insert into public.sync_log (sync_type, status, sync_timestamp) values ('membership', 'pending', $1)`,
      [stack.dependencies.now()],
    );
    expect((await stack.call('/sync/status', { token: stack.key })).body.running).toBe(true);
    stack.advance(150_001);
    expect((await stack.call('/sync/status', { token: stack.key })).body.running).toBe(false);
  });
});

describe('GET /sync/logs', () => {
  it('pages newest first, and filters', async () => {
    for (let n = 0; n < 5; n += 1) await stack.run();
    await stack.run({ trigger: 'http' });
    const ids = [];
    for (let before: number | null = null; ; ) {
      const query = before === null ? '' : `&before=${before}`;
      const { body } = await stack.call(`/sync/logs?limit=2${query}`, { token: stack.key });
      ids.push(...body.logs.map(({ id }: { id: number }) => id));
      before = body.next;
      if (before === null) break;
    }
    expect(ids).toEqual([6, 5, 4, 3, 2, 1]);
    const manual = await stack.call('/sync/logs?type=manual&status=success', { token: stack.key });
    expect(manual.body).toMatchObject({ logs: [{ id: 6, sync_type: 'manual' }], next: null });
  });

  it.each([
    'limit=0',
    'limit=201',
    'limit=x',
    'before=-1',
    'status=odd',
    'type=odd',
    'order=asc',
    "before=1'or'1",
  ])('refuses ?%s', async (query) => {
    expect((await stack.call(`/sync/logs?${query}`, { token: stack.key })).status).toBe(400);
  });
});

describe('POST /members/eligibility of a moment', () => {
  const ask = (kennitalas: readonly string[], at: string) =>
    post('/members/eligibility', { kennitalas, at }, stack.service);

  it('tells by the list that was in force then, with its receipt, and that it is not known before the first', async () => {
    const [member = '', other = ''] = makeKennitalas(2);
    const text = `${member}\n`;
    const before = new Date().toISOString();
    const metadata = {
      syncedAt: new Date(),
      memberCount: 1,
      djangoExportedAt: null,
      runId: 'run-of-the-list',
    };
    const sha256 = createHash('sha256').update(text).digest('hex');
    await stack.list.publish(Buffer.from(text), { ...metadata, sha256, chainHead: null }, null);
    stack.advance(60_000);
    const at = new Date(Date.now() + 30_000).toISOString();
    const { status, body } = await ask([other, member], at);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      verified_at: null,
      members: [
        { kennitala: other, active: false, since: null },
        { kennitala: member, active: true, since: null },
      ],
      roll: { at, count: 1, sha256, run: null, chain: null },
    });
    const early = await ask([member], before);
    expect([early.status, early.body.code]).toEqual([404, 'roll_unknown']);
    const unclear = await ask([member], '2026-11-01');
    expect([unclear.status, unclear.body.code]).toEqual([400, 'invalid_request']);
  });
});

describe('POST /members/eligibility', () => {
  const ask = (kennitalas: readonly string[]) => post('/members/eligibility', { kennitalas }, stack.service);

  it('tells for each whether it is an active member and since when, in the order asked', async () => {
    const { record } = await stack.run();
    const wire = stack.registry.member(1);
    const gone = stack.registry.member(2);
    stack.registry.deleteMember(2);
    stack.advance(1_000);
    const second = await stack.run();
    const [stranger = ''] = makeKennitalas(1, 300_000);
    const hyphenated = `${wire.ssn.replace('-', '').slice(0, 6)}-${wire.ssn.slice(-4)}`;
    const { status, body } = await ask([stranger, hyphenated, gone.ssn]);
    expect(status).toBe(200);
    expect(body).toEqual({
      verified_at: second.record.timestamp.toISOString(),
      members: [
        { kennitala: stranger, active: false, since: null },
        { kennitala: wire.ssn.replace('-', ''), active: true, since: wire.date_joined },
        { kennitala: gone.ssn.replace('-', ''), active: false, since: null },
      ],
    });
    expect(record.outcome).toBe('published');
  });

  it('refuses the whole request for a number that cannot be read, naming the place and not the number', async () => {
    const answer = await ask([...makeKennitalas(1), '123456789']);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(answer.body.detail).toContain('kennitalas.1');
    expect(answer.text).not.toContain('123456789');
  });

  it('takes a thousand and refuses more, and none', async () => {
    expect((await ask(makeKennitalas(1_000))).body.members).toHaveLength(1_000);
    expect((await ask(makeKennitalas(1_001))).status).toBe(400);
    expect((await ask([])).status).toBe(400);
  });

  it('leaves no number in any log', async () => {
    const numbers = makeKennitalas(3);
    await ask(numbers);
    for (const number of numbers) expect(JSON.stringify(stack.logs)).not.toContain(number);
  });
});

describe('GET /sync/runs/{run}/changes', () => {
  it('lists the rows that the run changed, in pages', async () => {
    await stack.run();
    const pages = [];
    for (let after = 0; ; ) {
      const { body } = await stack.call(`/sync/runs/run-001/changes?limit=15&after=${after}`, {
        token: stack.service,
      });
      pages.push(body.changes.length);
      if (body.next === null) break;
      after = body.next;
    }
    expect(pages).toEqual([15, 15, 10]);
    const { body } = await stack.call('/sync/runs/run-001/changes?limit=1', { token: stack.service });
    expect(body.changes).toEqual([
      { member_id: 1, member: expect.stringMatching(/^m_[0-9a-f]{16}$/), kind: 'added' },
    ]);
  });
});

describe('health and documentation', () => {
  it('GET /health is open and touches nothing', async () => {
    stack.database.onStatement = () => {
      throw new Error('touched');
    };
    const { status, body } = await stack.call('/health');
    expect([status, body]).toEqual([200, { status: 'healthy', service: 'membership-sync' }]);
  });

  it('GET /health?deep=1 checks the database, its schema and the registry', async () => {
    const healthy = await stack.call('/health?deep=1', { token: stack.key });
    expect(healthy).toMatchObject({
      status: 200,
      body: { status: 'healthy', checks: { database: 'ok', registry: 'ok' } },
    });
    stack.registry.addFault({ status: 403 });
    await stack.postgres.sql('delete from public.schema_migrations where version = 4');
    const ill = await stack.call('/health?deep=1', { token: stack.key });
    expect(ill).toMatchObject({
      status: 503,
      body: {
        status: 'unhealthy',
        checks: { database: 'ok', schema: { version: 3, needed: 4 }, registry: 'registry_unauthorized' },
      },
    });
  });

  it('GET /openapi.json describes exactly the routes that are served', async () => {
    const { body } = await stack.call('/openapi.json');
    expect(body.openapi).toBe('3.1.0');
    expect(Object.keys(body.paths).sort()).toEqual([
      '/health',
      '/members/eligibility',
      '/sync',
      '/sync/dry-run',
      '/sync/logs',
      '/sync/runs/{run}/changes',
      '/sync/status',
    ]);
    expect(body.components.schemas.EligibilityRequest.properties.kennitalas).toMatchObject({
      maxItems: 1_000,
    });
  });

  it('GET /docs is one page that loads nothing from elsewhere', async () => {
    const { text, headers } = await stack.call('/docs');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(text).toContain('POST /members/eligibility');
    expect(text).not.toMatch(/<script|src=|https?:\/\/(?!www\.rfc)/);
  });

  it('an unknown address is 404, and every answer has a request id and is not cached', async () => {
    const answer = await stack.call('/nothing');
    expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(answer.body.requestId).toBe(answer.headers.get('x-request-id'));
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect((await stack.call('/health')).headers.get('cache-control')).toBe('no-store');
  });

  it('a fault that is not named is a bare 500 with a reference that the log carries', async () => {
    stack.database.onStatement = () => {
      throw new TypeError('kennitala 0101302989 is odd');
    };
    const answer = await stack.call('/sync/status', { token: stack.key });
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain('0101302989');
    expect(JSON.stringify(stack.logs)).toContain(answer.body.reference);
    expect(JSON.stringify(stack.logs)).not.toContain('0101302989');
  });
});
