import { describe, expect, it } from 'vitest';
import { SyncError } from '../../src/lib/errors.ts';
import type { RunContext, RunReport } from '../../src/mirror/mirror.ts';
import { closeSuccess, withPlan } from '../../src/mirror/run-record.ts';
import type { KennitalaExport } from '../../src/registry/ports.ts';
import type { ListStore, PublishedList } from '../../src/roster/ports.ts';
import { readHeldList } from '../../src/roster/published-list.ts';
import { checkPublishedRoster, makeRosterRollback, makeSelfCheckLogs } from '../../src/roster/rollback.ts';
import { makeRoster, validateExport } from '../../src/roster/roster.ts';
import { plan as anyPlan, ENDED, opened, verdict } from '../mirror/support/run-parts.ts';
import { linesOf, makeKennitalas } from '../support/kennitalas.ts';

const MEMBERS = makeKennitalas(5);
const answer = (given: Partial<KennitalaExport> = {}): KennitalaExport => ({
  count: MEMBERS.length,
  kennitalas: MEMBERS,
  exportedAt: null,
  ...given,
});
const published = (lines: readonly string[], generation = '7'): PublishedList => ({
  generation,
  bytes: Buffer.from(linesOf([...lines])),
});
/** A bucket in which this stands; nobody writes to it here. */
const bucket = (list: PublishedList | null, publishedBy: string | null = null): ListStore => ({
  read: async () => list,
  publishedBy: async () => publishedBy,
  publish: () => expect.unreachable('Nothing is published here.'),
  refresh: () => expect.unreachable('Nothing is refreshed here.'),
});
const context: RunContext = {
  runId: 'run-2',
  startedAt: new Date(0),
  lastSuccess: { runId: 'run-0', at: new Date(0), memberCount: MEMBERS.length },
  unfinished: null,
  abandonedRunId: null,
  signal: new AbortController().signal,
};

describe('what the registry sends', () => {
  it('is taken where it is all, with what was found in it', () => {
    const exportedAt = '2026-01-05T03:00:00.000Z';
    expect(validateExport(answer({ exportedAt }))).toMatchObject({
      received: 5,
      exportedAt: new Date(exportedAt),
      findings: { announced: 5, received: 5, quarantined: 0 },
      warnings: [],
    });
    expect(validateExport(answer({ exportedAt: 'yesterday' })).exportedAt).toBeNull();
  });

  it('is refused where it is less than the registry says it has', () => {
    expect(() => validateExport(answer({ count: 6 }))).toThrow(
      expect.objectContaining({
        code: 'incomplete_export',
        message:
          'The registry says it has 6 members but sent 5. Nothing was changed. ' +
          'Look at the registry export, then run again.',
        details: { announced: 6, received: 5 },
      }),
    );
  });

  it('is refused where nobody is left of it', () => {
    expect(() => validateExport(answer({ count: 2, kennitalas: ['none', 'neither'] }))).toThrow(
      expect.objectContaining({
        code: 'empty_export',
        message:
          'The export holds no member (2 entries, 2 unreadable, 0 placeholders). Nothing was changed. ' +
          'Look at the registry export, then run again.',
        details: { received: 2, quarantined: 2 },
      }),
    );
    expect(() => validateExport(answer({ count: 0, kennitalas: [] }))).toThrow(
      expect.objectContaining({ code: 'empty_export' }),
    );
  });

  it('goes with a warning where it is more than announced or partly unreadable', () => {
    expect(validateExport(answer({ count: 4 })).warnings).toEqual([
      {
        code: 'more_than_announced',
        message: 'The registry sent 5 entries but says it has 4.',
      },
    ]);
    const [first = '', ...others] = MEMBERS;
    const { warnings } = validateExport(answer({ count: 7, kennitalas: ['x', first, 'y', ...others] }));
    expect(warnings).toEqual([
      {
        code: 'quarantined_entries',
        message:
          '2 entries cannot be read: left out; the first stand at positions 0, 2 of the export (from 0).',
      },
    ]);
  });
});

describe('a run after one that crashed', () => {
  const planned = async (list: PublishedList | null, abandonedRunId: string | null, by: string | null) => {
    const roster = makeRoster({ fetchKennitalaExport: async () => answer() }, bucket(list, by));
    const now = { ...context, abandonedRunId };
    return (await roster.plan(await roster.fetch(now), now)).warnings.map(({ code }) => code);
  };

  it.each([
    ['that crashed had published', 'run-1', 'run-1', ['abandoned_run_published']],
    ['that crashed had not: another one had', 'run-1', 'run-0', []],
    ['that crashed had not: nobody knows who had', 'run-1', null, []],
    ['before did not crash', null, null, []],
  ])('says whether the one %s', async (_what, crashed, by, expected) => {
    expect(await planned(published(MEMBERS), crashed, by)).toEqual(expected);
  });

  it('finds no list that it could have published', async () => {
    expect(await planned(null, 'run-1', null)).toEqual(['published_list_missing']);
  });
});

describe('a rollback', () => {
  const rolledBack = async (generation: string, bytes: Uint8Array | null, list: PublishedList | null) => {
    const mirror = makeRosterRollback(generation, { read: async () => bytes }, bucket(list));
    const source = await mirror.fetch(context);
    return { mirror, source, plan: await mirror.plan(source, context) };
  };

  it('takes the version for the registry’s list, and says so', async () => {
    const { mirror, source, plan } = await rolledBack(
      '6',
      published(MEMBERS).bytes,
      published(MEMBERS.slice(1)),
    );
    expect(source).toMatchObject({ received: 5, findings: { announced: 5, quarantined: 0 }, warnings: [] });
    expect(mirror).toMatchObject({ title: 'member list rollback', sourceName: 'version 6 of the list' });
    expect([...plan.added]).toEqual(MEMBERS.slice(0, 1));
  });

  it('has a plan id of its own: approving the one of another version, or of a run, does not approve it', async () => {
    const { bytes } = published(MEMBERS);
    const now = published(MEMBERS.slice(1));
    const roster = makeRoster({ fetchKennitalaExport: async () => answer() }, bucket(now));
    const ids = [
      (await rolledBack('5', bytes, now)).plan.planId,
      (await rolledBack('6', bytes, now)).plan.planId,
      (await rolledBack('6', bytes, null)).plan.planId,
      (await roster.plan(await roster.fetch(context), context)).planId,
    ];
    expect(new Set(ids).size).toBe(4);
    expect((await rolledBack('6', bytes, now)).plan.planId).toBe(ids[1]);
  });

  it('to a version that is gone says which', async () => {
    await expect(rolledBack('6', null, null)).rejects.toMatchObject({
      code: 'not_found',
      message: 'The bucket holds no version 6 of the list any more.',
    });
  });
});

describe('the check of a published list compares it with the record', () => {
  const { sha256 } = readHeldList(published(MEMBERS).bytes);
  const closed = closeSuccess(
    withPlan(
      opened,
      { ...anyPlan, memberCount: MEMBERS.length, facts: { previousGeneration: '6', sha256 } },
      verdict,
    ),
    'published',
    { objectGeneration: '7' },
    ENDED,
  );
  const check = async (found: PublishedList | null | Error, record: Partial<RunReport['record']> = {}) => {
    const lines: unknown[][] = [];
    const store = {
      ...bucket(null),
      read: async () => {
        if (found instanceof Error) throw found;
        return found;
      },
    };
    await checkPublishedRoster(
      { record: { ...closed, ...record }, forecast: null },
      {
        mode: 'alert',
        logs: makeSelfCheckLogs((...line) => lines.push(line)),
        versions: { read: () => expect.unreachable('Nothing is restored here.') },
        store,
        run: null as never,
      },
    );
    return lines;
  };
  const wrong = (found: number) => [
    [
      'ERROR',
      '[OPS] The published list is not what was meant',
      { event: 'roster_check_failed', runId: 'run-1', generation: '7', expected: 5, found },
    ],
  ];

  it('and says that it is what was meant', async () => {
    expect(await check(published(MEMBERS))).toEqual([
      [
        'INFO',
        '[OPS] The published list was read back and is what was meant',
        { event: 'roster_checked', runId: 'run-1' },
      ],
    ]);
  });

  it.each([
    ['other members, as many', published([...makeKennitalas(6).slice(1)]), {}, 5],
    ['fewer members', published(MEMBERS.slice(1)), {}, 4],
    ['nothing', null, {}, 0],
    ['another form of the same members', { generation: '7', bytes: Buffer.from(MEMBERS.join('\n')) }, {}, 5],
  ])('and says that it is not: %s', async (_what, found, record, count) => {
    expect(await check(found, record)).toEqual(wrong(count));
  });

  it('and says that it is not where the record counts others', async () => {
    const [[, , fields] = []] = await check(published(MEMBERS), { memberCount: 6 });
    expect(fields).toMatchObject({ event: 'roster_check_failed', expected: 6, found: 5 });
  });

  it('and tells of a list that cannot be read back, which is no wrong list', async () => {
    expect(await check(new SyncError('storage_unavailable', 'no answer'))).toEqual([
      [
        'WARNING',
        '[OPS] The published list could not be read back: storage_unavailable',
        { event: 'roster_not_checked', runId: 'run-1', code: 'storage_unavailable' },
      ],
    ]);
  });

  it.each([
    ['published nothing', { outcome: 'unchanged' }],
    ['says of no version that it published it', { objectGeneration: null }],
  ] as const)('and says nothing of a run that %s', async (_what, record) => {
    expect(await check(published([]), record)).toEqual([]);
  });

  it('and a rollback is a warning where it went well, and an error where it did not', () => {
    const lines: unknown[][] = [];
    const logs = makeSelfCheckLogs((...line) => lines.push(line));
    logs.rosterRestored('run-1', 'run-2', 'published');
    logs.rosterRestored('run-1', 'run-3', 'failed');
    const fields = (rollbackRunId: string, outcome: string) => ({
      event: 'roster_restored',
      runId: 'run-1',
      rollbackRunId,
      outcome,
    });
    expect(lines).toEqual([
      ['WARNING', '[OPS] Rollback to the version before: published', fields('run-2', 'published')],
      ['ERROR', '[OPS] Rollback to the version before: failed', fields('run-3', 'failed')],
    ]);
  });
});
