import { describe, expect, it } from 'vitest';
import { SyncError } from '../../src/lib/errors.ts';
import { makeRunLogs } from '../../src/mirror/run-logs.ts';
import { closePartial, closeSuccess, withPlan } from '../../src/mirror/run-record.ts';
import { changes, ENDED, opened, plan, unfinished, verdict } from './support/run-parts.ts';

describe('the log of a run', () => {
  const BASE = { mirror: 'portal', runId: 'run-1' };
  const logged = (tell: (logs: ReturnType<typeof makeRunLogs>) => void, run: object = {}) => {
    const lines: unknown[] = [];
    tell(
      makeRunLogs((...line) => lines.push(line), {
        mirror: 'portal',
        title: 'portal reconcile',
        runId: 'run-1',
        ...run,
      }),
    );
    return lines;
  };
  const closed = closeSuccess(withPlan(opened, plan, verdict), 'published', {}, ENDED);

  /** Severity and event are what alerts and metrics are made of; the messages are quoted by the runbook. */
  it.each<[string, Parameters<typeof logged>[0], [severity: string, message: string, fields: object]]>([
    [
      'that it begins',
      (logs) => logs.starting('schedule', false),
      ['INFO', 'Starting portal reconcile...', { event: 'run_started', trigger: 'schedule', dryRun: false }],
    ],
    [
      'that the one before crashed',
      (logs) => logs.recovered('run-0'),
      [
        'WARNING',
        'An earlier run ended without closing its record',
        { event: 'run_abandoned', abandonedRunId: 'run-0' },
      ],
    ],
    [
      'what it received',
      (logs) => logs.received(8, 12),
      ['INFO', 'Received 8 members from Django', { event: 'source_received', received: 8, milliseconds: 12 }],
    ],
    [
      'what it plans',
      (logs) => logs.planned('p', changes),
      ['INFO', 'Plan: 1 to add, 2 to remove, 3 to update', { event: 'planned', planId: 'p', ...changes }],
    ],
    [
      'a plan without updates',
      (logs) => logs.planned('p', { ...changes, updated: 0 }),
      ['INFO', 'Plan: 1 to add, 2 to remove', { event: 'planned', planId: 'p', ...changes, updated: 0 }],
    ],
    [
      'a warning',
      (logs) => logs.warning('portal_emptied', 'Somebody emptied it'),
      ['WARNING', 'Somebody emptied it', { event: 'run_warning', code: 'portal_emptied' }],
    ],
    [
      'that it has written',
      (logs) => logs.applied(8, '12'),
      ['INFO', 'Portal updated', { event: 'applied', memberCount: 8, objectGeneration: '12' }],
    ],
    [
      'one change that no event announced',
      (logs) => logs.missed({ created: 0, updated: 1, deleted: 0 }),
      [
        'WARNING',
        '1 change was announced by no event of the registry',
        { event: 'missed_events', created: 0, updated: 1, deleted: 0 },
      ],
    ],
    [
      'changes that no event announced',
      (logs) => logs.missed({ created: 1, updated: 2, deleted: 3 }),
      [
        'WARNING',
        '6 changes were announced by no event of the registry',
        { event: 'missed_events', created: 1, updated: 2, deleted: 3 },
      ],
    ],
    [
      'that it plans again',
      (logs) => logs.replanning(),
      [
        'WARNING',
        'Another writer changed the list after it was read; planning again',
        { event: 'replanning' },
      ],
    ],
    [
      'that it was approved',
      (logs) => logs.approved('p'),
      ['WARNING', 'A refused plan is let through by approval', { event: 'plan_approved', planId: 'p' }],
    ],
    [
      'that it was refused',
      (logs) => logs.blocked('p', verdict),
      [
        'ERROR',
        'Sync blocked: 2 members would be removed, 1 allowed (removed_share). Nothing was changed.',
        { event: 'run_blocked', code: 'guard_tripped', planId: 'p', rules: ['removed_share'] },
      ],
    ],
    [
      'that its time was up',
      (logs) => logs.partial(closePartial(withPlan(opened, plan, verdict), { unfinished }, ENDED)),
      [
        'WARNING',
        'The time was up before everything was written; the next run goes on',
        {
          event: 'run_partial',
          code: 'deadline_exceeded',
          planId: plan.planId,
          durationMs: 1_500,
          added: 1,
          removed: 0,
          updated: 2,
        },
      ],
    ],
    [
      'why it did not begin',
      (logs) => logs.skipped('held', 'lease_held'),
      ['INFO', 'Sync skipped: held', { event: 'run_skipped', code: 'lease_held' }],
    ],
    [
      'what a dry run found',
      (logs) => logs.dryRun('p', verdict),
      [
        'INFO',
        'Dry run completed: 2 members would be removed, 1 allowed (removed_share)',
        { event: 'dry_run', planId: 'p', tripped: true },
      ],
    ],
    [
      'that it is done',
      (logs) => logs.completed(closed),
      [
        'INFO',
        'Sync completed successfully (8 members, 1500 ms)',
        { event: 'run_completed', outcome: 'published', memberCount: 8, durationMs: 1_500, ...changes },
      ],
    ],
    [
      'that it failed',
      (logs) =>
        logs.failed(
          new SyncError('registry_rejected', 'no', { details: { route: '/x' } }),
          'at somewhere',
          7,
        ),
      [
        'ERROR',
        'Sync failed: registry_rejected',
        {
          event: 'run_failed',
          code: 'registry_rejected',
          retryable: false,
          detail: 'no',
          stack: 'at somewhere',
          durationMs: 7,
          route: '/x',
        },
      ],
    ],
    [
      'that its record is lost',
      (logs) => logs.recordLost(new SyncError('audit_unavailable', 'gone')),
      [
        'ERROR',
        'The record of the run could not be written: audit_unavailable',
        { event: 'record_lost', code: 'audit_unavailable', detail: 'gone' },
      ],
    ],
  ])('says %s', (_what, tell, [severity, message, fields]) => {
    expect(logged(tell)).toEqual([[severity, `[SYNC] ${message}`, { ...BASE, ...fields }]]);
  });

  it('says nothing of events where none was missed', () => {
    expect(logged((logs) => logs.missed({ created: 0, updated: 0, deleted: 0 }))).toEqual([]);
  });

  it.each([
    ['roster', 'Received 8 kennitalas from a list', 'Upload complete'],
    ['register', 'Received 8 members from a list', 'Register updated'],
  ] as const)('has the words of the %s', (mirror, received, applied) => {
    const lines = logged(
      (logs) => {
        logs.received(8, 1);
        logs.applied(8, undefined);
      },
      { mirror, sourceName: 'a list' },
    );
    expect(lines).toMatchObject([
      ['INFO', `[SYNC] ${received}`, { mirror }],
      ['INFO', `[SYNC] ${applied}`, { mirror }],
    ]);
  });
});
