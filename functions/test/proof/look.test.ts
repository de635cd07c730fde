import { beforeEach, describe, expect, it } from 'vitest';
import { bucketOf } from '../../src/domain/member/digest.ts';
import { SyncError } from '../../src/lib/errors.ts';
import { type Look, lookAtStores, UNDER_WAY_MS } from '../../src/proof/look.ts';
import type { OutboxRow } from '../../src/registry/ports.ts';
import {
  digestOf,
  type LookWorld,
  NOW,
  numbersOf,
  ONE,
  openLookWorld,
  portsOf,
  STRANGER,
  saidOf,
  sumsOf,
  THREE,
  TWO,
} from './support/look-world.ts';

let world: LookWorld;
beforeEach(() => {
  world = openLookWorld();
});
const look = async (): Promise<Look> => {
  const found = await lookAtStores(portsOf(world), new AbortController().signal);
  if (typeof found === 'string') throw new Error(found);
  return found;
};
const EQUAL = { state: 'equal', differences: 0, errorCode: null };
const differs = (differences: number | null) => ({ state: 'differs', differences, errorCode: null });
const event = (ssn: string, ageMs = 0): OutboxRow => ({
  id: 1,
  ssn,
  action: 'update',
  createdAt: new Date(NOW.getTime() - ageMs),
});

describe('a look at stores that are equal', () => {
  it('says so, and reads no member', async () => {
    expect(await look()).toEqual({
      members: 3,
      unreadable: 0,
      stores: { portal: EQUAL, register: EQUAL, roster: EQUAL },
      isUnderWay: false,
      found: null,
    });
    expect(world.asked).toEqual([]);
  });

  it('is one at those that are there', async () => {
    world.register = null;
    const absent = { state: 'absent', differences: null, errorCode: null };
    expect((await look()).stores).toEqual({ portal: EQUAL, register: absent, roster: EQUAL });
  });

  it.each(['portal', 'register', 'roster'] as const)(
    'knows nothing of the %s that does not answer',
    async (store) => {
      world.failing[store] = new SyncError('store_unavailable', 'away');
      const unknown = { state: 'unknown', differences: null, errorCode: 'store_unavailable' };
      expect((await look()).stores).toEqual({
        portal: EQUAL,
        register: EQUAL,
        roster: EQUAL,
        [store]: unknown,
      });
    },
  );

  it.each(['no_companion_app', 'digests_missing'] as const)(
    'is none with a registry that has %s',
    async (why) => {
      world.said = [why];
      expect(await lookAtStores(portsOf(world), new AbortController().signal)).toBe(why);
    },
  );
});

describe('what differs', () => {
  it.each<[string, () => void, Partial<Record<'portal' | 'register' | 'roster', number>>]>([
    ['nobody in the portal', () => world.portal.clear(), { portal: 3 }],
    ['one whom the portal lacks', () => world.portal.delete(ONE), { portal: 1 }],
    ['one who is in the portal alone', () => world.portal.set(STRANGER, numbersOf(9)), { portal: 1 }],
    ['one who is another in the portal', () => world.portal.set(ONE, numbersOf(9)), { portal: 1 }],
    [
      'two whom the register lacks',
      () => (world.register = new Map([[THREE, numbersOf(3)]])),
      { register: 2 },
    ],
    ['one who is another in the register', () => world.register?.set(ONE, numbersOf(9)), { register: 1 }],
    ['one of whom the register has no digest', () => world.register?.set(ONE, undefined), { register: 1 }],
    ['one who is in the register alone', () => world.register?.set(STRANGER, numbersOf(9)), { register: 1 }],
    ['one who is not on the list', () => (world.roster = `${TWO}\n${THREE}`), { roster: 1 }],
    ['one who is on the list alone', () => (world.roster += `\n${STRANGER}`), { roster: 1 }],
    [
      'one on the list beside a line that is none',
      () => (world.roster = `${TWO}\n${THREE}\nrubbish`),
      { roster: 2 },
    ],
    ['a list that is not there', () => (world.roster = null), { roster: 3 }],
    [
      'one whom all stores lack',
      () => void world.rows.set(STRANGER, { ...world.rows.get(ONE), ssn: STRANGER }),
      {
        portal: 1,
        register: 1,
        roster: 1,
      },
    ],
  ])('is %s', async (_what, change, differences) => {
    change();
    const { stores, isUnderWay } = await look();
    const entries = Object.entries(differences).map(([store, count]) => [store, differs(count)]);
    expect(stores).toEqual({ portal: EQUAL, register: EQUAL, roster: EQUAL, ...Object.fromEntries(entries) });
    expect(isUnderWay).toBe(false);
  });

  it('is found by reading the buckets that differ, once, in order, and no document of a portal that is equal', async () => {
    world.register?.delete(ONE);
    world.roster = [ONE, THREE].join('\n');
    const buckets = [ONE, TWO].map(bucketOf).sort((one, other) => one - other);
    const { found, members } = await look();
    expect([members, found?.buckets, found?.documents, found?.activeOutside]).toEqual([3, buckets, [], 3]);
    expect(world.asked).toEqual(buckets.map((bucket) => ['registry', bucket]));
    expect([...(found?.part.readable.keys() ?? [])].sort()).toEqual([ONE, TWO].sort());
  });

  it('comes with the documents of the portal’s buckets, and how many are in the others', async () => {
    world.portal.set(ONE, numbersOf(9));
    const { found } = await look();
    expect(found?.documents.map(({ kennitala }) => kennitala)).toEqual([ONE]);
    expect(found?.activeOutside).toBe(2);
  });

  it('is nothing where the registry’s members cannot be read: they stay as they are', async () => {
    world.rows.set(ONE, { ...world.rows.get(ONE), gender: 'none' });
    world.register?.delete(ONE);
    world.roster = `${TWO}\n${THREE}`;
    expect(await look()).toMatchObject({
      unreadable: 1,
      stores: { portal: EQUAL, register: EQUAL, roster: EQUAL },
      isUnderWay: false,
    });
  });
});

describe('what only a whole reading can tell', () => {
  it('is a document without a digest: the portal differs, by nobody knows how many', async () => {
    world.portal.set(STRANGER, undefined);
    expect(await look()).toMatchObject({
      stores: { portal: differs(null), register: EQUAL, roster: EQUAL },
      isUnderWay: false,
      found: null,
    });
    expect(world.asked).toEqual([]);
  });

  it('is that also beside a difference of another store, whatever is on its way', async () => {
    world.portal.set(STRANGER, undefined);
    world.register?.delete(ONE);
    world.outbox = [event(ONE)];
    expect(await look()).toMatchObject({
      stores: { portal: differs(null), register: differs(1) },
      isUnderWay: false,
      found: { documents: [], activeOutside: 4 },
    });
  });

  it('is a line of the list that is no kennitala', async () => {
    world.roster += '\nrubbish';
    expect(await look()).toMatchObject({
      stores: { portal: EQUAL, register: EQUAL, roster: differs(null) },
      isUnderWay: false,
      found: null,
    });
  });

  it.each([
    [20_001, 0],
    [20_000, 1],
  ])('are buckets of %i members, which are not read one by one', async (count, asked) => {
    const said = saidOf(world);
    const bucket = bucketOf(ONE);
    const buckets = said.buckets.map((sums, n) =>
      n === bucket ? { ...sums, members: { ...sums.members, count } } : sums,
    );
    world.said = [
      { ...said, buckets },
      { ...said, newestVersion: 8 },
    ];
    const { found, stores } = await look();
    expect([found, stores.portal, stores.register]).toEqual([null, differs(null), differs(null)]);
    expect(world.asked).toHaveLength(asked);
  });
});

describe('a difference that may be on its way', () => {
  it.each<[string, OutboxRow[], boolean]>([
    ['an event of each', [event(ONE), event(TWO)], true],
    ['an event of one of them', [event(ONE), event(STRANGER)], false],
    ['an event that is as old as may be', [event(ONE, UNDER_WAY_MS), event(TWO)], true],
    ['an older event', [event(ONE, UNDER_WAY_MS + 1), event(TWO)], false],
    ['an event with a hyphen in the number', [event(`${ONE.slice(0, 6)}-${ONE.slice(6)}`), event(TWO)], true],
    ['no event', [], false],
  ])('is one where the registry has %s: %s', async (_what, outbox, expected) => {
    world.portal.delete(ONE);
    world.register?.delete(TWO);
    world.outbox = outbox;
    expect((await look()).isUnderWay).toBe(expected);
  });

  it('is one where the registry changed while it was read', async () => {
    const before = saidOf(world);
    world.rows.set(ONE, { ...world.rows.get(ONE), digest: digestOf(8) });
    world.portal.delete(ONE);
    for (const again of [saidOf(world, 8), 'digests_missing'] as const) {
      world.said = [before, again];
      expect(await look()).toMatchObject({
        stores: { portal: differs(null), register: EQUAL, roster: EQUAL },
        isUnderWay: true,
        found: null,
      });
    }
  });

  it('is one where a store was written while it was read, and equal by then', async () => {
    world.before.register = sumsOf(new Map([[ONE, numbersOf(1)]]));
    expect(await look()).toMatchObject({ stores: { register: differs(null) }, isUnderWay: true });
    delete world.before.register;
    world.before.portal = { count: 3, a: 0, b: 0 };
    const { stores, isUnderWay, found } = await look();
    expect([stores.portal, isUnderWay]).toEqual([differs(null), true]);
    expect(found?.buckets).toHaveLength(1);
  });
});

it('throws where the registry’s members and sums disagree and nothing has changed', async () => {
  const before = saidOf(world);
  world.rows.set(ONE, { ...world.rows.get(ONE), digest: digestOf(8) });
  world.portal.delete(ONE);
  world.said = [before, before];
  await expect(look()).rejects.toMatchObject({
    code: 'registry_invalid_response',
    message: expect.stringContaining('The members of 1 buckets do not add up'),
    details: { buckets: 1, received: 1 },
  });
});
