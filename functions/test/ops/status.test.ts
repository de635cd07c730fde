import { Timestamp } from 'firebase-admin/firestore';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MirrorName } from '../../src/mirror/mirror.ts';
import type { MirrorState } from '../../src/ops/ports.ts';
import { judgeMirror } from '../../src/ops/status.ts';
import { type Body, type OpsStack, startOpsStack } from '../support/api-stack.ts';

const NOW = new Date('2026-11-23T08:00:00Z');
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ago = (milliseconds: number) => new Date(NOW.getTime() - milliseconds);
const ran = (outcome: 'published' | 'failed' | 'blocked' | 'partial', at = ago(HOUR_MS)) => ({
  runId: 'r',
  outcome,
  errorCode: null,
  at,
});
const succeeded = (at: Date) => ({ runId: 'r', at, memberCount: 7 });
const FRESH: MirrorState = {
  lastRun: ran('published'),
  lastSuccess: succeeded(ago(HOUR_MS)),
  members: 7,
  lease: null,
  pause: null,
  registry: null,
};
const paused = (at: Date) => ({ reason: 'why', by: 'who', at });

describe('the health of a mirror', () => {
  it.each<[string, MirrorName, Partial<MirrorState>, string[]]>([
    ['after a success', 'roster', {}, []],
    ['that never ran', 'roster', { lastRun: null, lastSuccess: null }, ['never_run']],
    ['eight days old, the roster', 'roster', { lastSuccess: succeeded(ago(8 * DAY_MS)) }, []],
    [
      'over eight days old, the roster',
      'roster',
      { lastSuccess: succeeded(ago(8 * DAY_MS + 1_000)) },
      ['overdue'],
    ],
    [
      'over two days old, the portal',
      'portal',
      { lastSuccess: succeeded(ago(2 * DAY_MS + 1_000)) },
      ['overdue'],
    ],
    [
      'over three hours old, the register',
      'register',
      { lastSuccess: succeeded(ago(4 * HOUR_MS)) },
      ['overdue'],
    ],
    ['whose last run failed', 'roster', { lastRun: ran('failed') }, ['last_run_failed']],
    ['whose last run was refused', 'roster', { lastRun: ran('blocked') }, ['last_run_blocked']],
    ['whose last run ended half-way', 'portal', { lastRun: ran('partial') }, ['last_run_partial']],
    [
      'with a run under way',
      'roster',
      { lease: { runId: 'r', expiresAt: ago(-60_000), isWriting: false } },
      [],
    ],
    [
      'with a run that crashed',
      'roster',
      { lease: { runId: 'r', expiresAt: ago(1), isWriting: false } },
      ['run_crashed'],
    ],
    ['that is paused', 'roster', { pause: paused(ago(DAY_MS)) }, ['paused']],
    [
      'paused for over a week',
      'roster',
      { pause: paused(ago(7 * DAY_MS + 1_000)) },
      ['paused', 'paused_too_long'],
    ],
  ])('%s', (_what, mirror, state, why) => {
    const judged = judgeMirror(mirror, { ...FRESH, ...state }, true, NOW);
    expect([judged.healthy, judged.why]).toEqual([why.length === 0, why]);
  });

  it('is not judged where the mirror is not configured', () => {
    const nothing = {
      lastRun: null,
      lastSuccess: null,
      members: null,
      lease: null,
      pause: null,
      registry: null,
    };
    expect(judgeMirror('register', nothing, false, NOW)).toMatchObject({ healthy: null, why: [] });
  });
});

describe('what real time left in the portal', () => {
  const judge = (aheadOfRegistry: number, hintAgeMs: number | null) =>
    judgeMirror('portal', FRESH, true, NOW, {
      aheadOfRegistry,
      oldestHintAt: hintAgeMs === null ? null : ago(hintAgeMs),
    });

  it.each([
    ['nothing', 0, null, []],
    ['members ahead of the registry', 2, null, ['ahead_of_registry']],
    ['a hint that the next reconcile decides', 0, DAY_MS, []],
    ['a hint that two reconciles should have decided', 0, 2 * DAY_MS + 1_000, ['hints_unconfirmed']],
  ])('%s', (_what, ahead, age, why) => {
    expect(judge(ahead, age)).toMatchObject({ why, healthy: why.length === 0 });
  });
});

describe('GET /status and /series', () => {
  let ops: OpsStack;
  beforeEach(async () => {
    ops = await startOpsStack({ members: 30 });
  });
  afterEach(async () => {
    await ops.close();
  });
  const get = async (path: string): Promise<Body> => (await ops.call('GET', path)).body;
  const mirrorOf = (body: Body, name: string) => body.mirrors.find(({ mirror }: Body) => mirror === name);

  it('tells of an empty system that the roster never ran', async () => {
    const body = await get('/status');
    expect(body.healthy).toBe(false);
    expect(mirrorOf(body, 'roster')).toMatchObject({ healthy: false, why: ['never_run'], members: null });
    expect(mirrorOf(body, 'portal').healthy).toBeNull();
    expect(body.twoWay).toMatchObject({ healthy: true, pending: 0, deadLetters: 0, openConflicts: 0 });
  });

  it('is healthy after a run, and shows who paused it', async () => {
    await ops.call('POST', '/runs', { mirror: 'roster' });
    const fresh = await get('/status');
    expect(fresh.healthy).toBe(true);
    expect(mirrorOf(fresh, 'roster')).toMatchObject({ members: 30, lastRun: { outcome: 'published' } });
    await ops.call('POST', '/mirrors/roster/pause', { reason: 'Look' });
    expect(mirrorOf(await get('/status'), 'roster')).toMatchObject({
      why: ['paused'],
      paused: { reason: 'Look', by: 'operator' },
    });
  });

  it('counts what waits on the way back, and what no event had announced', async () => {
    const at = (days: number) => Timestamp.fromMillis(Date.now() - days * DAY_MS);
    const at4 = at(4);
    const run = (id: string, days: number, outcome: string, created: number) =>
      ops.db.doc(`sync_audit/${id}`).set({
        runId: id,
        mirror: 'portal',
        outcome,
        timestamp: at(days),
        missedEvents: { created, updated: 1, deleted: 0 },
      });
    await Promise.all([
      run('p1', 1, 'published', 2),
      run('p2', 20, 'partial', 3),
      run('p3', 40, 'published', 5),
      run('p4', 2, 'dry-run', 7),
      ops.db.doc('sync_queue/a').set({ sync_status: 'pending', created_at: at(0.5) }),
      ops.db.doc('sync_queue/b').set({ sync_status: 'failed', synced_at: null, created_at: at(3) }),
      ops.db.doc('sync_queue/c').set({ sync_status: 'failed', synced_at: null, created_at: at4 }),
      ops.db.doc('sync_queue/given-up').set({ sync_status: 'failed', synced_at: at(1), created_at: at(6) }),
      ops.db.doc('sync_queue/d').set({ sync_status: 'synced', created_at: at(5) }),
      ops.db.doc('sync_conflicts/e').set({ state: 'open', detected_at: at(1) }),
      ops.db.doc('sync_conflicts/f').set({ state: 'resolved', detected_at: at(9) }),
      ops.db.doc('sync_logs/g').set({ status: 'error', started_at: at(0.2) }),
    ]);
    const { twoWay, missedEvents, healthy } = await get('/status');
    expect(healthy).toBe(false);
    expect(twoWay).toMatchObject({
      pending: 1,
      deadLetters: 2,
      openConflicts: 1,
      oldestDeadLetterAt: at4.toDate().toISOString(),
      why: ['dead_letters_waiting', 'conflicts_waiting', 'queue_stuck', 'last_sweep_failed'],
    });
    expect(missedEvents).toEqual({
      last7Days: { created: 2, updated: 1, deleted: 0 },
      last30Days: { created: 5, updated: 2, deleted: 0 },
    });
  });

  it('gives a row for every day, with what its runs found', async () => {
    await ops.call('POST', '/runs', { mirror: 'roster' });
    await ops.call('POST', '/runs', { mirror: 'roster', dryRun: true });
    ops.registry.acceptToken('another');
    await ops.call('POST', '/runs', { mirror: 'roster' });
    await ops.call('POST', '/mirrors/roster/pause', { reason: 'Look' });
    await ops.run({ trigger: 'schedule' });
    await ops.db.doc('sync_logs/a').set({
      status: 'success',
      started_at: Timestamp.now(),
      firestore_to_django: { success: 3, failed: 1 },
      django_to_firestore: { success: 2, failed: 0 },
      conflicts: 1,
    });
    await ops.db.doc('sync_queue/b').set({ sync_status: 'failed', created_at: Timestamp.now() });
    const { days, truncated } = await get('/series?days=7');
    expect(days).toHaveLength(7);
    expect(truncated).toBe(false);
    expect(days.at(-1)).toMatchObject({
      day: new Date().toISOString().slice(0, 10),
      roster: { members: 30, runs: 2, failed: 1, skipped: 1, added: 30 },
      twoWay: { sent: 3, received: 2, conflicts: 1, failed: 1 },
      deadLetters: 1,
    });
    expect(days[0]).toMatchObject({ roster: { members: null, runs: 0 }, deadLetters: 0 });
    expect((await get('/series')).days).toHaveLength(90);
  });

  it('is a 503 when the store does not answer, never an all-clear', async () => {
    ops.firestore.failNext({ code: 7, times: 50 });
    expect((await ops.call('GET', '/status')).status).toBe(503);
  });
});
