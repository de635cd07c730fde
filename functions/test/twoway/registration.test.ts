import { describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { makeKennitalas } from '../support/kennitalas.ts';
import { makeScenario, type Scenario } from './support/scenario.ts';

const [NEWCOMER] = makeKennitalas(1, 40_000);
if (NEWCOMER === undefined) throw new Error('There is no generated number.');

const open = () => makeScenario([], 'with the companion app', { allowsCreate: true });
const register = (world: Scenario) =>
  world.register(NEWCOMER, {
    'profile.name': 'Generated Person',
    'profile.email': 'first@example.is',
  });
type Webhook = Parameters<Scenario['receive']>[0];
const deliverAll = async ({ events, registry, track, receive }: Scenario): Promise<void> => {
  while (events.length + registry.announced.length > 0) {
    for (const event of events.splice(0)) await track(event);
    for (const webhook of registry.announced.splice(0)) await receive(webhook);
  }
};
/** A dead letter, since the registry has made them by itself. */
const refused = async (): Promise<Scenario> => {
  const world = open();
  register(world);
  world.registry.join(NEWCOMER, {});
  await deliverAll(world);
  world.registry.edit(NEWCOMER, { 'profile.email': 'other@example.is' });
  await deliverAll(world);
  expect(world.items()).toMatchObject([{ action: 'create', status: 'failed' }]);
  expect(world.stored(NEWCOMER)?.meta.django_id).toBe(1);
  return world;
};
const emailIn = ({ registry }: Scenario) => registry.rows.get(NEWCOMER)?.values['profile.email'];

describe('a registration in the portal', () => {
  it('makes the member in a registry that allows it, and comes back with their number there', async () => {
    const world = open();
    register(world);
    await deliverAll(world);
    expect(emailIn(world)).toBe('first@example.is');
    expect(world.items()).toMatchObject([{ action: 'create', status: 'synced' }]);
    expect(world.stored(NEWCOMER)?.meta).toMatchObject({ django_id: 1, source_version: 1 });
  });

  it('comes back with each one’s number where several are told at once, before any event of the registry', async () => {
    const world = open();
    const newcomers = makeKennitalas(3, 40_100);
    world.network.isDown = true;
    for (const kennitala of newcomers) world.register(kennitala, { 'profile.name': 'Generated Person' });
    for (const event of world.events.splice(0)) await world.track(event);
    world.network.isDown = false;
    await world.sweep('waiting');
    expect(world.items().map(({ status }) => status)).toEqual(['synced', 'synced', 'synced']);
    for (const kennitala of newcomers) {
      const id = world.registry.rows.get(kennitala)?.id;
      expect(id).toEqual(expect.any(Number));
      expect(world.stored(kennitala)?.meta.django_id).toBe(id);
    }
  });

  it('goes with what was edited since, as one change', async () => {
    const world = open();
    world.network.isDown = true;
    register(world);
    world.edit(NEWCOMER, { 'profile.email': 'second@example.is' });
    const [first, second] = world.events.splice(0);
    if (first === undefined || second === undefined) throw new Error('Two events should have come.');
    // The edit arrives first, and finds nobody to edit.
    world.network.isDown = false;
    await world.track(first, { what: 'commit a transaction', nth: 2, takesEffect: false });
    expect(await world.track(second)).toBe(true);
    await deliverAll(world);
    expect(emailIn(world)).toBe('second@example.is');
    expect(world.registry.told.filter(({ path }) => path === 'profile.email')).toHaveLength(1);
  });

  it.each([true, false])(
    'of somebody whom the registry has made shows what it holds (takes any: %s)',
    async (allowsCreate) => {
      const world = makeScenario([], 'with the companion app', { allowsCreate });
      register(world);
      const [event] = world.events.splice(0);
      if (event === undefined) throw new Error('An event should have come.');
      world.network.isDown = true;
      expect(await world.track(event)).toBe(false);
      world.network.isDown = false;
      world.registry.join(NEWCOMER, { 'profile.email': 'other@example.is' });
      // The waiting edit stands over the registry's word until it is refused.
      await world.reconcile(NEWCOMER);
      expect(world.stored(NEWCOMER)?.member.profile.email).toBe('first@example.is');
      world.advance(5 * 60_000);
      await world.sweep('due');
      expect(world.items()).toMatchObject([{ action: 'create', status: 'failed' }]);
      expect(world.stored(NEWCOMER)?.member.profile.email).toBe('other@example.is');
    },
  );

  it('whose consent is withdrawn before anybody has heard of that shows it off all the while', async () => {
    const world = open();
    world.register(NEWCOMER, { 'profile.reachable': true });
    const [event] = world.events.splice(0);
    if (event === undefined) throw new Error('An event should have come.');
    world.edit(NEWCOMER, { 'profile.reachable': false });
    const isOn = () => world.stored(NEWCOMER)?.member.profile.reachable;
    await world.track(event);
    expect(isOn()).toBe(false);
    for (const webhook of world.registry.announced.splice(0)) await world.receive(webhook);
    expect(isOn()).toBe(false);
    await deliverAll(world);
    expect(world.registry.rows.get(NEWCOMER)?.values['profile.reachable']).toBe(false);
    expect(isOn()).toBe(false);
  });

  it.each([
    ['an event of the registry', async (world: Scenario, webhook: Webhook) => world.receive(webhook)],
    ['a reconcile', async (world: Scenario) => world.reconcile(NEWCOMER)],
  ])('that gives no consent keeps its word over %s until its own event', async (_, tell) => {
    const world = open();
    world.registry.join(NEWCOMER, { 'profile.reachable': true });
    const [webhook] = world.registry.announced.splice(0);
    if (webhook === undefined) throw new Error('The registry should have told of them.');
    world.register(NEWCOMER, { 'profile.reachable': false });
    await tell(world, webhook);
    const isOn = () => world.stored(NEWCOMER)?.member.profile.reachable;
    expect(isOn()).toBe(false);
    await deliverAll(world);
    expect(isOn()).toBe(false);
  });

  it.each([
    ['keeps its word for the day in which its event may come', 24, false],
    ['of which no event has come for longer than a day is taken for a document from before', 26, true],
  ])('%s', async (_, hours, isOn) => {
    const world = open();
    world.registry.join(NEWCOMER, { 'profile.reachable': true });
    world.register(NEWCOMER, { 'profile.reachable': false });
    world.advance(hours * 3_600_000);
    await world.reconcile(NEWCOMER);
    expect(world.stored(NEWCOMER)?.member.profile.reachable).toBe(isOn);
  });

  it.each([
    ['a withdrawal', { 'profile.reachable': false }, 'synced'],
    ['another value', { 'profile.email': 'second@example.is' }, 'conflict'],
  ] as const)('that is refused lets %s go alone that was to go with it', async (_, said, status) => {
    const world = open();
    world.register(NEWCOMER, { 'profile.reachable': true, 'profile.email': 'first@example.is' });
    world.edit(NEWCOMER, said);
    world.registry.join(NEWCOMER, { 'profile.reachable': true, 'profile.email': 'other@example.is' });
    const [first] = world.events.splice(0, 1);
    if (first === undefined) throw new Error('An event should have come.');
    // It is written down, and not sent before the other one is.
    await world.track(first, { what: 'commit a transaction', nth: 2, takesEffect: false });
    await deliverAll(world);
    world.advance(60_000);
    await world.sweep('due');
    expect(world.items()).toMatchObject([
      { action: 'create', status: 'failed' },
      { action: 'update', status },
    ]);
    expect(world.registry.rows.get(NEWCOMER)?.values).toMatchObject(
      status === 'synced' ? said : { 'profile.email': 'other@example.is' },
    );
    expect(world.conflicts()).toHaveLength(status === 'synced' ? 0 : 1);
  });

  it.each([
    ['that shows the consents, and gives none, keeps them off', true, false],
    ['that does not show them has said nothing of them, and shows what the registry holds', false, true],
  ])('in a form %s, where the registry has its person already', async (_, isAsked, isOn) => {
    const world = open();
    world.registry.join(NEWCOMER, { 'profile.reachable': true });
    world.register(NEWCOMER, {}, isAsked);
    await deliverAll(world);
    expect(world.items()).toMatchObject([{ action: 'create', status: 'failed' }]);
    expect(world.stored(NEWCOMER)?.member.profile.reachable).toBe(isOn);
    expect(Object.keys(world.stored(NEWCOMER)?.meta.withdrawn ?? {})).toEqual(
      isAsked ? ['profile.reachable', 'profile.groupable'] : [],
    );
  });

  it('that does not show the consents makes a member without them', async () => {
    const world = open();
    world.register(NEWCOMER, { 'profile.name': 'Generated Person' }, false);
    await deliverAll(world);
    expect(world.items()).toMatchObject([{ action: 'create', status: 'synced' }]);
    expect(world.registry.rows.get(NEWCOMER)?.values['profile.reachable']).toBe(false);
    expect(world.items()[0]?.settled).not.toHaveProperty(['profile.reachable']);
  });

  it('of somebody whose number was corrected since makes nobody under the wrong one when it is tried again', async () => {
    const [, corrected] = makeKennitalas(2, 40_000) as [never, Kennitala];
    const world = open();
    world.register(NEWCOMER, { 'profile.reachable': true });
    world.registry.join(NEWCOMER, {});
    await deliverAll(world);
    expect(world.items()).toMatchObject([{ action: 'create', status: 'failed' }]);
    world.registry.edit(NEWCOMER, { 'profile.reachable': true });
    await deliverAll(world);
    world.edit(NEWCOMER, { 'profile.reachable': false });
    world.registry.correctNumber(NEWCOMER, corrected);
    await deliverAll(world);
    await world.sweep('failed');
    expect([...world.registry.rows.keys()]).toEqual([corrected]);
    expect(world.registry.rows.get(corrected)?.values['profile.reachable']).toBe(false);
    expect(world.items().map(({ errorMessage }) => errorMessage)).toContain(
      'already_exists: the registry has this person under another number',
    );
  });

  it('of somebody whose row is gone by the time that it is tried again makes them anew', async () => {
    const world = await refused();
    world.registry.leave(NEWCOMER);
    await world.sweep('failed');
    expect(world.items()).toMatchObject([{ status: 'synced' }]);
    expect(emailIn(world)).toBe('first@example.is');
  });

  it('is for the registry to judge where their row has the number again when it is looked for', async () => {
    const [, corrected] = makeKennitalas(2, 40_000) as [never, Kennitala];
    const world = await refused();
    world.registry.correctNumber(NEWCOMER, corrected);
    world.network.before = (what) => {
      if (what === 'GET /api/members/' && world.registry.rows.has(corrected))
        world.registry.correctNumber(corrected, NEWCOMER);
    };
    await world.sweep('failed');
    expect(world.items()).toMatchObject([{ errorMessage: 'already_exists: refused by the model' }]);
    expect([...world.registry.rows.keys()]).toEqual([NEWCOMER]);
  });

  it('whose answer was lost is not made twice', async () => {
    const world = open();
    register(world);
    const [event] = world.events.splice(0);
    if (event === undefined) throw new Error('An event should have come.');
    expect(await world.track(event, { what: 'POST /api/sync/apply/', nth: 1, takesEffect: true })).toBe(
      false,
    );
    expect(world.registry.rows.size).toBe(1);
    world.advance(5 * 60_000);
    await world.sweep('due');
    expect(world.items()).toMatchObject([{ status: 'synced' }]);
  });
});
