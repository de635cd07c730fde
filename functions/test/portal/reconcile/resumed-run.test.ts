import { beforeEach, describe, expect, it } from 'vitest';
import { SyncError } from '../../../src/lib/errors.ts';
import type { Cursor, RunContext } from '../../../src/mirror/mirror.ts';
import type { PortalMirrorDependencies } from '../../../src/portal/reconcile/portal-mirror.ts';
import { cursorOf, goOn, halfLoaded, LEFT, load, resetLoad, TEN } from './support/half-loaded.ts';
import { ago, MINUTE_MS, NOW, row, world } from './support/one-run.ts';

const DAY_MS = 24 * 60 * MINUTE_MS;

beforeEach(resetLoad);

describe('a load for which there was not the time', () => {
  it('says how far it is: what is finished, and what it was planned of', async () => {
    expect(await halfLoaded()).toEqual({
      memberCount: 5,
      overtaken: 0,
      unfinished: LEFT,
      cursor: {
        scheme: 1,
        planId: expect.stringMatching(/^[0-9a-f]{64}$/),
        run: 'run-1',
        plannedAt: NOW.toISOString(),
        said: expect.stringMatching(/^[0-9a-f]{64}$/),
        received: 10,
        quarantined: 0,
        memberCount: 10,
        isFirstLoad: true,
        countsMissed: false,
        place: { query: { page: '2' }, before: 2 },
        last: '4',
        seen: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    });
    expect([world.forgotten, load.kept]).toEqual([[], []]);
  });

  it('remembers so on its way, every fifteen seconds', async () => {
    let time = NOW.getTime();
    await halfLoaded({
      now: () => {
        time += 4_000;
        return new Date(time);
      },
    });
    expect(
      load.kept.map(([cursor]) => (cursor as { place: { before: number } } | null)?.place.before),
    ).toEqual([0]);
    expect(load.kept[0]?.[1]).toEqual({ added: 8, removed: 0, updated: 0, blanked: {} });
  });

  it.each<[string, Partial<PortalMirrorDependencies>]>([
    ['that takes the registry’s word', { takesWordOf: 'all' }],
    ['of some buckets', { scope: { documents: [], activeOutside: 3 } }],
  ])('is planned anew after a run %s', async (_what, given) => {
    expect(await halfLoaded(given)).not.toHaveProperty('cursor');
  });

  it('is planned anew where two members have one number', async () => {
    world.rows.push(row(TEN[0] ?? '', { id: 99 }));
    expect(await halfLoaded()).not.toHaveProperty('cursor');
  });
});

describe('the next run', () => {
  it('goes on with it, and reads no page before', async () => {
    const cursor = cursorOf(await halfLoaded());
    const { made, source, apply, portal } = await goOn(cursor);
    expect(source).toMatchObject({
      received: 10,
      findings: { received: 10, quarantined: 0, finished: 2 },
      warnings: [],
    });
    expect(made).toMatchObject({
      planId: cursor?.['planId'],
      memberCount: 10,
      changes: { added: 5, removed: 0, updated: 0, unchanged: 5, quarantined: 0 },
      rewrite: true,
      figures: { baseline: 10, received: 10, added: 0, removed: 0, quarantined: 0 },
      forecast: { firestoreReads: 2 + 8, firestoreWrites: 7 + 5 },
      warnings: [
        {
          code: 'load_continued',
          message: 'Goes on with the plan of run run-1, after 2 of 10 members; those are not read again.',
        },
      ],
      missedEvents: null,
      letThrough: LEFT,
    });
    expect(await apply()).toEqual({ memberCount: 10, overtaken: 0 });
    expect([...portal.documents().keys()].sort()).toEqual([...TEN].sort());
    expect(portal.writes()).toBe(5);
    expect(world.asked.map((asked) => (asked as { from?: { before: number } }).from?.before)).toEqual([2, 2]);
    expect(world.forgotten).toEqual([ago(10 * MINUTE_MS)]);
    expect(load.judged.at(-1)).toMatchObject({
      baseline: 10,
      received: 10,
      removed: 0,
      added: 0,
      updated: 0,
    });
  });

  it.each<
    [string, (cursor: Cursor) => Cursor | null, Partial<RunContext>, Partial<PortalMirrorDependencies>]
  >([
    ['is a day old', (cursor) => ({ ...cursor, plannedAt: ago(DAY_MS).toISOString() }), {}, {}],
    ['is of another program', (cursor) => ({ ...cursor, scheme: 2 }), {}, {}],
    ['counts less than nothing', (cursor) => ({ ...cursor, received: -1 }), {}, {}],
    ['is none', () => null, {}, {}],
    ['leaves nothing', (cursor) => cursor, { unfinished: null }, {}],
    ['is not for an operator who takes the registry’s word', (cursor) => cursor, {}, { takesWordOf: 'all' }],
    ['is not for a part', (cursor) => cursor, {}, { scope: { documents: [], activeOutside: 3 } }],
  ])('plans anew where that %s', async (_what, distort, more, given) => {
    const { source } = await goOn(distort(cursorOf(await halfLoaded()) ?? {}), more, given);
    expect(source.load).toBeNull();
  });

  it('goes on with what is nearly a day old', async () => {
    const cursor = { ...cursorOf(await halfLoaded()), plannedAt: ago(DAY_MS - 1).toISOString() };
    expect((await goOn(cursor)).source.load).not.toBeNull();
  });

  it.each<[string, () => void]>([
    ['the page shows another last member', () => void world.rows.splice(0, 2)],
    ['there is no such page any more', () => void world.rows.splice(1)],
  ])('plans anew where %s', async (_what, happens) => {
    const cursor = cursorOf(await halfLoaded());
    happens();
    expect((await goOn(cursor)).source.load).toBeNull();
  });

  it.each([
    ['registry_rejected', true],
    ['registry_invalid_response', true],
    ['incomplete_export', true],
    ['registry_timeout', false],
  ] as const)('meets %s at that page: another registry: %s', async (code, isAnother) => {
    const cursor = cursorOf(await halfLoaded());
    let calls = 0;
    const { rows } = world;
    const pages: PortalMirrorDependencies['pages'] = {
      pages: async function* () {
        calls += 1;
        if (calls === 1) throw new SyncError(code, 'no');
        yield { members: rows, count: rows.length };
      },
    };
    const source = goOn(cursor, {}, { pages }).then(
      ({ source: { load } }) => load,
      (cause: SyncError) => cause.code,
    );
    expect(await source).toBe(isAnother ? null : code);
  });
});
