import { describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { SyncError } from '../../src/lib/errors.ts';
import type { RunRecord } from '../../src/mirror/mirror.ts';
import { closeFailed, closeSkipped, openRecord } from '../../src/mirror/run-record.ts';
import type { OperatorAction, QueuedChange } from '../../src/ops/ports.ts';
import type { PortalNow, RegisterNow } from '../../src/ops/schemas.ts';
import {
  fromAction,
  fromConflict,
  fromPortal,
  fromQueue,
  fromReceipt,
  fromRegister,
  fromRunAboutAll,
  fromRunOfMember,
} from '../../src/ops/timeline.ts';
import type { ConflictRecord, PathConflict } from '../../src/twoway/conflict.ts';
import { toEditTime } from '../../src/twoway/queue.ts';
import { makeKennitalas } from '../support/kennitalas.ts';

const [KENNITALA] = makeKennitalas(1) as [Kennitala];
const AT = new Date('2026-11-23T03:00:00Z');
const LATER = new Date('2026-11-23T04:00:00Z');
const at = AT.toISOString();
const later = LATER.toISOString();

const opened = openRecord({
  runId: 'run-1',
  mirror: 'roster',
  trigger: 'schedule',
  startedAt: AT,
  approve: null,
  requestedBy: null,
});
const ended = (outcome: RunRecord['outcome'], more: Partial<RunRecord> = {}): RunRecord => ({
  ...opened,
  status: 'success',
  outcome,
  ...more,
});
const whatOf = (entries: readonly { what: string }[]) => entries.map(({ what }) => what);

describe('runs', () => {
  it('whose lists name the person say what they did, or would have done', () => {
    const refused = ended('blocked', {
      errorCode: 'guard_tripped',
      approvedBy: 'Jóna',
      guard: { tripped: true, findings: [{ rule: 'removed_total', count: 9, allowed: 1 }] },
    });
    expect(fromRunOfMember({ run: ended('published'), what: 'added' })).toEqual([
      {
        at,
        source: 'run',
        what: 'added',
        mirror: 'roster',
        runId: 'run-1',
        isPersonal: true,
        detail: {
          trigger: 'schedule',
          outcome: 'published',
          errorCode: null,
          rules: [],
          approvedBy: null,
          rollbackOf: null,
        },
      },
    ]);
    expect(fromRunOfMember({ run: refused, what: 'removed' })).toMatchObject([
      {
        what: 'blocked',
        detail: { errorCode: 'guard_tripped', rules: ['removed_total'], approvedBy: 'Jóna' },
      },
    ]);
    expect(whatOf(fromRunOfMember({ run: opened, what: 'removed' }))).toEqual(['removed']);
    expect(fromRunOfMember({ run: opened, what: 'removed' })[0]?.detail).toMatchObject({
      outcome: 'running',
    });
    expect(fromRunOfMember({ run: ended('dry-run'), what: 'removed' })).toEqual([]);
  });

  it.each<[what: string, run: RunRecord, expected: string[]]>([
    ['published', ended('published'), []],
    ['rolled back', ended('published', { rollbackOf: '7' }), ['rolled_back']],
    ['skipped by a pause', closeSkipped(opened, new SyncError('paused', 'x'), AT), ['skipped']],
    ['skipped for another run', closeSkipped(opened, new SyncError('lease_held', 'x'), AT), []],
    ['was refused', ended('blocked'), ['blocked']],
    ['failed', closeFailed(opened, new Error('x'), AT), ['failed']],
    ['ran out of time', ended('partial'), ['partial']],
    ['changed nothing', ended('unchanged'), []],
    ['was only looked at', ended('dry-run'), []],
    ['works still', opened, ['running']],
    ['ended without an outcome', { ...opened, status: 'error' }, ['failed']],
  ])('say of everybody what concerns everybody: one that %s', (_what, run, expected) => {
    const entries = fromRunAboutAll(run);
    expect(whatOf(entries)).toEqual(expected);
    for (const entry of entries)
      expect(entry).toMatchObject({ isPersonal: false, mirror: 'roster', runId: 'run-1' });
    if (run.rollbackOf !== undefined) expect(entries[0]?.detail).toMatchObject({ rollbackOf: '7' });
  });
});

describe('events of the registry', () => {
  it.each([
    ['applied', 'update', 'applied', 'update'],
    ['duplicate', 'create', 'duplicate', 'create'],
    ['an answer of an earlier version', 'delete', 'received', 'delete'],
    ['stale', 'an action of an earlier version', 'stale', undefined],
  ])('%s, %s', (result, action, what, said) => {
    expect(fromReceipt({ at: AT, result, action })).toMatchObject({
      at,
      source: 'webhook',
      what,
      mirror: 'portal',
      detail: { action: said },
    });
  });
});

describe('a member’s own edits', () => {
  const item = (facts: Partial<QueuedChange>): QueuedChange =>
    ({
      id: 'q1',
      action: 'update',
      changes: { 'profile.phone': 'x', 'profile.email': 'x' },
      settled: {},
      editedAt: toEditTime(AT),
      createdAt: AT,
      nextAttemptAt: LATER,
      retryCount: 2,
      status: 'pending',
      syncedAt: null,
      ...facts,
    }) as unknown as QueuedChange;
  const paths = ['profile.email', 'profile.phone'];

  it('that wait say until when, without a value', () => {
    const [edited, waits] = fromQueue(item({}));
    expect(edited).toMatchObject({ at, what: 'edited', detail: { id: 'q1', paths, retryCount: 2 } });
    expect(waits).toMatchObject({ at, what: 'edit_pending', detail: { nextAttemptAt: later, paths } });
  });

  it('that ended say how, and when', () => {
    const settled = { 'profile.email': 'x' } as never;
    expect(fromQueue(item({ status: 'synced', syncedAt: LATER, changes: {}, settled }))).toMatchObject([
      { at, what: 'edited', detail: { paths: ['profile.email'] } },
      { at: later, what: 'edit_synced' },
    ]);
    expect(whatOf(fromQueue(item({ status: 'failed' })))).toEqual(['edited', 'edit_failed']);
    expect(fromQueue(item({ status: 'failed' }))[1]?.at).toBe(later);
  });
});

describe('conflicts', () => {
  const disputed = (facts: Partial<PathConflict> = {}): PathConflict => ({
    expected: 'a',
    portal: { value: 'b', editedAt: AT },
    registry: { value: 'c', changedAt: null },
    winner: 'registry',
    reason: 'incomparable',
    state: 'open',
    resolution: null,
    ...facts,
  });

  it('say when they were found, who stands, and who decided', () => {
    const resolution = { keep: 'portal', value: 'b', by: 'uid', at: LATER } as const;
    const conflict: ConflictRecord = {
      id: 'c1',
      kennitala: KENNITALA,
      detectedAt: AT,
      paths: { 'profile.phone': disputed({ state: 'resolved', resolution }), 'profile.email': disputed() },
    };
    const winners = { 'profile.phone': 'registry', 'profile.email': 'registry' };
    expect(fromConflict(conflict)).toMatchObject([
      { at, what: 'detected', detail: { id: 'c1', paths: ['profile.email', 'profile.phone'], winners } },
      { at: later, what: 'resolved', detail: { paths: ['profile.phone'], keep: 'portal', by: 'uid' } },
    ]);
  });
});

describe('operators and stores', () => {
  const action: OperatorAction = {
    action: 'pause',
    by: 'uid',
    byKind: 'person' as never,
    at: AT,
    requestId: 'q',
  };

  it('what an operator did is about everybody unless it names a member', () => {
    expect(fromAction(action)).toMatchObject({
      what: 'pause',
      isPersonal: false,
      mirror: null,
      runId: null,
      detail: { by: 'uid', reason: null },
    });
    expect(
      fromAction({
        ...action,
        action: 'erase',
        member: 'm_1',
        mirror: 'portal',
        runId: 'r',
        reason: 'asked',
      }),
    ).toMatchObject({ isPersonal: true, mirror: 'portal', runId: 'r', detail: { reason: 'asked' } });
  });

  it('the portal’s document says when it was written and deleted', () => {
    const portal = { state: 'inactive', origin: 'registry', version: 3, syncedAt: at, deletedAt: later };
    const entries = fromPortal(portal as unknown as PortalNow);
    expect(entries).toMatchObject([
      {
        at,
        what: 'last_written',
        mirror: 'portal',
        detail: { origin: 'registry', version: 3, status: 'inactive' },
      },
      { at: later, what: 'deleted' },
    ]);
    expect(fromPortal({ ...portal, state: 'active', syncedAt: null, deletedAt: null } as never)).toEqual([]);
    expect(fromPortal({ state: 'absent' } as never)).toEqual([]);
  });

  it('the register’s row says when it was added and removed', () => {
    const row = { state: 'inactive', addedAt: at, removedAt: later };
    expect(fromRegister(row as unknown as RegisterNow)).toMatchObject([
      { at, what: 'added', mirror: 'register' },
      { at: later, what: 'removed' },
    ]);
    expect(fromRegister({ ...row, state: 'active', addedAt: null, removedAt: null } as never)).toEqual([]);
    expect(fromRegister({ state: 'unknown' } as never)).toEqual([]);
  });
});
