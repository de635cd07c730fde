import { beforeEach, describe, expect, it } from 'vitest';
import { SyncError } from '../../../src/lib/errors.ts';
import type { Cursor, Resume, RunContext } from '../../../src/mirror/mirror.ts';
import type { PortalMirrorDependencies } from '../../../src/portal/reconcile/portal-mirror.ts';
import { takingOnly } from '../../support/stack.ts';
import { makeMemoryPortal } from './support/memory-portal.ts';
import { ago, holds, MINUTE_MS, NOW, PEOPLE, plan, reset, row, succeeded, world } from './support/one-run.ts';

const DAY_MS = 24 * 60 * MINUTE_MS;
const TEN = PEOPLE.slice(0, 10);
const LEFT = { added: 5, removed: 0, updated: 0, blanked: {} };

let kept: [Cursor | null, object][];
let judged: object[];
let isRefused: boolean;
beforeEach(() => {
  reset();
  [kept, judged, isRefused] = [[], [], false];
  world.rows = TEN.map((kennitala) => row(kennitala));
});
const resumeAt = (cursor: Cursor | null): Resume => ({
  cursor,
  keep: async (...given) => void kept.push(given),
  judge: (figures) => {
    judged.push(figures);
    return { tripped: isRefused } as never;
  },
});
/** Of a first load of ten, on pages of two, there was time for five. */
const halfLoaded = async (given: Partial<PortalMirrorDependencies> = {}, more: Partial<RunContext> = {}) => {
  const first = makeMemoryPortal(world.documents);
  const { apply } = await plan(
    { resume: resumeAt(null), ...more },
    { keptWrites: 0, index: first.index, writer: takingOnly(5, first.writer), ...given },
  );
  const applied = await apply();
  world.documents = first.documents();
  world.asked = [];
  world.forgotten = [];
  return applied;
};
const goOn = (
  cursor: Cursor | null,
  more: Partial<RunContext> = {},
  given: Partial<PortalMirrorDependencies> = {},
) =>
  plan({ runId: 'run-2', unfinished: LEFT, resume: resumeAt(cursor), ...more }, { keptWrites: 0, ...given });
const cursorOf = ({ cursor }: { readonly cursor?: Cursor }): Cursor | null => cursor ?? null;

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
    expect([world.forgotten, kept]).toEqual([[], []]);
  });

  it('remembers so on its way, every fifteen seconds', async () => {
    let time = NOW.getTime();
    await halfLoaded({
      now: () => {
        time += 4_000;
        return new Date(time);
      },
    });
    expect(kept.map(([cursor]) => (cursor as { place: { before: number } } | null)?.place.before)).toEqual([
      0,
    ]);
    expect(kept[0]?.[1]).toEqual({ added: 8, removed: 0, updated: 0, blanked: {} });
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
    expect(judged.at(-1)).toMatchObject({ baseline: 10, received: 10, removed: 0, added: 0, updated: 0 });
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

describe('a load of changes', () => {
  const changed = TEN.map((kennitala) => row(kennitala, { version: 4, name: 'Renamed Person' }));
  const left = { ...LEFT, added: 0, updated: 5 };
  const halfChanged = async () => {
    holds(...world.rows.map((one): [typeof one] => [one]));
    world.rows = changed;
    const applied = await halfLoaded({}, succeeded(10));
    expect(applied).toMatchObject({
      unfinished: left,
      missedEvents: { created: 0, updated: 5, deleted: 0 },
      cursor: { isFirstLoad: false, countsMissed: true },
    });
    return cursorOf(applied);
  };

  it('counts the events that were missed in each of its runs', async () => {
    const cursor = await halfChanged();
    const { apply } = await goOn(cursor, { unfinished: left });
    expect(await apply()).toEqual({
      memberCount: 10,
      overtaken: 0,
      missedEvents: { created: 0, updated: 5, deleted: 0 },
    });
  });

  it('counts as members those who were not removed yet, and not those who were not added yet', async () => {
    const cursor = await halfChanged();
    const ended = new AbortController();
    const unfinished = { added: 3, removed: 2, updated: 5, blanked: { 'profile.email': 1 } };
    const { made, apply } = await goOn(cursor, { unfinished, signal: ended.signal });
    expect(made).toMatchObject({
      changes: { added: 3, removed: 2, updated: 5, unchanged: 2, quarantined: 0 },
      forecast: { firestoreWrites: 7 + 10 },
    });
    ended.abort();
    expect(await apply()).toMatchObject({ memberCount: 10 - 3 + 2, unfinished });
  });

  it('is judged by what goes beyond what was let through: members, fields and unreadable ones', async () => {
    const cursor = await halfChanged();
    const unfinished = { ...left, updated: 3, blanked: { 'profile.email': 1 } };
    const { apply } = await goOn(cursor, { unfinished });
    for (const n of [6, 8])
      world.rows = world.rows.with(
        n,
        row(TEN[n] ?? '', { version: 4, contact_info: { email: '', phone: '5551234' } }),
      );
    world.rows = world.rows.with(9, row(TEN[9] ?? '', { gender: 99 }));
    await apply();
    // The rest of the fourth member's page, and then two a page.
    expect(judged).toMatchObject([
      { added: 0, removed: 0, updated: 0, quarantined: 0, blanked: {} },
      { added: 0, removed: 0, updated: 0, quarantined: 0, blanked: {} },
      { added: 0, removed: 0, updated: 0, quarantined: 0, blanked: { 'profile.email': 0 } },
      { added: 0, removed: 0, updated: 1, quarantined: 1, blanked: { 'profile.email': 1 } },
    ]);
  });
});

describe('a registry that has moved on', () => {
  const change = (n: number): void => {
    world.rows[n] = row(TEN[n] ?? '', { version: 4, name: 'Renamed Person' });
  };
  const moved = async (happens: () => void, given: Partial<PortalMirrorDependencies> = {}) => {
    const cursor = cursorOf(await halfLoaded());
    const { apply, portal, source } = await goOn(cursor, {}, given);
    expect(source.load).not.toBeNull();
    happens();
    return { applied: await apply(), portal };
  };

  it.each<[string, boolean, () => void]>([
    ['changed one of a page that is finished, whose event brings it', false, () => change(3)],
    ['changed one who was left', true, () => change(8)],
    ['lost one', true, () => void world.rows.pop()],
    ['has one more', true, () => void world.rows.push(row(PEOPLE[10] ?? ''))],
  ])('since it %s, needs another plan: %j', async (_what, hasMoved, happens) => {
    const { applied } = await moved(happens);
    expect(applied.hasMoved ?? false).toBe(hasMoved);
    expect(world.forgotten).toHaveLength(hasMoved ? 0 : 1);
  });

  it('by more than was let through is judged, and refused', async () => {
    isRefused = true;
    const { applied, portal } = await moved(() => undefined);
    expect(applied).toMatchObject({ hasMoved: true, memberCount: 5, unfinished: LEFT });
    expect(portal.writes()).toBe(0);
  });

  it('so that the pages do not add up any more needs another plan; one that is away does not', async () => {
    for (const [code, isMoved] of [
      ['incomplete_export', true],
      ['registry_timeout', false],
    ] as const) {
      reset();
      world.rows = TEN.map((kennitala) => row(kennitala));
      const cursor = cursorOf(await halfLoaded());
      const { rows } = world;
      let calls = 0;
      const pages: PortalMirrorDependencies['pages'] = {
        pages: async function* ({ from }) {
          calls += 1;
          const place = { query: { page: '2' }, before: 2 };
          yield { members: rows.slice(from?.before ?? 0, 4), count: rows.length, place };
          if (calls > 1) throw new SyncError(code, 'no');
        },
      };
      const { apply } = await goOn(cursor, {}, { pages });
      const ended = await apply().catch((cause: SyncError) => cause.code);
      if (isMoved) expect(ended).toMatchObject({ hasMoved: true, unfinished: LEFT });
      else expect(ended).toBe(code);
    }
  });

  it('is another thing than the end of the time: that is gone on with again', async () => {
    const cursor = cursorOf(await halfLoaded());
    const ended = new AbortController();
    const { apply } = await goOn(cursor, { signal: ended.signal });
    ended.abort();
    expect(await apply()).toEqual({ memberCount: 5, overtaken: 0, unfinished: LEFT, cursor });
  });

  it('of one who was written meanwhile is left to that writer', async () => {
    const cursor = cursorOf(await halfLoaded());
    const { apply } = await goOn(
      cursor,
      {},
      {
        writer: {
          write: async (writes, { onSettled }) => {
            for await (const write of writes) onSettled(write, 'overtaken');
          },
        },
      },
    );
    expect(await apply()).toMatchObject({ overtaken: 5, memberCount: 10 });
  });
});
