import { describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { SyncError } from '../../src/lib/errors.ts';
import type { LogFields } from '../../src/lib/log.ts';
import { makeTwoWayLogs } from '../../src/twoway/logs.ts';
import type { TwoWayRecord } from '../../src/twoway/ports.ts';
import {
  compareEditTimes,
  dateOf,
  isGivenUp,
  isSameJson,
  makeEditTime,
  makeQueueItem,
  type PathEnd,
  partsOf,
  type QueueItem,
  reviveItem,
  type SettledEdit,
  settlePaths,
  toEditTime,
} from '../../src/twoway/queue.ts';

const NOW = new Date('2026-11-20T10:00:00Z');
const LATER = new Date('2026-11-21T10:00:00Z');
const DAY_MS = 24 * 3_600_000;
const EMAIL = 'profile.email';
const PHONE = 'profile.phone';

const item = (given: Partial<QueueItem> = {}): QueueItem => ({
  ...makeQueueItem(
    {
      id: 'edit-1',
      kennitala: '0101002008' as Kennitala,
      djangoId: 7,
      action: 'update',
      changes: { [EMAIL]: { oldValue: 'a', newValue: 'b' }, [PHONE]: { oldValue: '1', newValue: '2' } },
      editedAt: toEditTime(NOW),
      isContinuation: true,
    },
    NOW,
  ),
  ...given,
});

describe('the time of an edit', () => {
  it('sorts as text to the nanosecond, and is a date cut to the millisecond', () => {
    const times = [
      makeEditTime(9, 0),
      makeEditTime(10, 5),
      makeEditTime(10, 40),
      makeEditTime(10, 999_999_999),
    ];
    expect(times.toReversed().sort()).toEqual(times);
    expect(partsOf(makeEditTime(10, 40))).toEqual({ seconds: 10, nanoseconds: 40 });
    expect(dateOf(makeEditTime(10, 999_999_999))).toEqual(new Date(10_999));
    for (const date of [NOW, new Date(1), new Date(1_999)]) expect(dateOf(toEditTime(date))).toEqual(date);
    const [first, second] = times as [never, never];
    expect([
      compareEditTimes(first, second),
      compareEditTimes(second, first),
      compareEditTimes(first, first),
    ]).toEqual([-1, 1, 0]);
  });
});

describe('two values of a field', () => {
  it.each([
    [EMAIL, 'a@b.is', 'a@b.is', true],
    [EMAIL, 'a@b.is', 'c@d.is', false],
    [PHONE, '555 1234', '5551234', true],
    [EMAIL, { not: 'read' }, { not: 'read' }, true],
    [EMAIL, { not: 'read' }, 'a@b.is', false],
    ['profile.unknown', [1], [1], true],
    ['profile.unknown', [1], [2], false],
  ])('%s: %j and %j are the same: %j', (path, one, other, expected) => {
    expect(isSameJson(path, one, other)).toBe(expected);
  });
});

describe('an item of the queue', () => {
  const endOf = (ends: Record<string, PathEnd>) => (path: string) => ends[path] ?? null;

  it('waits at first for three days of tries', () => {
    expect(item()).toMatchObject({
      status: 'pending',
      settled: {},
      createdAt: NOW,
      nextAttemptAt: NOW,
      retryUntil: new Date(NOW.getTime() + 3 * DAY_MS),
      retryCount: 0,
      deliveries: 0,
      syncedAt: null,
      errorMessage: null,
      claim: null,
      delivery: null,
    });
  });

  it('is the same where nothing of it ends, and keeps waiting where a part does', () => {
    const before = item({ errorMessage: 'registry_timeout: slow' });
    expect(settlePaths(before, () => null, LATER)).toBe(before);
    const partly = settlePaths(
      before,
      endOf({ [EMAIL]: { outcome: 'failed', message: 'no', oldValue: 'x' } }),
      LATER,
    );
    expect(partly).toMatchObject({
      status: 'pending',
      changes: { [PHONE]: { oldValue: '1', newValue: '2' } },
      settled: { [EMAIL]: { oldValue: 'x', newValue: 'b', outcome: 'failed' } },
      errorMessage: 'no',
      syncedAt: null,
    });
    expect(partly.changes).not.toHaveProperty([EMAIL]);
  });

  it.each([
    [['synced', 'synced'], 'synced', LATER, null],
    [['superseded', 'cancelled'], 'synced', LATER, null],
    [['synced', 'conflict'], 'conflict', null, 'before'],
    [['conflict', 'failed'], 'failed', null, 'before'],
  ] as const)('of which %j ends as %s', (outcomes, status, syncedAt, errorMessage) => {
    const [email, phone] = outcomes;
    const claim = { owner: 'me', expiresAt: LATER };
    const ended = settlePaths(
      item({ errorMessage: 'before', claim }),
      endOf({ [EMAIL]: { outcome: email }, [PHONE]: { outcome: phone } }),
      LATER,
    );
    expect(ended).toMatchObject({ status, syncedAt, errorMessage, changes: {}, claim: null, delivery: null });
    expect(ended.settled[EMAIL]).toEqual({ oldValue: 'a', newValue: 'b', outcome: email });
  });

  it('is given up once an operator has said so of a dead letter', () => {
    expect(isGivenUp({ status: 'failed', syncedAt: NOW })).toBe(true);
    expect(isGivenUp({ status: 'failed', syncedAt: null })).toBe(false);
    expect(isGivenUp({ status: 'synced', syncedAt: NOW })).toBe(false);
  });
});

describe('an edit that is revived', () => {
  const ended = (outcome: SettledEdit['outcome']): SettledEdit => ({ oldValue: 'a', newValue: 'b', outcome });
  const dead = (given: Partial<QueueItem> = {}) =>
    item({
      changes: {},
      settled: { [EMAIL]: ended('failed'), [PHONE]: ended('synced') },
      status: 'failed',
      errorMessage: 'no',
      retryCount: 9,
      ...given,
    });

  it('waits for another three days with what had failed of it', () => {
    expect(reviveItem(dead({ syncedAt: NOW }), { now: LATER, later: [] })).toMatchObject({
      status: 'pending',
      changes: { [EMAIL]: { oldValue: 'a', newValue: 'b' } },
      settled: { [PHONE]: { outcome: 'synced' } },
      errorMessage: null,
      syncedAt: null,
      retryCount: 0,
      nextAttemptAt: LATER,
      retryUntil: new Date(LATER.getTime() + 3 * DAY_MS),
      isContinuation: true,
    });
  });

  it('starts from what the registry holds, where it had lost a conflict', () => {
    const lost = dead({ settled: { [EMAIL]: ended('conflict'), [PHONE]: ended('failed') } });
    expect(reviveItem(lost, { now: LATER, later: [], from: { [EMAIL]: 'theirs' } })).toMatchObject({
      changes: { [EMAIL]: { oldValue: 'theirs', newValue: 'b' } },
      settled: { [PHONE]: { outcome: 'failed' } },
      isContinuation: false,
    });
  });

  it('keeps what of it waits still', () => {
    const changes = { [PHONE]: { oldValue: '1', newValue: '2' } };
    const partly = dead({ changes, settled: { [EMAIL]: ended('conflict') }, status: 'pending' });
    expect(reviveItem(partly, { now: LATER, later: [], from: { [EMAIL]: 'theirs' } }).changes).toEqual({
      ...changes,
      [EMAIL]: { oldValue: 'theirs', newValue: 'b' },
    });
  });

  const after = toEditTime(LATER);
  it.each([
    ['said something later that waits', item({ editedAt: after }), true],
    [
      'said something later that was synced',
      dead({ editedAt: after, settled: { [EMAIL]: ended('synced') } }),
      true,
    ],
    ['said something later that failed', dead({ editedAt: after }), false],
    [
      'said something later of another field',
      dead({ editedAt: after, settled: { [PHONE]: ended('synced') } }),
      false,
    ],
    ['said something at the same time', item(), false],
  ])('gives way where the member %s', (_what, other, isSuperseded) => {
    const revived = reviveItem(dead(), { now: LATER, later: [other] });
    expect(revived.settled[EMAIL]?.outcome).toBe(isSuperseded ? 'superseded' : undefined);
    expect(revived.status).toBe(isSuperseded ? 'synced' : 'pending');
  });
});

describe('a given consent that is revived', () => {
  const CONSENT = 'profile.reachable';
  const dead = (isOn: boolean, hours: number): QueueItem =>
    item({
      editedAt: toEditTime(new Date(NOW.getTime() + hours * 3_600_000)),
      changes: {},
      settled: { [CONSENT]: { oldValue: !isOn, newValue: isOn, outcome: 'failed' } },
      status: 'failed',
    });
  const given = dead(true, 0);

  it('gives way to a later withdrawal, also to one that has failed', () => {
    const revived = reviveItem(given, { now: LATER, later: [given, dead(false, 1)] });
    expect(revived).toMatchObject({ status: 'synced', settled: { [CONSENT]: { outcome: 'superseded' } } });
    expect(reviveItem(given, { now: LATER, later: [given, dead(true, 1)] }).status).toBe('pending');
    expect(reviveItem(dead(false, 0), { now: LATER, later: [dead(true, 1)] }).status).toBe('pending');
  });

  it('stays a dead letter where a later withdrawal may have been delivered and forgotten', () => {
    const days = (n: number) => ({ now: new Date(NOW.getTime() + n * DAY_MS), later: [] });
    expect(reviveItem(given, days(30)).status).toBe('pending');
    expect(reviveItem(given, days(31))).toMatchObject({ status: 'failed', syncedAt: null });
    expect(reviveItem(given, days(31)).errorMessage).toContain('so long ago');
    expect(reviveItem(dead(false, 0), days(31)).status).toBe('pending');
  });
});

describe('the log of the way back', () => {
  const failure = new SyncError('store_unavailable', 'gone');
  const record = {
    id: 'run-1',
    status: 'success',
    errorCode: null,
    firestoreToDjango: { success: 1, failed: 2 },
    djangoToFirestore: { success: 3, failed: 4 },
    conflicts: 5,
  } as TwoWayRecord;
  const counts = { runId: 'run-1', sent: 1, sendFailed: 2, received: 3, receiveFailed: 4, conflicts: 5 };

  it.each<[(logs: ReturnType<typeof makeTwoWayLogs>) => void, string, string, LogFields]>([
    [
      (logs) => logs.tracked('m_1', [EMAIL]),
      'INFO',
      'A member edited their own fields',
      { event: 'edit_tracked', member: 'm_1', paths: [EMAIL] },
    ],
    [
      (logs) => logs.ofNobody('m_1'),
      'NOTICE',
      'An edit is left: its document was erased or deleted meanwhile',
      { event: 'edit_of_nobody', member: 'm_1' },
    ],
    [
      (logs) => logs.revived('m_1'),
      'WARNING',
      'A delivery that had been left is taken up again',
      { event: 'claim_revived', member: 'm_1' },
    ],
    [
      (logs) => logs.moved('m_1', 'm_2'),
      'NOTICE',
      "A member's waiting edits follow a corrected number",
      { event: 'edits_moved', member: 'm_1', to: 'm_2' },
    ],
    [
      (logs) => logs.delivered(1, 2, 30),
      'INFO',
      '2 deliveries to the registry for 1 member',
      { event: 'edits_delivered', members: 1, synced: 2, milliseconds: 30 },
    ],
    [
      (logs) => logs.delivered(2, 1, 30),
      'INFO',
      '1 delivery to the registry for 2 members',
      { event: 'edits_delivered', members: 2, synced: 1, milliseconds: 30 },
    ],
    [
      (logs) => logs.conflict('m_1', 'edit-1', [EMAIL]),
      'WARNING',
      'Both sides changed: look at sync_conflicts',
      { event: 'edit_conflict', member: 'm_1', conflict: 'edit-1', paths: [EMAIL] },
    ],
    [
      (logs) => logs.refused('m_1', 'edit-1', null, [EMAIL]),
      'ERROR',
      'The registry refused an edit: without a code',
      { event: 'edit_refused', member: 'm_1', change: 'edit-1', code: null, paths: [EMAIL] },
    ],
    [
      (logs) => logs.refused('m_1', 'edit-1', 'invalid_value', [EMAIL]),
      'ERROR',
      'The registry refused an edit: invalid_value',
      { event: 'edit_refused', member: 'm_1', change: 'edit-1', code: 'invalid_value', paths: [EMAIL] },
    ],
    [
      (logs) => logs.waiting('m_1', 'registry_timeout', NOW),
      'WARNING',
      'An edit waits: registry_timeout',
      { event: 'edit_waits', member: 'm_1', code: 'registry_timeout', until: NOW.toISOString() },
    ],
    [
      (logs) => logs.dead('m_1', 'edit-1', 'registry_timeout'),
      'ERROR',
      'An edit is given up after three days: registry_timeout',
      { event: 'edit_dead', member: 'm_1', change: 'edit-1', code: 'registry_timeout' },
    ],
    [
      (logs) => logs.notPulled(7, 'member_invalid'),
      'ERROR',
      'A change of the registry could not be applied: member_invalid',
      { event: 'change_not_pulled', row: 7, code: 'member_invalid' },
    ],
    [
      (logs) => logs.finished(record),
      'INFO',
      'Run ended: success',
      { event: 'two_way_run', code: null, ...counts },
    ],
    [
      (logs) => logs.finished({ ...record, status: 'partial', errorCode: 'registry_timeout' }),
      'ERROR',
      'Run ended: partial',
      { event: 'two_way_run', code: 'registry_timeout', ...counts },
    ],
    [
      (logs) => logs.resolved('m_1', 'edit-1', EMAIL, 'portal'),
      'NOTICE',
      'A conflict was decided',
      { event: 'conflict_resolved', member: 'm_1', conflict: 'edit-1', path: EMAIL, keep: 'portal' },
    ],
    [
      (logs) => logs.crashed('at run'),
      'ERROR',
      'Unexpected failure',
      { event: 'two_way_failed', stack: 'at run' },
    ],
    [
      (logs) => logs.recordLost(failure),
      'ERROR',
      'The record of the run could not be written: store_unavailable',
      { event: 'record_lost', code: 'store_unavailable' },
    ],
  ])('says %s', (tell, severity, message, fields) => {
    const lines: unknown[] = [];
    tell(makeTwoWayLogs((...line) => lines.push(line)));
    expect(lines).toEqual([[severity, `[TWO-WAY] ${message}`, fields]]);
  });
});
