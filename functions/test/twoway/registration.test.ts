import { describe, expect, it } from 'vitest';
import { makeKennitalas } from '../support/kennitalas.ts';
import { makeWorld, type World } from './support/world.ts';

const [NEWCOMER] = makeKennitalas(1, 40_000);
if (NEWCOMER === undefined) throw new Error('There is no generated number.');

const open = () => makeWorld([], { companion: true, allowsCreate: true });
const register = (world: World) =>
  world.portal.register(NEWCOMER, {
    'profile.name': 'Generated Person',
    'profile.email': 'first@example.is',
  });
const deliverAll = async ({ events, registry, track, receive }: World): Promise<void> => {
  while (events.length + registry.webhooks.length > 0) {
    for (const event of events.splice(0)) await track(event);
    for (const webhook of registry.webhooks.splice(0)) await receive(webhook);
  }
};
const emailIn = ({ registry }: World) => registry.members.get(NEWCOMER)?.values['profile.email'];

describe('a registration in the portal', () => {
  it('makes the member in a registry that allows it, and comes back with their number there', async () => {
    const world = open();
    register(world);
    await deliverAll(world);
    expect(emailIn(world)).toBe('first@example.is');
    expect([...world.portal.items.values()]).toMatchObject([{ action: 'create', status: 'synced' }]);
    expect(world.portal.stored(NEWCOMER)?.meta).toMatchObject({ django_id: 1, source_version: 1 });
  });

  it('goes with what was edited since, as one change', async () => {
    const world = open();
    world.network.isDown = true;
    register(world);
    world.portal.edit(NEWCOMER, { 'profile.email': 'second@example.is' });
    const [first, second] = world.events.splice(0);
    if (first === undefined || second === undefined) throw new Error('Two events should have come.');
    // The edit arrives first, and finds nobody to edit.
    world.network.isDown = false;
    await world.track(first, { atCall: 1, takesEffect: false });
    expect(await world.track(second)).toBe(true);
    await deliverAll(world);
    expect(emailIn(world)).toBe('second@example.is');
    expect(world.registry.written.filter(({ path }) => path === 'profile.email')).toHaveLength(1);
  });

  it('whose answer was lost is not made twice', async () => {
    const world = open();
    register(world);
    const [event] = world.events.splice(0);
    if (event === undefined) throw new Error('An event should have come.');
    // Reading whether the member is there comes before: the fifth call tells the registry.
    expect(await world.track(event, { atCall: 4, takesEffect: true })).toBe(false);
    expect(world.registry.members.size).toBe(1);
    world.advance(5 * 60_000);
    await world.sweep('due');
    expect([...world.portal.items.values()]).toMatchObject([{ status: 'synced' }]);
  });
});
