import { beforeEach, describe, expect, it } from 'vitest';
import { SyncError } from '../../../src/lib/errors.ts';
import type { PortalMirrorDependencies } from '../../../src/portal/reconcile/portal-mirror.ts';
import { cursorOf, goOn, halfLoaded, LEFT, load, resetLoad, TEN } from './support/half-loaded.ts';
import { holds, PEOPLE, row, succeeded, world } from './support/one-run.ts';

beforeEach(resetLoad);

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
    expect(load.judged).toMatchObject([
      { added: 0, removed: 0, updated: 0, quarantined: 0, blanked: {} },
      { added: 0, removed: 0, updated: 0, quarantined: 0, blanked: {} },
      { added: 0, removed: 0, updated: 0, quarantined: 0, blanked: { 'profile.email': 0 } },
      { added: 0, removed: 0, updated: 1, quarantined: 1, blanked: { 'profile.email': 1 } },
    ]);
  });
});

describe('a load with one who cannot be read', () => {
  it('is gone on with, and judged by who cannot be read besides', async () => {
    world.rows = world.rows.with(8, row(TEN[8] ?? '', { gender: 99 }));
    const unfinished = { ...LEFT, added: 4 };
    const halved = await halfLoaded();
    expect(halved).toMatchObject({ unfinished, cursor: { quarantined: 1, memberCount: 9 } });
    const { apply } = await goOn(cursorOf(halved), { unfinished });
    expect(await apply()).toEqual({ memberCount: 9, overtaken: 0 });
    expect(load.judged).toMatchObject(Array.from({ length: 4 }, () => ({ quarantined: 0 })));
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

  it('by one who joined is judged by that one', async () => {
    await moved(() => void world.rows.push(row(PEOPLE[10] ?? '')));
    expect(load.judged).toMatchObject([0, 0, 0, 0, 1].map((added) => ({ added })));
  });

  it('and shows the last member of its page no more is written nothing of', async () => {
    const { applied, portal } = await moved(() => void world.rows.splice(3, 1, row(PEOPLE[10] ?? '')));
    expect(applied).toMatchObject({ hasMoved: true, unfinished: LEFT });
    expect([portal.writes(), load.judged]).toEqual([0, []]);
  });

  it('by more than was let through is judged, and refused', async () => {
    load.isRefused = true;
    const { applied, portal } = await moved(() => undefined);
    expect(applied).toMatchObject({ hasMoved: true, memberCount: 5, unfinished: LEFT });
    expect(portal.writes()).toBe(0);
  });

  it('so that the pages do not add up any more needs another plan; one that is away does not', async () => {
    for (const [code, isMoved] of [
      ['incomplete_export', true],
      ['registry_timeout', false],
    ] as const) {
      resetLoad();
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
