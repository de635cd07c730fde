import { describe, expect, it } from 'vitest';
import { judgeAgreement, makeFindings } from '../../src/ops/findings.ts';
import type { MirrorStatus } from '../../src/ops/schemas.ts';
import { QUIET, WELL, wellMirror } from './support/status-answers.ts';

const NOW = new Date('2026-11-23T08:00:00Z');
const minutesAgo = (minutes: number) => new Date(NOW.getTime() - minutes * 60_000);
const REGISTRY = { count: 2_216, at: minutesAgo(30).toISOString(), runId: 'r', mirror: 'register' as const };
const ranWith = (outcome: 'blocked' | 'partial' | 'published') => ({
  lastRun: { runId: 'r', outcome, errorCode: null, at: WELL.at },
});

describe('a mirror that has another number of members than the registry', () => {
  it.each<[string, Partial<MirrorStatus>, number, [string, string | null]]>([
    ['as many', { members: 2_216 }, 0, ['equal', null]],
    ['333 fewer, and nothing that explains it', { members: 1_883 }, 0, ['differs', null]],
    ['333 fewer, and only 332 events', { members: 1_883 }, 332, ['differs', null]],
    ['one fewer, and one event', { members: 2_215 }, 1, ['explained', 'recent_events']],
    [
      'paused',
      { members: 1_883, paused: { reason: 'r', by: 'b', since: WELL.at } },
      0,
      ['explained', 'paused'],
    ],
    [
      'while a run works',
      { members: 1_883, running: { runId: 'r', leaseExpiresAt: WELL.at, step: 'reading' } },
      0,
      ['explained', 'run_under_way'],
    ],
    ['after a refusal', { members: 1_883, ...ranWith('blocked') }, 0, ['explained', 'blocked']],
    ['half written', { members: 1_883, ...ranWith('partial') }, 0, ['explained', 'partial']],
    ['after a success', { members: 1_883, ...ranWith('published') }, 0, ['differs', null]],
    ['never counted', { members: null }, 0, ['unknown', null]],
    ['not configured', { healthy: null, members: 5 }, 0, ['unknown', null]],
  ])('%s', async (_what, facts, events, expected) => {
    const status = { ...wellMirror('roster'), ...facts };
    const judged = await judgeAgreement({
      status,
      registry: REGISTRY,
      isRegistryInDoubt: false,
      countedAt: minutesAgo(60),
      now: NOW,
      eventsSince: async () => events,
    });
    expect([judged.state, judged.because]).toEqual(expected);
  });

  it('and the guard has refused that very number of the registry: the refusal is the finding', async () => {
    const judged = await judgeAgreement({
      status: wellMirror('portal'),
      registry: { ...REGISTRY, count: 1_883 },
      isRegistryInDoubt: true,
      countedAt: NOW,
      now: NOW,
      eventsSince: async () => 0,
    });
    expect(judged).toEqual({ state: 'explained', difference: 333, because: 'blocked' });
  });

  it.each([
    ['counted later than the registry: events since the registry was counted', minutesAgo(0), minutesAgo(30)],
    ['counted long before: events that may still be on their way', minutesAgo(60), minutesAgo(10)],
    ['counted just before: events since then', minutesAgo(35), minutesAgo(10)],
    ['counted at no known time: events that may still be on their way', null, minutesAgo(10)],
  ])('%s', async (_what, countedAt, since) => {
    const asked: Date[] = [];
    await judgeAgreement({
      status: { ...wellMirror('roster'), members: 2_215 },
      registry: REGISTRY,
      isRegistryInDoubt: false,
      countedAt,
      now: NOW,
      eventsSince: async (from) => {
        asked.push(from);
        return 1;
      },
    });
    expect(asked).toEqual([since]);
  });
});

describe('findings', () => {
  it('are data, the gravest first: a refusal with its numbers, a difference with both counts', () => {
    const changes = { added: 0, removed: 333, updated: 0, unchanged: 1_883, quarantined: 0 };
    const findings = makeFindings({
      at: NOW.toISOString(),
      registry: REGISTRY,
      portal: WELL.portal,
      proof: null,
      verified: { at: WELL.at, whole: false, findings: 3, records: 40, versions: 5 },
      twoWay: { ...QUIET, healthy: false, why: ['conflicts_waiting'], openConflicts: 2 },
      blocked: new Map([['roster', { changes }]]),
      mirrors: [
        { ...wellMirror('roster'), healthy: false, why: ['last_run_blocked'], ...ranWith('blocked') },
        {
          ...wellMirror('portal'),
          members: 1_916,
          agreement: { state: 'differs', difference: -300, because: null },
        },
      ],
    });
    expect(findings.map(({ code, severity, mirror }) => [code, severity, mirror])).toEqual([
      ['last_run_blocked', 'error', 'roster'],
      ['counts_differ', 'error', 'portal'],
      ['chain_broken', 'error', null],
      ['conflicts_waiting', 'warning', null],
    ]);
    expect(findings.map(({ numbers }) => numbers)).toEqual([
      { added: 0, removed: 333, updated: 0, before: 2_216 },
      { members: 1_916, registry: 2_216, difference: -300 },
      { count: 3 },
      { count: 2 },
    ]);
    expect(findings.map(({ command }) => command)).toEqual([
      'runs show r',
      'plan portal',
      'verify',
      'conflicts',
    ]);
  });

  it('are none where all is well', () => {
    expect(makeFindings({ ...WELL, mirrors: [wellMirror('roster')], blocked: new Map() })).toEqual([]);
  });

  const at = (time: string) => `2026-11-22T${time}:00.000Z`;
  const ran = { runId: 'r', outcome: 'failed', errorCode: 'registry_rejected', at: at('03:00') } as const;
  const succeeded = { runId: 's', at: at('02:00'), memberCount: 2_216 };
  const held = { reason: 'moved', by: 'uid', since: at('01:00') };
  const ofMirror = (facts: Partial<MirrorStatus>, more: object = {}) =>
    makeFindings({
      ...WELL,
      at: NOW.toISOString(),
      portal: { aheadOfRegistry: 4, unconfirmedHints: 5, oldestUnconfirmedHintAt: at('06:00') },
      mirrors: [{ ...wellMirror('portal'), healthy: false, ...facts }],
      blocked: new Map(),
      ...more,
    });
  const NOTHING = { mirror: 'portal', since: null, runId: null, errorCode: null, numbers: {} };

  it.each<[Partial<MirrorStatus>, object]>([
    [{ why: ['never_run'] }, { ...NOTHING, severity: 'warning', command: 'plan portal' }],
    [
      { why: ['overdue'], ageSeconds: 691_200 + 3_600 },
      { ...NOTHING, severity: 'error', since: '2026-11-23T07:00:00.000Z', command: 'runs --mirror portal' },
    ],
    [
      { why: ['last_run_failed'], lastRun: ran },
      {
        ...NOTHING,
        severity: 'error',
        since: ran.at,
        runId: 'r',
        errorCode: 'registry_rejected',
        command: 'runs show r',
      },
    ],
    [{ why: ['last_run_failed'] }, { ...NOTHING, severity: 'error', command: 'runs --mirror portal' }],
    [{ why: ['last_run_blocked'] }, { ...NOTHING, severity: 'error', command: 'runs --mirror portal' }],
    [
      { why: ['last_run_partial'], lastRun: ran },
      {
        ...NOTHING,
        severity: 'warning',
        since: ran.at,
        runId: 'r',
        errorCode: 'registry_rejected',
        command: 'sync portal',
      },
    ],
    [
      { why: ['run_crashed'], lastRun: ran, lastSuccess: succeeded },
      { ...NOTHING, severity: 'error', since: ran.at, command: 'sync portal' },
    ],
    [
      { why: ['run_crashed'], lastSuccess: succeeded },
      { ...NOTHING, severity: 'error', since: succeeded.at, command: 'sync portal' },
    ],
    [{ why: ['run_crashed'] }, { ...NOTHING, severity: 'error', command: 'sync portal' }],
    [
      { why: ['paused'], paused: held },
      { ...NOTHING, severity: 'warning', since: held.since, command: 'resume portal --reason TEXT' },
    ],
    [
      { why: ['paused', 'paused_too_long'], paused: held },
      { ...NOTHING, severity: 'error', since: held.since, command: 'resume portal --reason TEXT' },
    ],
    [
      { why: ['ahead_of_registry'] },
      { ...NOTHING, severity: 'error', numbers: { count: 4 }, command: 'registry-word --all --dry-run' },
    ],
    [
      { why: ['hints_unconfirmed'] },
      {
        ...NOTHING,
        severity: 'warning',
        since: at('06:00'),
        numbers: { count: 5 },
        command: 'sync portal',
      },
    ],
  ])('say since when, of which run, and what to do: %j', (facts, expected) => {
    expect(ofMirror(facts)).toEqual([{ code: facts.why?.at(-1), ...expected }]);
  });

  it('of a difference say since when the mirror, or else the registry, is known', () => {
    const agreement = { state: 'differs', difference: null, because: null } as const;
    const facts = { why: [], members: null, agreement };
    expect(ofMirror(facts)).toEqual([
      {
        ...NOTHING,
        code: 'counts_differ',
        severity: 'error',
        numbers: { members: 0, registry: 0, difference: 0 },
        command: 'plan portal',
      },
    ]);
    expect(ofMirror(facts, { registry: REGISTRY })).toMatchObject([{ since: REGISTRY.at }]);
    expect(ofMirror({ ...facts, lastSuccess: succeeded }, { registry: REGISTRY })).toMatchObject([
      { since: succeeded.at },
    ]);
  });

  it.each([
    ['dead_letters_waiting', 'error', at('01:00'), 1, 'queue --status failed'],
    ['conflicts_waiting', 'warning', at('02:00'), 2, 'conflicts'],
    ['queue_stuck', 'error', at('03:00'), 3, 'queue --status pending'],
    ['last_sweep_failed', 'error', null, 3, 'queue --status pending'],
  ] as const)('of the way back: %s', (code, severity, since, count, command) => {
    const twoWay = {
      ...QUIET,
      healthy: false,
      why: [code],
      deadLetters: 1,
      oldestDeadLetterAt: at('01:00'),
      openConflicts: 2,
      oldestOpenConflictAt: at('02:00'),
      pending: 3,
      oldestPendingAt: at('03:00'),
    };
    expect(makeFindings({ ...WELL, twoWay, mirrors: [], blocked: new Map() })).toEqual([
      { code, severity, mirror: null, since, runId: null, errorCode: null, numbers: { count }, command },
    ]);
  });

  const equal = { state: 'equal', differences: 0, errorCode: null } as const;
  const proved = (facts: object) => ({
    at: minutesAgo(5).toISOString(),
    outcome: 'differs',
    because: null,
    errorCode: null,
    unprovedSince: minutesAgo(30).toISOString(),
    stores: { roster: equal, portal: equal, register: equal },
    ...facts,
  });
  const ofProof = (facts: object) => ofMirror({ why: [] }, { proof: proved(facts) });

  it('are none of a proof that was missing for less than half an hour, or cannot be made', () => {
    expect(ofProof({ unprovedSince: minutesAgo(29).toISOString() })).toEqual([]);
    expect(ofProof({ unprovedSince: null })).toEqual([]);
    expect(ofProof({ because: 'no_companion_app' })).toEqual([]);
  });

  it('of a missing proof name the store that differs, and by how many', () => {
    expect(ofProof({ errorCode: 'store_unavailable' })).toEqual([
      {
        ...NOTHING,
        code: 'not_proved',
        severity: 'error',
        since: minutesAgo(30).toISOString(),
        errorCode: 'store_unavailable',
        command: 'prove',
      },
    ]);
    expect(ofProof({ unprovedSince: null, at: minutesAgo(31).toISOString() })).toMatchObject([
      { code: 'not_proved', since: minutesAgo(31).toISOString() },
    ]);
    const register = { state: 'differs', differences: 7, errorCode: null };
    expect(ofProof({ stores: { roster: equal, portal: equal, register } })).toMatchObject([
      { mirror: 'register', numbers: { count: 7 } },
    ]);
    const uncounted = { ...register, differences: null };
    expect(ofProof({ stores: { roster: equal, portal: equal, register: uncounted } })).toMatchObject([
      { mirror: 'register', numbers: {} },
    ]);
  });
});
