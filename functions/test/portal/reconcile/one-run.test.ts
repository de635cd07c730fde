import { beforeEach, describe, expect, it } from 'vitest';
import type { Kennitala } from '../../../src/domain/kennitala.ts';
import { parseRegistryMember } from '../../../src/domain/member/parse-registry-member.ts';
import { applyPatch, sourceHash } from '../../../src/domain/member/patch.ts';
import { digestOperations, makePlanId } from '../../../src/mirror/plan.ts';
import { makeSetDigest } from '../../../src/portal/reconcile/compact.ts';
import { saidText } from '../../../src/portal/reconcile/compare-members.ts';
import { type HeldDocument, makeMemoryPortal } from './support/memory-portal.ts';
import {
  ago,
  FOUR,
  held,
  holds,
  MINUTE_MS,
  ONE,
  PEOPLE,
  plan,
  reset,
  row,
  succeeded,
  THREE,
  TWO,
  world,
} from './support/one-run.ts';

beforeEach(reset);

describe('the plan of a reconcile', () => {
  it('is of what differs, by its kind', async () => {
    holds([row(ONE)], [row(TWO)], [row(THREE), false], [row(FOUR)]);
    world.rows = [
      row(ONE),
      row(TWO, { version: 4, name: 'Renamed Person' }),
      row(THREE),
      row(PEOPLE[4] ?? ''),
    ];
    const { made, source } = await plan(succeeded(3));
    expect(source.findings).toMatchObject({ received: 4, quarantined: 0, held: 4, unchanged: 1 });
    expect(made).toMatchObject({
      memberCount: 4,
      changes: { added: 2, removed: 1, updated: 1, unchanged: 1, quarantined: 0 },
      rewrite: false,
      figures: { baseline: 3, received: 4, added: 2, removed: 1, updated: 1, quarantined: 0 },
      forecast: { firestoreReads: 2 + 4 + 2, firestoreWrites: 7 + 4 + 1, seconds: 1 },
      warnings: [],
      missedEvents: { created: 1, updated: 1, deleted: 1 },
      letThrough: { added: 2, removed: 1, updated: 1, blanked: {} },
    });
    expect([...made.added]).toEqual([THREE, PEOPLE[4]].sort());
    expect([...made.removed]).toEqual([FOUR]);
  });

  it('is nothing where nothing differs, and costs what the reading does', async () => {
    holds([row(ONE)], [row(TWO)]);
    world.rows = [row(TWO), row(ONE)];
    const { made, mirror, source, at } = await plan(succeeded(2));
    expect(made).toMatchObject({
      changes: { added: 0, removed: 0, updated: 0, unchanged: 2 },
      forecast: { firestoreReads: 4, firestoreWrites: 4 },
      missedEvents: { created: 0, updated: 0, deleted: 0 },
    });
    await mirror.confirm(made, source, at);
    expect(world.forgotten).toEqual([ago(10 * MINUTE_MS)]);
  });

  it('counts what would be emptied, and what would only be noted', async () => {
    holds([row(ONE)], [row(TWO)]);
    const digest = 'ab'.repeat(32);
    world.rows = [row(ONE, { version: 4, contact_info: { email: '', phone: '' } }), row(TWO, { digest })];
    const { made } = await plan();
    expect(made).toMatchObject({
      changes: { updated: 1, unchanged: 1 },
      rewrite: true,
      figures: { updated: 1, blanked: { 'profile.email': 1, 'profile.phone': 1 } },
    });
  });

  it('judges a portal that was emptied by the last success', async () => {
    world.rows = [row(ONE), row(TWO)];
    const { made } = await plan(succeeded(5));
    expect(made.figures).toMatchObject({ baseline: 5, added: 0, removed: 3 });
    expect(made.figures).not.toHaveProperty('updated');
    expect(made.warnings).toEqual([
      {
        code: 'portal_emptied',
        message: 'The portal holds no active member although the last run left 5 in it.',
      },
    ]);
    expect((await plan(succeeded(0))).made).toMatchObject({ figures: { baseline: null }, warnings: [] });
    expect((await plan()).made).toMatchObject({ figures: { baseline: null }, missedEvents: null });
  });

  it('leaves out of its judgement what was let through before and is left', async () => {
    holds([row(ONE)], [row(TWO)]);
    world.rows = [
      row(ONE, { version: 4, contact_info: { email: '', phone: '5551234' } }),
      row(THREE),
      row(FOUR),
    ];
    const unfinished = { added: 1, removed: 1, updated: 5, blanked: { 'profile.email': 1 } };
    const { made } = await plan({ unfinished });
    expect(made.figures).toMatchObject({ added: 1, removed: 0, updated: 0, blanked: { 'profile.email': 0 } });
    expect(made.letThrough).toMatchObject({ added: 2, removed: 1, updated: 1 });
  });

  it('of a part is judged by the whole', async () => {
    holds([row(ONE)]);
    world.rows = [row(TWO)];
    const scope = {
      documents: [{ kennitala: ONE, stored: world.documents.get(ONE) as HeldDocument, state: '0' }],
      activeOutside: 10,
    };
    const { made, apply } = await plan(
      { unfinished: { added: 1, removed: 1, updated: 0, blanked: {} } },
      { scope },
    );
    expect(made).toMatchObject({
      memberCount: 11,
      changes: { added: 1, removed: 1, unchanged: 10 },
      figures: { baseline: 11, received: 11, added: 1, removed: 1 },
      forecast: { firestoreWrites: 7 + 2 + 1 },
    });
    expect(made).not.toHaveProperty('letThrough');
    await apply();
    expect(world.forgotten).toEqual([]);
  });

  it('of a part warns of no emptied portal while there is anybody', async () => {
    const document = { kennitala: ONE, stored: held(row(ONE)), state: '0' };
    world.rows = [row(ONE)];
    const warningsOf = async (documents: (typeof document)[], activeOutside: number) =>
      (await plan(succeeded(5), { scope: { documents, activeOutside } })).made.warnings.map(
        ({ code }) => code,
      );
    expect(await warningsOf([document], 1)).toEqual([]);
    expect(await warningsOf([], 1)).toEqual([]);
    expect(await warningsOf([], 0)).toEqual(['portal_emptied']);
  });

  it('of a first load is not judged by what is left of another one', async () => {
    world.rows = [row(ONE), row(TWO)];
    const { made } = await plan({ unfinished: { added: 1, removed: 0, updated: 0, blanked: {} } });
    expect(made.figures).toEqual((await plan()).made.figures);
  });

  it('has an id of what was said, of what was held and of what is to be done', async () => {
    world.rows = [row(ONE), row(TWO), row(THREE, { gender: 99 })];
    const { made } = await plan();
    const said = makeSetDigest();
    for (const one of [ONE, TWO]) {
      const member = parseRegistryMember(row(one));
      said.add(saidText(member, sourceHash(applyPatch(null, member))));
    }
    const operations = Array.from(
      made.differences,
      ({ kennitala, digest }) => `create ${kennitala} ${digest}`,
    );
    expect(operations).toHaveLength(2);
    expect(made.planId).toBe(
      makePlanId({
        mirror: 'portal',
        source: `${said.finish()} 3 1`,
        target: 'absent',
        operations: digestOperations(operations),
      }),
    );
  });

  it('has another id wherever anything differs', async () => {
    const idOf = async () => (await plan()).made.planId;
    world.rows = [row(ONE), row(TWO)];
    const ids = [await idOf()];
    world.rows = [row(TWO), row(ONE)];
    expect(await idOf()).toBe(ids[0]);
    world.rows = [row(ONE, { version: 4 }), row(TWO)];
    ids.push(await idOf());
    holds([row(ONE)]);
    ids.push(await idOf());
    holds([row(ONE), false]);
    ids.push(await idOf());
    world.rows = [row(ONE, { version: 4 }), row(TWO), row(THREE, { gender: 99 })];
    ids.push(await idOf());
    // A tombstone, about whom nothing is to be done.
    holds([row(FOUR), false]);
    ids.push(await idOf());
    expect(new Set(ids).size).toBe(6);
  });

  it('warns of what somebody should look at', async () => {
    holds([row(ONE, { version: 9 })], [row(TWO)], [row(THREE)]);
    world.documents.set('x' as Kennitala, held(row(FOUR)));
    world.rows = [row(ONE), row(ONE, { id: 99 }), { id: 2, ssn: 'unreadable' }, row(FOUR, { gender: 99 })];
    const index = makeMemoryPortal(world.documents).index;
    const { made } = await plan(succeeded(3), {
      index: {
        ...index,
        documents: async function* () {
          yield { kennitala: null, stored: held(row(FOUR)), state: '0' };
          for (const kennitala of [ONE, TWO, THREE])
            yield { kennitala, stored: world.documents.get(kennitala) as HeldDocument, state: '0' };
        },
      },
    });
    expect(made.warnings).toEqual([
      {
        code: 'versions_went_back',
        message: expect.stringMatching(/^Of 1 member the portal has a newer version/),
      },
      {
        code: 'removals_withheld',
        message: '1 member was on no page, but may be among those that cannot be read: kept.',
      },
      {
        code: 'duplicate_members',
        message: '1 member of the registry with the number of another one; the first one counts.',
      },
      {
        code: 'unknown_documents',
        message: "1 document of the portal with a name that is no member's kennitala: left alone.",
      },
    ]);
    expect([...made.removed]).toEqual([THREE]);
    expect(made.changes.quarantined).toBe(2);
  });

  it('removes nobody where somebody can be anybody', async () => {
    holds([row(ONE)], [row(TWO)]);
    world.rows = [row(ONE), { name: 'Nobody knows', ssn: 'unreadable' }];
    expect([...(await plan()).made.removed]).toEqual([]);
  });
});

describe('what is written', () => {
  beforeEach(() => {
    holds([row(ONE)], [row(TWO)], [row(THREE)]);
    world.rows = [row(ONE, { version: 4, name: 'Renamed Person' }), row(TWO), row(FOUR)];
  });
  const statusOf = (portal: ReturnType<typeof makeMemoryPortal>, kennitala: Kennitala) =>
    portal.documents().get(kennitala)?.member.membership.status;

  it.each([
    ['from what was kept', 100],
    ['from a second reading', 0],
  ])('is all of the plan, %s, and the roster is asked for', async (_what, keptWrites) => {
    const { apply, portal } = await plan(succeeded(3), { keptWrites });
    expect(await apply()).toEqual({
      memberCount: 3,
      overtaken: 0,
      missedEvents: { created: 1, updated: 1, deleted: 1 },
    });
    expect(portal.documents().get(ONE)?.member.profile.name).toBe('Renamed Person');
    expect([statusOf(portal, THREE), statusOf(portal, FOUR)]).toEqual(['inactive', 'active']);
    expect([world.refreshes, world.forgotten]).toEqual([1, [ago(10 * MINUTE_MS)]]);
    // Nobody goes whom the registry has not been asked about.
    expect(world.asked).toContain(THREE);
  });

  it('asks for no roster where nobody joins or leaves', async () => {
    world.rows = [row(ONE, { version: 4, name: 'Renamed Person' }), row(TWO), row(THREE)];
    await (await plan()).apply();
    expect(world.refreshes).toBe(0);
  });

  it('is not the removal of whom the registry has all the same', async () => {
    const { apply, portal } = await plan();
    world.rows.push(row(THREE));
    expect(await apply()).toMatchObject({ memberCount: 4, overtaken: 1 });
    expect(statusOf(portal, THREE)).toBe('active');
  });

  it('from a second reading is not what has changed since', async () => {
    const { apply, portal } = await plan({}, { keptWrites: 0 });
    world.rows[0] = row(ONE, { version: 5, name: 'Another Name' });
    world.rows.splice(2, 1);
    expect(await apply()).toMatchObject({ overtaken: 2, memberCount: 2 });
    expect(portal.documents().get(ONE)?.member.profile.name).toBe('Generated Person');
  });

  it('is what there was time for, and what is left is told', async () => {
    const ended = new AbortController();
    const { apply, portal } = await plan({ signal: ended.signal });
    ended.abort();
    expect(await apply()).toEqual({
      memberCount: 3,
      overtaken: 0,
      unfinished: { added: 1, removed: 1, updated: 1, blanked: {} },
    });
    expect([portal.writes(), world.forgotten]).toEqual([0, []]);
  });

  it('of many removals is confirmed for each', async () => {
    for (const kennitala of PEOPLE.slice(4)) holds([row(kennitala)]);
    const { apply, portal } = await plan();
    await apply();
    expect(portal.writes()).toBe(2 + PEOPLE.length - 4 + 1);
    for (const kennitala of PEOPLE.slice(4)) expect(statusOf(portal, kennitala)).toBe('inactive');
  });
});
