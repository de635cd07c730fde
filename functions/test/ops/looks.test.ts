import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SyncError } from '../../src/lib/errors.ts';
import { opsRoutes } from '../../src/ops/routes.ts';
import { type OpsStack, startOpsStack } from '../support/api-stack.ts';
import { joinEverywhere, type Traces } from './support/leave-traces.ts';

let ops: OpsStack;
let person: Traces;
let runId: string;
beforeAll(async () => {
  ops = await startOpsStack({ members: 20 });
  person = await joinEverywhere(ops);
  runId = (await ops.db.collection('sync_audit').get()).docs[0]?.id ?? '';
});
afterAll(async () => {
  await ops.close();
});

/** Whether a route shows who somebody is or what they wrote; then nothing of it is had unless the look is recorded. */
const ROUTES: Readonly<Record<string, 'personal' | 'nobody'>> = {
  'GET /status': 'nobody',
  'GET /runs': 'nobody',
  'POST /runs': 'nobody',
  'GET /runs/:id': 'nobody',
  'GET /runs/:id/changes': 'personal',
  'GET /runs/:id/people': 'personal',
  // Counts by age, area and year: of a run of one person they tell of that person.
  'GET /runs/:id/groups': 'personal',
  'GET /roster/versions': 'nobody',
  'POST /roster/rollback': 'nobody',
  'POST /mirrors/:name/pause': 'nobody',
  'POST /mirrors/:name/resume': 'nobody',
  'GET /mirrors/:name/pauses': 'nobody',
  'POST /members/sync': 'personal',
  // It answers a run's counts; whose word was taken is on record all the same.
  'POST /portal/registry-word': 'nobody',
  'POST /two-way/runs': 'nobody',
  'POST /explain': 'personal',
  'GET /series': 'nobody',
  'POST /verify': 'nobody',
  'POST /proof': 'nobody',
  'POST /roll': 'personal',
  'POST /roll/compare': 'personal',
  'GET /rolls': 'nobody',
  'POST /rolls': 'nobody',
  'GET /queue': 'nobody',
  'GET /queue/:id': 'personal',
  'POST /queue/:id/retry': 'nobody',
  'POST /queue/:id/fail': 'nobody',
  'GET /conflicts': 'nobody',
  'GET /conflicts/:id': 'personal',
  'POST /conflicts/:id/resolve': 'personal',
  'POST /erase': 'personal',
};

interface Operation {
  readonly summary?: string;
  readonly security?: unknown;
  readonly requestBody?: unknown;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const nameOf = ({ method, path }: { method: string; path: string }): string => `${method} ${path}`;

describe('every route of the operators’ API', () => {
  it('is known to show somebody or nobody', () => {
    expect(ops.routes.map(nameOf).toSorted()).toEqual(Object.keys(ROUTES).toSorted());
  });

  it('is in the table of docs/ops-api.md', () => {
    const text = readFileSync(new URL('../../../docs/ops-api.md', import.meta.url), 'utf8');
    const rows = text.split('\n').filter((line) => /^\| `(?:GET|POST) /.test(line));
    const told = rows.flatMap((row) => {
      const [, cell = ''] = row.split('|');
      // `POST /a/b`, `/c` stands for `POST /a/c` too; a query and a body come behind.
      const [first = '', ...others] = [...cell.matchAll(/`((?:GET |POST )?\/[^`? ]*)/g)].map(
        ([, name = '']) => name,
      );
      return [first, ...others.map((one) => (one.startsWith('/') ? first.replace(/\/\w+$/, one) : one))];
    });
    expect(told.toSorted()).toEqual(ops.routes.map(nameOf).toSorted());
  });

  it.each(['', '/api'])(
    'stands in %s/openapi.json, which says what it takes and who may call it',
    async (prefix) => {
      const response = await ops.send('GET', `${prefix}/openapi.json`);
      const document = (await response.json()) as Document;
      const described = Object.entries(document.paths).flatMap(([path, operations]) =>
        Object.keys(operations).map(
          (method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`,
        ),
      );
      expect(described.toSorted()).toEqual(ops.routes.map(nameOf).toSorted());
      for (const { summary, security, requestBody } of Object.values(document.paths).flatMap(Object.values)) {
        expect(summary).toMatch(/^[A-Z]/);
        expect(security).toEqual([{ firebase: [] }, { google: [] }]);
        expect(JSON.stringify(requestBody) ?? '').not.toContain('"schema":{}');
      }
      expect(document.paths['/explain']?.['post']?.requestBody).toMatchObject({
        content: { 'application/json': { schema: { properties: { kennitala: { type: 'string' } } } } },
      });
    },
  );

  it.each(['/openapi.json', '/docs'])('and nobody else is shown %s', async (path) => {
    expect((await ops.send('GET', path, undefined, null)).status).toBe(401);
    expect((await ops.send('GET', path, undefined, ops.tokenOf({ roles: ['member'] }))).status).toBe(403);
    expect((await ops.send('GET', path)).status).toBe(200);
  });

  const SHOWN: [string, () => Record<string, string>, () => Record<string, unknown>][] = [
    ['GET /runs/:id/changes', () => ({ id: runId }), () => ({})],
    ['GET /runs/:id/people', () => ({ id: runId }), () => ({})],
    ['GET /runs/:id/groups', () => ({ id: runId }), () => ({})],
    ['POST /explain', () => ({}), () => ({ kennitala: person.kennitala })],
    ['POST /members/sync', () => ({}), () => ({ kennitala: person.kennitala, dryRun: true })],
    ['GET /queue/:id', () => ({ id: `edit-of-${person.id}` }), () => ({})],
    ['GET /conflicts/:id', () => ({ id: `conflict-of-${person.id}` }), () => ({})],
    [
      'POST /conflicts/:id/resolve',
      () => ({ id: `conflict-of-${person.id}` }),
      () => ({ path: 'profile.email', keep: 'registry' }),
    ],
    ['POST /roll', () => ({}), () => ({ at: '2026-11-01T12:00', list: true })],
    ['POST /roll/compare', () => ({}), () => ({ from: '2026-10-01T12:00', to: '2026-11-01T12:00' })],
    ['POST /erase', () => ({}), () => ({ kennitala: person.kennitala, dryRun: true })],
  ];
  it('has a case below where it shows somebody', () => {
    const personal = Object.keys(ROUTES).filter((name) => ROUTES[name] === 'personal');
    expect(SHOWN.map(([name]) => name).toSorted()).toEqual(personal.toSorted());
  });

  it.each(SHOWN)('%s shows nothing when the look cannot be recorded', async (name, params, body) => {
    const { dependencies } = ops;
    const actions = {
      ...dependencies.actions,
      record: () => Promise.reject(new SyncError('audit_unavailable', 'Not recorded.')),
    };
    const routes = opsRoutes({
      ...dependencies,
      actions,
      explain: { ...dependencies.explain, actions },
      erase: { ...dependencies.erase, actions },
    });
    const route = routes.find((one) => nameOf(one) === name);
    await expect(
      route?.run({
        params: params(),
        query: {},
        rawBody: Buffer.from(JSON.stringify(body())),
        caller: { kind: 'person', id: 'admin' },
        requestId: 'r',
      }),
    ).rejects.toMatchObject({ code: 'audit_unavailable' });
  });

  it.each([
    ['GET', '/status'],
    ['GET', '/runs'],
    ['GET', '/queue'],
    ['GET', '/roster/versions'],
    ['GET', '/series'],
    ['GET', '/rolls'],
    ['POST', '/verify'],
    ['GET', '/mirrors/roster/pauses'],
  ] as const)('%s %s holds nobody’s number or contact, and is no look', async (method, path) => {
    const before = (await ops.actions()).length;
    const { status, body } = await ops.call(method, path);
    expect(status).toBe(200);
    expect(JSON.stringify(body)).not.toMatch(new RegExp(`${person.kennitala}|new@example`));
    expect(await ops.actions()).toHaveLength(before);
  });
});
