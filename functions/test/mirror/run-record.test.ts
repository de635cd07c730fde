import { describe, expect, it } from 'vitest';
import { SyncError } from '../../src/lib/errors.ts';
import { againstBaseline } from '../../src/mirror/guard.ts';
import { isDifferent, pausedError, warningsOfNumbers } from '../../src/mirror/mirror.ts';
import { makeForecast } from '../../src/mirror/plan.ts';
import {
  answerRun,
  assertOccurrenceDone,
  runReport,
  runRequestBody,
  toPublicReport,
} from '../../src/mirror/run-answer.ts';
import {
  closeBlocked,
  closeFailed,
  closePartial,
  closeSkipped,
  closeSuccess,
  openRecord,
  whySkipped,
  withPlan,
  withSource,
} from '../../src/mirror/run-record.ts';
import { changes, ENDED, opened, plan, STARTED, start, unfinished, verdict } from './support/run-parts.ts';

describe('the record of a run', () => {
  it('says who asked for it and why, and is kept for a year', () => {
    expect(opened).toMatchObject({
      runId: 'run-1',
      mirror: 'portal',
      trigger: 'http',
      status: 'running',
      outcome: null,
      source: 'django-api',
      timestamp: STARTED,
      warnings: [],
      requestedBy: null,
      approvedBy: null,
      reason: null,
      expireAt: new Date('2027-01-05T03:00:00Z'),
    });
    expect(opened).not.toHaveProperty('rollbackOf');
    const approve = { planId: plan.planId, operator: 'Jóna', reason: 'agreed' };
    expect(openRecord({ ...start, approve, requestedBy: 'uid', reason: 'other' })).toMatchObject({
      requestedBy: 'uid',
      approvedBy: 'Jóna',
      reason: 'agreed',
    });
    expect(openRecord({ ...start, reason: 'moved', rollbackOf: '7' })).toMatchObject({
      reason: 'moved',
      rollbackOf: '7',
    });
  });

  it('takes over what the registry sent and what is planned; a warning of the plan stands for the source’s', () => {
    const [first, second] = [
      { code: 'quarantined_entries', message: 'of the source' },
      { code: 'legal_entities', message: 'of the source' },
    ] as const;
    const exportedAt = new Date(5);
    const source = withSource(opened, {
      received: 8,
      exportedAt,
      findings: { received: 8 },
      warnings: [first, second],
    });
    expect(source).toMatchObject({ djangoExportedAt: exportedAt, findings: { received: 8 } });
    const again = { code: 'legal_entities', message: 'of the plan' } as const;
    const planned = withPlan(source, { ...plan, warnings: [again] }, verdict);
    expect(planned).toMatchObject({
      memberCount: 8,
      changes,
      planId: plan.planId,
      guard: verdict,
      missedEvents: null,
      previousGeneration: null,
      sha256: null,
      warnings: [first, again],
    });
    const missedEvents = { created: 1, updated: 2, deleted: 3 };
    const facts = { previousGeneration: '6', sha256: 'abc' };
    expect(withPlan(source, { ...plan, missedEvents, facts }, verdict)).toMatchObject({
      missedEvents,
      ...facts,
    });
  });

  it('ends with what came of it', () => {
    const planned = withPlan(opened, plan, verdict);
    expect(closeSuccess(planned, 'unchanged', {}, ENDED)).toMatchObject({
      status: 'success',
      outcome: 'unchanged',
      duration_ms: 1_500,
      memberCount: 8,
      error: null,
    });
    const facts = {
      memberCount: 7,
      missedEvents: { created: 0, updated: 0, deleted: 1 },
      overtaken: 2,
      objectGeneration: '12',
      sha256: 'def',
    };
    expect(closeSuccess(planned, 'published', facts, ENDED)).toMatchObject({
      ...facts,
      outcome: 'published',
    });
    expect(closeBlocked(planned, verdict, ENDED)).toMatchObject({
      status: 'error',
      outcome: 'blocked',
      errorCode: 'guard_tripped',
      error:
        'The guard refused the plan: 2 members would be removed, 1 allowed (removed_share). Nothing was changed.',
      duration_ms: 1_500,
    });
    expect(closeSkipped(opened, new SyncError('paused', 'why'), ENDED)).toMatchObject({
      status: 'success',
      outcome: 'skipped',
      errorCode: 'paused',
      error: 'why',
      duration_ms: 1_500,
    });
    const failed = closeFailed(opened, new SyncError('registry_rejected', 'no'), ENDED);
    expect(failed).toMatchObject({
      status: 'error',
      outcome: 'failed',
      errorCode: 'registry_rejected',
      error: 'no',
      duration_ms: 1_500,
    });
    expect(failed.errorStack).toContain('run-record.test.ts');
    expect(closeFailed(opened, new Error('0101302989'), ENDED)).toMatchObject({ errorCode: 'internal' });
    const partial = closePartial(planned, { memberCount: 3, unfinished }, ENDED);
    expect(partial).toMatchObject({
      status: 'error',
      outcome: 'partial',
      errorCode: 'deadline_exceeded',
      memberCount: 3,
      unfinished,
    });
    expect(partial.error).toMatch(/What was written stands; the next run goes on\.$/);
    expect(closePartial(planned, {}, ENDED).unfinished).toBeNull();
    expect(closePartial(planned, { unfinished, cursor: {} }, ENDED)).toMatchObject({
      errorCode: 'deadline_exceeded',
      error: expect.stringMatching(/the next run goes on from there, with this plan\.$/),
    });
    expect(closePartial(planned, { unfinished, hasMoved: true }, ENDED)).toMatchObject({
      outcome: 'partial',
      errorCode: 'load_moved',
      error:
        'The registry changed while its plan was applied over several runs. What was written stands; the next run ' +
        'compares everything again, and the guard judges what it finds.',
    });
  });

  it.each([
    [
      { kind: 'held', owner: 'run-0', expiresAt: ENDED },
      'lease_held',
      'Run run-0 is under way; it keeps the lease until 2026-01-05T03:00:01.500Z at the latest.',
    ],
    [
      { kind: 'already-done', runId: 'run-0' },
      'already_done',
      'This scheduled run has been done by run run-0.',
    ],
    [
      { kind: 'paused', pause: { reason: 'x', by: 'uid', at: STARTED } },
      'paused',
      'The mirror has been paused since 2026-01-05T03:00:00.000Z. Resume it, or approve the plan of a dry run by its id.',
    ],
  ] as const)('of a run that did not begin says why: %j', (begun, code, message) => {
    expect(whySkipped(begun)).toMatchObject({ code, message });
    expect(pausedError(STARTED).code).toBe('paused');
  });
});

describe('a run’s answer', () => {
  const published = closeSuccess(withPlan(opened, plan, verdict), 'published', {}, ENDED);
  const failed = closeFailed(opened, new SyncError('registry_rejected', 'no'), ENDED);
  const partial = closePartial(opened, { unfinished }, ENDED);
  const skipped = (code: 'lease_held' | 'already_done' | 'paused') =>
    closeSkipped(opened, new SyncError(code, 'why'), ENDED);
  const report = (record: typeof opened) => ({ record, forecast: null });

  it('is given where it published, changed nothing or was dry', () => {
    for (const outcome of ['published', 'unchanged', 'dry-run'] as const) {
      const answer = { outcome };
      expect(answerRun(report({ ...published, outcome }), answer)).toBe(answer);
    }
  });

  it.each([
    ['blocked', closeBlocked(opened, verdict, ENDED), 'guard_tripped'],
    ['skipped', skipped('lease_held'), 'lease_held'],
    ['failed', failed, 'registry_rejected'],
    ['partial', partial, 'deadline_exceeded'],
  ] as const)('is its code where it was %s, with the answer in it', (_what, record, code) => {
    const answer = { some: 'answer' };
    expect(() => answerRun(report(record), answer)).toThrow(
      expect.objectContaining({ code, message: record.error, answer }),
    );
  });

  it('of a record that does not say why is no success either', () => {
    expect(() => answerRun(report({ ...failed, errorCode: null, error: null }), {})).toThrow(
      expect.objectContaining({ code: 'internal', message: 'The run did not say why.' }),
    );
  });

  it('carries no stack, and copies of its counts', () => {
    const { record, forecast } = toPublicReport({ record: published, forecast: plan.forecast });
    expect(record).not.toHaveProperty('errorStack');
    expect(record).toMatchObject({ runId: 'run-1', outcome: 'published', changes });
    expect(forecast).toEqual(plan.forecast);
    expect(toPublicReport(report(failed))).toMatchObject({ record: { changes: null }, forecast: null });
  });

  it.each([
    ['failed', failed, 'registry_rejected'],
    ['partial', partial, 'deadline_exceeded'],
    ['skipped', skipped('lease_held'), 'lease_held'],
  ] as const)('has the schedule try again what %s', (outcome, record, code) => {
    expect(() => assertOccurrenceDone(report(record))).toThrow(
      expect.objectContaining({ code, message: `Run run-1 of the portal ended ${outcome}: ${code}` }),
    );
  });

  it('has the schedule try nothing again that is done, refused or decided', () => {
    const done = [
      published,
      closeBlocked(opened, verdict, ENDED),
      skipped('already_done'),
      skipped('paused'),
    ];
    for (const record of done) expect(() => assertOccurrenceDone(report(record))).not.toThrow();
    expect(() => assertOccurrenceDone(report({ ...failed, errorCode: null }))).toThrow(
      expect.objectContaining({ code: 'internal' }),
    );
  });
});

describe('what is asked of a run', () => {
  const approve = { planId: '0123456789abcdef'.repeat(4), operator: 'Jóna', reason: 'agreed' };

  it.each([
    ['nothing', {}],
    ['a dry run', { dryRun: true }],
    ['an approval', { approve }],
    ['an approval, and no dry run', { dryRun: false, approve }],
  ])('may be %s', (_what, body) => {
    expect(runRequestBody.parse(body)).toEqual(body);
  });

  const digits = [['approve', 'planId'], 'the 64 hexadecimal digits of a dry run'] as const;
  it.each([
    [{ approve: { ...approve, planId: `${approve.planId}0` } }, ...digits],
    [{ approve: { ...approve, planId: `0${approve.planId}` } }, ...digits],
    [{ approve: { ...approve, planId: 'a' } }, ...digits],
    [{ approve: { ...approve, planId: 'G'.repeat(64) } }, ...digits],
    [{ approve: { ...approve, operator: ' ' } }, ['approve', 'operator'], 'the name of who decides'],
    [{ approve: { ...approve, reason: '' } }, ['approve', 'reason'], 'a reason in words'],
    [{ dryRun: true, approve }, [], 'a dry run applies nothing, so there is nothing to approve'],
    [{ approve: {} }, ['approve', 'planId'], expect.any(String)],
    [{ dryRun: 'yes' }, ['dryRun'], expect.any(String)],
    [{ force: true }, [], expect.stringContaining('force')],
  ])('may not be %j', (body, path, message) => {
    expect(runRequestBody.safeParse(body).error?.issues[0]).toMatchObject({ path, message });
  });

  it('is answered with a report of this form', () => {
    const report = toPublicReport({
      record: closeSuccess(withPlan(opened, plan, verdict), 'published', {}, ENDED),
      forecast: plan.forecast,
    });
    expect(runReport.parse(report)).toEqual(report);
    for (const key of ['runId', 'mirror', 'status', 'outcome', 'memberCount', 'planId', 'changes'])
      expect(runReport.safeParse({ ...report, record: { ...report.record, [key]: undefined } }).success).toBe(
        false,
      );
    for (const key of ['added', 'removed', 'updated', 'unchanged', 'quarantined']) {
      const record = { ...report.record, changes: { ...changes, [key]: undefined } };
      expect(runReport.safeParse({ ...report, record }).success).toBe(false);
    }
    expect(runReport.safeParse({ ...report, forecast: {} }).success).toBe(false);
  });
});

describe('what a plan would change', () => {
  it.each([
    [{ added: 1, removed: 0, updated: 0 }, false, true],
    [{ added: 0, removed: 1, updated: 0 }, false, true],
    [{ added: 0, removed: 0, updated: 1 }, false, true],
    [{ added: 0, removed: 0, updated: 0 }, false, false],
    [{ added: 0, removed: 0, updated: 0 }, true, true],
  ])('%j, another form %j: %j', (counts, rewrite, expected) => {
    expect(isDifferent({ ...plan, rewrite, changes: { ...changes, ...counts } })).toBe(expected);
  });

  const figures = { held: 10, lastMemberCount: 20, memberCount: 15, added: 3, removed: 4 };
  it.each([
    ['whom the mirror holds', figures, { baseline: 10, added: 3, removed: 4 }],
    [
      'nobody before a first publication',
      { ...figures, held: null, lastMemberCount: null },
      { baseline: null, added: 3, removed: 4 },
    ],
    ['how many the last run left', { ...figures, held: null }, { baseline: 20, added: 0, removed: 5 }],
    [
      'how few the last run left',
      { ...figures, held: null, lastMemberCount: 9 },
      { baseline: 9, added: 6, removed: 0 },
    ],
    ['a mirror that holds nobody', { ...figures, held: 0 }, { baseline: 0, added: 3, removed: 4 }],
  ])('is compared with %s', (_what, given, expected) => {
    expect(againstBaseline(given)).toEqual(expected);
  });

  it('takes its time into the forecast only where that matters', () => {
    expect(makeForecast({ firestoreWrites: 3 })).not.toHaveProperty('seconds');
    expect(makeForecast({ firestoreWrites: 3 }, 0)).toMatchObject({ firestoreWrites: 3, seconds: 0 });
  });

  it('warns of numbers that are hardly a member’s', () => {
    expect(warningsOfNumbers({ legalEntities: 0, impossibleDates: 0 })).toEqual([]);
    expect(warningsOfNumbers({ legalEntities: 1, impossibleDates: 2 })).toEqual([
      {
        code: 'legal_entities',
        message: '1 member has the number of a legal entity; a person should look.',
      },
      {
        code: 'impossible_dates',
        message: '2 members have a number with a day that no month has; a person should look.',
      },
    ]);
  });
});
