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
});
