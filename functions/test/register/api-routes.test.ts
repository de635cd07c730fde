import { beforeEach, describe, expect, it } from 'vitest';
import { SyncError } from '../../src/lib/errors.ts';
import { LIMITS_PER_MINUTE } from '../../src/register/api/routes.ts';
import type { SyncLogEntry } from '../../src/register/ports.ts';
import {
  ago,
  entry,
  makeScriptedApi,
  NOW,
  report,
  type ScriptedApi,
  wireEntry,
} from './support/scripted-api.ts';

let api: ScriptedApi;
beforeEach(() => {
  api = makeScriptedApi();
});

describe('GET /health', () => {
  it('asks nobody and nothing, with ?deep=0 too', async () => {
    api.reader.readSchema = () => Promise.reject(new Error('asked'));
    for (const path of ['/health', '/health?deep=0'])
      expect(await api.send(path)).toEqual({
        status: 200,
        body: { status: 'healthy', service: 'membership-sync' },
      });
    expect(api.who).toEqual([]);
  });

  const unreachable = new SyncError('registry_unreachable', 'away');
  interface Is {
    readonly schema?: { readonly version: number; readonly needed: number };
    readonly database?: SyncError;
    readonly registry?: SyncError;
  }
  it.each<[string, Is, number, string, string, object | null, string]>([
    ['all is well', {}, 200, 'healthy', 'ok', { version: 4, needed: 4 }, 'ok'],
    [
      'the schema is newer',
      { schema: { version: 5, needed: 4 } },
      200,
      'healthy',
      'ok',
      { version: 5, needed: 4 },
      'ok',
    ],
    [
      'the schema is older',
      { schema: { version: 3, needed: 4 } },
      503,
      'unhealthy',
      'ok',
      { version: 3, needed: 4 },
      'ok',
    ],
    [
      'the registry is away',
      { registry: unreachable },
      503,
      'unhealthy',
      'ok',
      { version: 4, needed: 4 },
      'registry_unreachable',
    ],
    [
      'the database is away',
      { database: new SyncError('database_unavailable', 'away') },
      503,
      'unhealthy',
      'database_unavailable',
      null,
      'ok',
    ],
  ])('?deep=1 where %s', async (_what, is, status, verdict, database, schema, registry) => {
    const { schema: held = { version: 4, needed: 4 }, database: fault, registry: away } = is;
    api.reader.readSchema = () => (fault ? Promise.reject(fault) : Promise.resolve(held));
    api.given.checkRegistry = () => (away ? Promise.reject(away) : Promise.resolve());
    const { status: answered, body } = await api.send('/health?deep=1');
    expect([answered, api.who]).toEqual([status, ['admin']]);
    expect(body).toMatchObject({
      status: verdict,
      service: 'membership-sync',
      checks: { database, schema, registry },
    });
  });

  it('takes no other word', async () => {
    expect((await api.send('/health?deep=2')).status).toBe(400);
    expect((await api.send('/health?more=1')).status).toBe(400);
  });
});

describe('POST /sync', () => {
  const approve = { planId: 'a'.repeat(64), operator: 'Operator', reason: 'They left.' };
  it.each<[string, object, object]>([
    ['/sync', {}, { dryRun: false, approve: undefined, requestedBy: 'admin' }],
    ['/sync', { approve }, { dryRun: false, approve, requestedBy: 'admin' }],
    ['/sync/dry-run', {}, { dryRun: true, requestedBy: 'admin' }],
  ])('%s with %j runs for whoever asked', async (path, body, request) => {
    const { status, body: answer } = await api.send(path, body);
    expect([status, answer.record.runId, answer.samples, api.who]).toEqual([200, 'run-1', null, ['admin']]);
    expect(api.asked).toEqual([['run', request]]);
  });

  it('answers a few of each kind, and no trace of a fault', async () => {
    const samples = { added: ['m_1'], reactivated: ['m_2'], updated: ['m_3'], removed: ['m_4'] };
    api.given.run = async () => report({ errorStack: 'at run' }, { samples });
    const { body } = await api.send('/sync', {});
    expect(body.samples).toEqual(samples);
    expect(body.record).not.toHaveProperty('errorStack');
  });

  it('answers a run that failed by its code, with the report', async () => {
    api.given.run = async () =>
      report({ status: 'error', outcome: 'blocked', errorCode: 'guard_tripped', error: 'Too many.' });
    expect(await api.send('/sync', {})).toMatchObject({
      status: 422,
      body: { code: 'guard_tripped', detail: 'Too many.', record: { outcome: 'blocked' } },
    });
  });

  it('refuses what a dry run does not take', async () => {
    expect((await api.send('/sync/dry-run', { approve })).status).toBe(400);
    expect((await api.send('/sync', { force: true })).status).toBe(400);
    expect(api.asked).toEqual([]);
  });

  it('is for ten a minute, and reading is for more', () => {
    expect(LIMITS_PER_MINUTE).toEqual({ caller: 120, runs: 10, address: 300 });
  });
});

describe('GET /sync/status', () => {
  const status = (lastRun: SyncLogEntry | null, lastSuccess: SyncLogEntry | null = null) => {
    api.reader.readStatus = async () => ({
      lastRun,
      lastSuccess,
      active: 5,
      inactive: 6,
      waitingNotifications: 7,
    });
    return api.send('/sync/status');
  };

  it('is of nothing before the first run', async () => {
    expect(await status(null)).toEqual({
      status: 200,
      body: {
        running: false,
        last_run: null,
        last_success: null,
        age_seconds: null,
        active_members: 5,
        inactive_members: 6,
        waiting_notifications: 7,
      },
    });
    expect(api.who).toEqual(['admin']);
  });

  it('is the last run, the last success, and how old that is', async () => {
    expect((await status(entry(2, { status: 'failed' }), entry(1))).body).toMatchObject({
      running: false,
      last_run: wireEntry(2, { status: 'failed' }),
      last_success: wireEntry(1),
      age_seconds: 100,
    });
    const soon = entry(1, { sync_timestamp: new Date(NOW.getTime() + 5_000) });
    expect((await status(null, soon)).body.age_seconds).toBe(0);
    expect(
      (await status(null, entry(1, { sync_timestamp: new Date(NOW.getTime() - 1_600) }))).body.age_seconds,
    ).toBe(2);
  });

  it.each([
    ['pending', 149, true],
    ['pending', 150, false],
    ['success', 1, false],
    ['failed', 1, false],
  ] as const)(
    'of a run that is %s since %i seconds says whether one is under way: %j',
    async (is, seconds, expected) => {
      const { body } = await status(entry(1, { status: is, sync_timestamp: ago(seconds) }));
      expect(body.running).toBe(expected);
    },
  );
});
