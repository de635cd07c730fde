import { describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { SyncError } from '../../src/lib/errors.ts';
import { makeRegistryMembers } from '../../src/twoway/registry.ts';
import { makeKennitalas } from '../support/kennitalas.ts';
import type { RegistryKind } from '../world/registry.ts';
import { makeScenario, type Scenario } from './support/scenario.ts';

const [KENNITALA, OTHER, CORRECTED] = makeKennitalas(3) as [Kennitala, Kennitala, Kennitala];
type Event = Scenario['events'][number];
const kindOf = (companion: boolean): RegistryKind =>
  companion ? 'with the companion app' : 'that only writes';

const MINUTE = 60_000;
const NOT_TAKEN = 'the registry did not take this field';

/** The member as the list has them, in a portal beside a registry that ignores nearly all that it is sent. */
const startLegacy = async (values: Record<string, boolean | string> = {}): Promise<Scenario> => {
  const world = makeScenario([KENNITALA, OTHER], 'without it');
  world.introduce(KENNITALA, { 'profile.email': 'first@example.is', ...values });
  for (const kennitala of [KENNITALA, OTHER]) {
    await world.receive({
      id: `first-${kennitala}`,
      body: { kennitala, action: 'update', data: {}, version: null },
    });
    await world.reconcile(kennitala);
  }
  world.registry.announced.length = 0;
  world.events.length = 0;
  return world;
};
/** The member in a portal beside a registry that compares what a change was made on, or that does not; nothing is on its way. */
const startWithCompanion = async (companion: boolean): Promise<Scenario> => {
  const world = makeScenario([KENNITALA, OTHER], kindOf(companion));
  world.introduce(KENNITALA, {});
  for (const webhook of world.registry.announced.splice(0)) await world.receive(webhook);
  world.events.length = 0;
  return world;
};
const trackAll = async (world: Scenario): Promise<boolean[]> => {
  const taken: boolean[] = [];
  for (const event of world.events.splice(0)) taken.push(await world.track(event));
  return taken;
};
const itemOf = (world: Scenario) => {
  const [item, ...others] = world.items();
  expect(others).toEqual([]);
  return item;
};
const profileOf = (world: Scenario) => world.stored(KENNITALA)?.member.profile;

describe('a registry that says success to everything', () => {
  it('is believed for what its list shows afterwards, whatever its answer about one member says', async () => {
    const world = await startLegacy();
    expect(profileOf(world)?.email).toBe('first@example.is');
    world.edit(KENNITALA, { 'profile.email': 'new@example.is' });
    await trackAll(world);
    expect(world.registry.answer('/api/sync/member/:ssn/', { params: { ssn: KENNITALA } })).toMatchObject({
      email: 'old@example.is',
    });
    expect(itemOf(world)).toMatchObject({ status: 'synced', errorMessage: null });
    expect(profileOf(world)?.email).toBe('new@example.is');
    expect(world.conflicts()).toEqual([]);
  });

  it('leaves a dead letter at once of a field that it ignored, and the portal shows what it holds', async () => {
    const world = await startLegacy();
    world.edit(KENNITALA, { 'profile.email': 'new@example.is', 'profile.facebook': 'mine' });
    await trackAll(world);
    expect(itemOf(world)).toMatchObject({
      status: 'failed',
      errorMessage: `profile.facebook: ${NOT_TAKEN}`,
      settled: { 'profile.email': { outcome: 'synced' }, 'profile.facebook': { outcome: 'failed' } },
    });
    expect(profileOf(world)).toMatchObject({ email: 'new@example.is', facebook: '' });
  });

  it('that holds a third value by then leaves a conflict, with both values', async () => {
    const world = await startLegacy();
    const { apply } = world.registry;
    world.registry.apply = (change) => {
      const answer = apply(change);
      world.registry.edit(KENNITALA, { 'profile.email': 'office@example.is' });
      return answer;
    };
    world.edit(KENNITALA, { 'profile.email': 'new@example.is' });
    await trackAll(world);
    expect(itemOf(world)).toMatchObject({ status: 'conflict' });
    expect(world.conflicts()).toMatchObject([
      {
        paths: {
          'profile.email': {
            portal: { value: 'new@example.is' },
            registry: { value: 'office@example.is' },
            winner: 'registry',
            state: 'open',
          },
        },
      },
    ]);
    expect(profileOf(world)?.email).toBe('office@example.is');
  });

  it('that cannot be read back keeps the edit waiting, and is found to have it later', async () => {
    const world = await startLegacy();
    let readings = 0;
    world.network.before = (what) => {
      if (what === 'GET /api/members/') readings += 1;
      // The first reading goes before the change, the second after it.
      if (readings === 2) throw new SyncError('registry_timeout', 'slow');
    };
    world.edit(KENNITALA, { 'profile.email': 'new@example.is' });
    expect(await trackAll(world)).toEqual([false]);
    expect(itemOf(world)?.status).toBe('pending');
    world.advance(MINUTE);
    world.network.before = () => undefined;
    const writes = world.registry.told.length;
    await world.sweep('due');
    expect(itemOf(world)?.status).toBe('synced');
    expect(world.registry.told).toHaveLength(writes);
  });
});

describe('a consent that was withdrawn, and that the registry does not switch off', () => {
  const withdrawn = async (): Promise<Scenario> => {
    const world = await startLegacy({ 'profile.reachable': true });
    expect(profileOf(world)?.reachable).toBe(true);
    world.edit(KENNITALA, { 'profile.reachable': false });
    await trackAll(world);
    expect(itemOf(world)).toMatchObject({
      status: 'failed',
      errorMessage: `profile.reachable: ${NOT_TAKEN}`,
    });
    return world;
  };
  const hint = { id: 'msg_hint', body: { kennitala: KENNITALA, action: 'update', data: {}, version: null } };

  it.each([
    ['the reconcile', (world: Scenario) => world.reconcile(KENNITALA)],
    ['a hint', (world: Scenario) => world.receive(hint)],
    [
      'an event with a version',
      (world: Scenario) =>
        world.receive({
          id: 'msg_version',
          body: {
            kennitala: KENNITALA,
            action: 'update',
            data: world.registry.wireOf(KENNITALA),
            version: 99,
            occurred_at: world.now().toISOString(),
          },
        }),
    ],
    [
      'its deletion and return',
      async (world: Scenario) => {
        for (const [n, action] of ['delete', 'create'].entries()) {
          const data = action === 'delete' ? {} : { data: world.registry.wireOf(KENNITALA) };
          await world.receive({
            id: `msg_${n}`,
            body: { kennitala: KENNITALA, action, ...data, version: 90 + n },
          });
        }
      },
    ],
    ["the change queue's row", (world: Scenario) => world.pull()],
    ["an operator's next try of the dead letter", (world: Scenario) => world.sweep('failed')],
  ])('stays off after %s', async (_, happens) => {
    const world = await withdrawn();
    world.advance(60 * MINUTE);
    world.registry.edit(KENNITALA, { name: 'Generated anew' });
    await happens(world);
    expect(profileOf(world)?.reachable).toBe(false);
    await world.reconcile(KENNITALA);
    expect(profileOf(world)).toMatchObject({ reachable: false, name: 'Generated anew' });
    expect(world.stored(KENNITALA)?.member.membership.status).toBe('active');
  });

  /** The member withdraws, both sides write once more, and the webhook comes before the event of the withdrawal. */
  const overtaken = async (companion: boolean, mine: object, theirs: Record<string, string>) => {
    const world = makeScenario([KENNITALA, OTHER], kindOf(companion));
    world.introduce(KENNITALA, { 'profile.reachable': true });
    for (const webhook of world.registry.announced.splice(0)) await world.receive(webhook);
    world.events.length = 0;
    world.edit(KENNITALA, { 'profile.reachable': false, ...mine });
    world.registry.edit(KENNITALA, theirs);
    for (const webhook of world.registry.announced.splice(0)) await world.receive(webhook);
    return world;
  };

  it.each([
    [true, 'nothing', {}],
    [false, 'nothing', {}],
    [true, 'two other fields', { 'profile.email': 'mine@example.is', 'profile.facebook': 'mine' }],
    [false, 'two other fields', { 'profile.email': 'mine@example.is', 'profile.facebook': 'mine' }],
    [true, 'what the registry writes too', { 'profile.email': 'mine@example.is' }, 'office@example.is'],
    [false, 'what the registry writes too', { 'profile.email': 'mine@example.is' }, 'office@example.is'],
  ] as const)(
    'stays off when a webhook comes before its own event (companion app: %s), with %s written besides',
    async (companion, _, mine, email?: string) => {
      const theirs = { name: 'Renamed at that moment', ...(email && { 'profile.email': email }) };
      const world = await overtaken(companion, mine, theirs);
      expect(profileOf(world)).toMatchObject({ reachable: false, name: 'Renamed at that moment' });
      await world.reconcile(KENNITALA);
      expect(profileOf(world)?.reachable).toBe(false);
      await trackAll(world);
      expect(world.registry.rows.get(KENNITALA)?.values['profile.reachable']).toBe(false);
      for (const webhook of world.registry.announced.splice(0)) await world.receive(webhook);
      expect(profileOf(world)?.reachable).toBe(false);
    },
  );

  it('stays off when its event comes after another edit has ended, whose webhook shows it on', async () => {
    const world = await startWithCompanion(true);
    world.registry.edit(KENNITALA, { 'profile.reachable': true });
    for (const webhook of world.registry.announced.splice(0)) await world.receive(webhook);
    world.edit(KENNITALA, { 'profile.email': 'mine@example.is' });
    world.edit(KENNITALA, { 'profile.reachable': false });
    const [email, withdrawal] = world.events.filter(({ isServers }) => !isServers) as [Event, Event];
    await world.track(email);
    for (const webhook of world.registry.announced.splice(0)) await world.receive(webhook);
    expect(profileOf(world)).toMatchObject({ reachable: false, email: 'mine@example.is' });
    await world.track(withdrawal);
    expect(world.registry.rows.get(KENNITALA)?.values['profile.reachable']).toBe(false);
  });

  it.each([true, false])(
    'is off again with its own event, where it had been given a moment before the registry did (companion app: %s)',
    async (companion) => {
      const world = await startWithCompanion(companion);
      for (const reachable of [true, false]) world.edit(KENNITALA, { 'profile.reachable': reachable });
      world.registry.edit(KENNITALA, { 'profile.reachable': true });
      for (const webhook of world.registry.announced.splice(0)) await world.receive(webhook);
      // The document was as before, so that the registry's word was news.
      expect(profileOf(world)?.reachable).toBe(true);
      world.network.isDown = true;
      await trackAll(world);
      expect(profileOf(world)?.reachable).toBe(false);
      world.network.isDown = false;
      world.advance(60 * MINUTE);
      await world.sweep('due');
      expect(world.registry.rows.get(KENNITALA)?.values['profile.reachable']).toBe(false);
      expect(profileOf(world)?.reachable).toBe(false);
    },
  );

  it('is on again after the registry was seen off, and on later', async () => {
    const world = await withdrawn();
    world.registry.edit(KENNITALA, { 'profile.reachable': false });
    await world.reconcile(KENNITALA);
    expect(world.stored(KENNITALA)?.meta.withdrawn).toBeUndefined();
    world.registry.edit(KENNITALA, { 'profile.reachable': true });
    await world.reconcile(KENNITALA);
    expect(profileOf(world)?.reachable).toBe(true);
  });

  it.each([
    ['with the companion app', true],
    ['without it', false],
  ])('stays off while the edit that had given it comes to its end: %s', async (_, companion) => {
    const world = await startWithCompanion(companion);
    world.edit(KENNITALA, { 'profile.reachable': true });
    world.advance(1_000);
    world.edit(KENNITALA, { 'profile.reachable': false });
    const [given, withdrawn] = world.events.splice(0);
    if (given === undefined || withdrawn === undefined) throw new Error('Two events should have come.');
    await world.track(given);
    expect(profileOf(world)?.reachable).toBe(false);
    await world.track(withdrawn);
    expect(world.registry.rows.get(KENNITALA)?.values['profile.reachable']).toBe(false);
  });

  it.each([
    ['with the companion app', true],
    ['without it', false],
  ])('stays off while a third edit is refused before its own event: %s', async (_, companion) => {
    const world = await startWithCompanion(companion);
    world.edit(KENNITALA, { 'profile.reachable': true });
    world.edit(KENNITALA, { 'profile.reachable': false });
    world.edit(KENNITALA, { 'profile.facebook': 'refused' });
    const [given, withdrawn, refused] = world.events.splice(0) as [Event, Event, Event];
    for (const event of [given, refused]) {
      await world.track(event);
      expect(profileOf(world)?.reachable).toBe(false);
    }
    expect(profileOf(world)?.facebook).toBe('');
    await world.track(withdrawn);
    expect(world.registry.rows.get(KENNITALA)?.values['profile.reachable']).toBe(false);
  });

  it('follows a later word of the registry, here one that a refused edit reads', async () => {
    const world = await startWithCompanion(true);
    world.registry.edit(KENNITALA, { 'profile.reachable': true, 'profile.email': 'office@example.is' });
    world.edit(KENNITALA, { 'profile.facebook': 'refused' });
    await trackAll(world);
    expect(profileOf(world)).toMatchObject({ reachable: true, facebook: '', email: 'office@example.is' });
    for (const webhook of world.registry.announced.splice(0)) await world.receive(webhook);
    expect(profileOf(world)?.reachable).toBe(true);
  });

  it('is on again when the member gives it', async () => {
    const world = await withdrawn();
    world.advance(MINUTE);
    world.edit(KENNITALA, { 'profile.reachable': true });
    await trackAll(world);
    await world.reconcile(KENNITALA);
    expect(profileOf(world)?.reachable).toBe(true);
    expect(world.stored(KENNITALA)?.meta.withdrawn ?? {}).toEqual({});
  });
});

describe('a withdrawn consent whose number is corrected in the registry', () => {
  const REACHABLE = { 'profile.reachable': true };
  /** A registry that refuses withdrawals from now on, and a portal that shows the consent as the member left it. */
  const withdrawn = async (end: 'dead letter' | 'pending') => {
    const world = makeScenario([KENNITALA, OTHER], 'with the companion app');
    world.introduce(KENNITALA, REACHABLE);
    await arrive(world);
    world.events.length = 0;
    world.network.isDown = true;
    world.edit(KENNITALA, { 'profile.reachable': false });
    expect(await trackAll(world)).toEqual([false]);
    if (end === 'dead letter') {
      world.advance(3 * 24 * 60 * MINUTE);
      await world.sweep('due');
      expect(itemOf(world)?.status).toBe('failed');
    }
    world.network.isDown = false;
    return world;
  };
  const arrive = async (world: Scenario, order: 1 | -1 = 1) => {
    const webhooks = world.registry.announced.splice(0);
    for (const webhook of order === 1 ? webhooks : webhooks.toReversed()) await world.receive(webhook);
  };
  const shown = (world: Scenario) => world.stored(CORRECTED)?.member.profile.reachable;

  it.each([
    ['a dead letter', 'dead letter', 'its events', (world: Scenario) => arrive(world)],
    ['a dead letter', 'dead letter', 'its events in the other order', (world: Scenario) => arrive(world, -1)],
    ['a dead letter', 'dead letter', 'the reconcile alone', (world: Scenario) => world.reconcile(CORRECTED)],
    ['waiting still', 'pending', 'its events', (world: Scenario) => arrive(world)],
    ['waiting still', 'pending', 'the reconcile alone', (world: Scenario) => world.reconcile(CORRECTED)],
  ] as const)('and that is %s stays off, told by %s: %s', async (...[, end, , tell]) => {
    const world = await withdrawn(end);
    world.registry.correctNumber(KENNITALA, CORRECTED);
    await tell(world);
    expect(shown(world)).toBe(false);
    await world.reconcile(CORRECTED);
    expect(shown(world)).toBe(false);
    expect(world.stored(CORRECTED)?.meta.withdrawn).toHaveProperty(['profile.reachable']);
  });

  it.each([
    ['its events', (world: Scenario) => arrive(world)],
    ['the reconcile alone', (world: Scenario) => world.reconcile(CORRECTED)],
  ])('and refused before that number has a document stays off, told by %s', async (_, tell) => {
    const world = await withdrawn('pending');
    world.registry.correctNumber(KENNITALA, CORRECTED);
    const { apply } = world.registry;
    world.registry.apply = (change) =>
      change.kennitala === CORRECTED
        ? { ssn: CORRECTED, status: 'error', code: 'invalid_value', message: 'not here' }
        : apply(change);
    world.advance(2 * MINUTE);
    await world.sweep('due');
    expect(itemOf(world)).toMatchObject({ kennitala: CORRECTED, status: 'failed' });
    expect(world.stored(CORRECTED)).toBeNull();
    await tell(world);
    expect(shown(world)).toBe(false);
    await world.reconcile(CORRECTED);
    expect(shown(world)).toBe(false);
  });

  it('and given again before it was told leaves no mark', async () => {
    const world = await withdrawn('pending');
    world.edit(KENNITALA, { 'profile.reachable': true });
    await trackAll(world);
    world.registry.correctNumber(KENNITALA, CORRECTED);
    world.advance(2 * MINUTE);
    await world.sweep('due');
    await arrive(world);
    expect(shown(world)).toBe(true);
  });

  it('is on again once the registry was seen without it, under the new number', async () => {
    const world = await withdrawn('dead letter');
    world.registry.correctNumber(KENNITALA, CORRECTED);
    await arrive(world);
    for (const isOn of [false, true]) {
      world.registry.edit(CORRECTED, { 'profile.reachable': isOn });
      await arrive(world);
    }
    expect(shown(world)).toBe(true);
  });

  it('says nothing about another member, nor about a row with an id of its own', async () => {
    const world = await withdrawn('dead letter');
    world.introduce(OTHER, REACHABLE);
    await arrive(world);
    expect(world.stored(OTHER)?.member.profile.reachable).toBe(true);
  });

  it('does not come back with a number that the member had before they gave the consent again', async () => {
    const world = await withdrawn('dead letter');
    world.registry.correctNumber(KENNITALA, CORRECTED);
    await arrive(world);
    world.advance(MINUTE);
    world.edit(CORRECTED, { 'profile.reachable': true });
    await trackAll(world);
    await arrive(world);
    expect(shown(world)).toBe(true);
    world.registry.correctNumber(CORRECTED, OTHER);
    await arrive(world);
    expect(world.stored(OTHER)?.member.profile.reachable).toBe(true);
  });
});

describe('an edit that waits when the kennitala is corrected in the registry', () => {
  it.each<[string, RegistryKind]>([
    ['the companion app', 'with the companion app'],
    ['none', 'that only writes'],
    ['none, and answers from other tables', 'without it'],
  ])('follows the member, with %s', async (_, kind) => {
    const world = makeScenario([KENNITALA, OTHER], kind);
    world.introduce(KENNITALA, { 'profile.email': 'first@example.is' });
    const arrive = async () => {
      for (const webhook of world.registry.announced.splice(0)) await world.receive(webhook);
      for (const kennitala of world.registry.rows.keys()) await world.reconcile(kennitala);
    };
    await arrive();
    world.events.length = 0;
    world.network.isDown = true;
    world.edit(KENNITALA, { 'profile.email': 'new@example.is' });
    expect(await trackAll(world)).toEqual([false]);
    world.network.isDown = false;
    world.registry.correctNumber(KENNITALA, CORRECTED);
    await arrive();
    world.advance(2 * MINUTE);
    await world.sweep('due');
    await arrive();
    expect(itemOf(world)).toMatchObject({ kennitala: CORRECTED, status: 'synced' });
    expect(world.registry.rows.get(CORRECTED)?.values['profile.email']).toBe('new@example.is');
    expect(world.stored(CORRECTED)?.member.profile.email).toBe('new@example.is');
  });

  it('is a dead letter when the member is gone', async () => {
    const world = makeScenario([KENNITALA, OTHER], 'with the companion app');
    world.introduce(KENNITALA, { 'profile.email': 'first@example.is' });
    for (const webhook of world.registry.announced.splice(0)) await world.receive(webhook);
    world.events.length = 0;
    world.registry.rows.delete(KENNITALA);
    world.edit(KENNITALA, { 'profile.email': 'new@example.is' });
    await trackAll(world);
    expect(itemOf(world)).toMatchObject({ kennitala: KENNITALA, status: 'failed' });
    expect(itemOf(world)?.errorMessage).toMatch(/^unknown_member: /);
  });
});

describe('a conflict that was only a late event', () => {
  const late = async (companion: boolean) => {
    const world = makeScenario([KENNITALA, OTHER], kindOf(companion));
    world.introduce(KENNITALA, { 'profile.email': 'm@example.is' });
    for (const webhook of world.registry.announced.splice(0)) await world.receive(webhook);
    world.events.length = 0;
    world.edit(KENNITALA, { 'profile.email': 'first@example.is' });
    world.advance(1_000);
    world.edit(KENNITALA, { 'profile.email': 'second@example.is' });
    const [first, second] = world.events.splice(0);
    if (first === undefined || second === undefined) throw new Error('Two events should have come.');
    world.advance(25_000);
    expect(await world.track(second)).toBe(true);
    expect(world.conflicts()).toMatchObject([
      { paths: { 'profile.email': { state: 'open', winner: 'registry' } } },
    ]);
    world.advance(5_000);
    return { world, first };
  };

  it.each([true, false])(
    'closes itself when its predecessor arrives (companion app: %s)',
    async (companion) => {
      const { world, first } = await late(companion);
      expect(profileOf(world)?.email).toBe('m@example.is');
      expect(await world.track(first)).toBe(true);
      expect(world.conflicts()).toMatchObject([
        {
          paths: {
            'profile.email': {
              state: 'resolved',
              resolution: { keep: 'portal', value: 'second@example.is', by: 'late-edit' },
            },
          },
        },
      ]);
      expect(world.registry.rows.get(KENNITALA)?.values['profile.email']).toBe('second@example.is');
      expect(profileOf(world)?.email).toBe('second@example.is');
      expect(world.items().map(({ status }) => status)).toEqual(['synced', 'synced']);
    },
  );

  it('stays when the registry had written there too', async () => {
    const world = makeScenario([KENNITALA, OTHER], 'with the companion app');
    world.introduce(KENNITALA, { 'profile.email': 'm@example.is' });
    for (const webhook of world.registry.announced.splice(0)) await world.receive(webhook);
    world.events.length = 0;
    world.edit(KENNITALA, { 'profile.email': 'first@example.is' });
    world.advance(1_000);
    world.edit(KENNITALA, { 'profile.email': 'second@example.is' });
    world.registry.edit(KENNITALA, { 'profile.email': 'office@example.is' });
    const [first, second] = world.events.splice(0);
    if (first === undefined || second === undefined) throw new Error('Two events should have come.');
    world.advance(25_000);
    await world.track(second);
    await world.track(first);
    expect(world.conflicts()).toMatchObject([
      { paths: { 'profile.email': { state: 'open', resolution: null } } },
    ]);
    expect(world.registry.rows.get(KENNITALA)?.values['profile.email']).toBe('office@example.is');
  });

  it('closes without a change when the member has written once more', async () => {
    const { world, first } = await late(true);
    world.edit(KENNITALA, { 'profile.email': 'third@example.is' });
    await trackAll(world);
    expect(await world.track(first)).toBe(true);
    expect(world.conflicts()).toMatchObject([
      { paths: { 'profile.email': { state: 'resolved', resolution: { keep: 'registry' } } } },
    ]);
    expect(world.registry.rows.get(KENNITALA)?.values['profile.email']).toBe('third@example.is');
  });
});

describe('a row of the change queue', () => {
  const withDeletion = async (companion: boolean, isThere: boolean) => {
    const world = makeScenario([KENNITALA, OTHER], kindOf(companion));
    world.introduce(KENNITALA, { 'profile.email': 'm@example.is' });
    for (const webhook of world.registry.announced.splice(0)) await world.receive(webhook);
    world.registry.queue.splice(0, Number.POSITIVE_INFINITY, {
      id: 40_000,
      ssn: KENNITALA,
      action: 'delete',
      created_at: world.now().toISOString(),
    });
    const version = world.registry.rows.get(KENNITALA)?.version;
    if (!isThere) world.registry.rows.delete(KENNITALA);
    await world.pull();
    expect(world.registry.queue).toEqual([]);
    const { member, meta } = world.stored(KENNITALA) ?? {};
    return {
      status: member?.membership.status,
      isAsBefore: meta?.source_version === (companion ? version : null),
    };
  };

  it.each([true, false])(
    'of a deletion is a hint, and its id no version (versions: %s)',
    async (companion) => {
      expect(await withDeletion(companion, false)).toEqual({
        status: 'inactive',
        isAsBefore: true,
      });
    },
  );

  it.each([true, false])('deletes nobody whom the registry has (versions: %s)', async (companion) => {
    expect(await withDeletion(companion, true)).toEqual({ status: 'active', isAsBefore: true });
  });
});

describe('reading members of a registry whose list alone is right', () => {
  it('reads the list twice for any number that ask at once, and never one that began before they asked', async () => {
    const people = makeKennitalas(60);
    let readings = 0;
    const members = makeRegistryMembers({
      reader: { readMember: async (ssn) => ({ ssn, name: 'Generated', email: 'old@example.is' }) },
      pages: {
        pages: async function* () {
          readings += 1;
          const reading = readings;
          await new Promise((resolve) => setImmediate(resolve));
          const listed = people.map((ssn, n) => ({ id: n, ssn, name: 'G', email: `${reading}@example.is` }));
          yield { members: listed, count: people.length };
        },
      },
    });
    const { signal } = new AbortController();
    const read = await Promise.all(people.map((it) => members.read(it as Kennitala, { signal })));
    expect(read.every((it) => it?.content['profile.email']?.endsWith('@example.is'))).toBe(true);
    expect(read.some((it) => it?.content['profile.email'] === 'old@example.is')).toBe(false);
    expect(readings).toBeLessThanOrEqual(2);
  });

  it('says nothing of the e-mail of somebody whom the list lacks', async () => {
    const members = makeRegistryMembers({
      reader: { readMember: async (ssn) => ({ ssn, name: 'Generated', email: 'old@example.is' }) },
      pages: { pages: async function* () {} },
    });
    const said = await members.read(KENNITALA, new AbortController());
    expect(said?.content).toEqual({ 'profile.name': 'Generated' });
  });
});
