import { describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { SyncError } from '../../src/lib/errors.ts';
import { makeKennitalas } from '../support/kennitalas.ts';
import { makeScenario } from './support/scenario.ts';

const [KENNITALA, OTHER] = makeKennitalas(2) as [Kennitala, Kennitala];

const start = async () => {
  const world = makeScenario([KENNITALA, OTHER], 'with the companion app');
  world.introduce(KENNITALA, { 'profile.email': 'first@example.is' });
  for (const webhook of world.registry.announced.splice(0)) await world.receive(webhook);
  world.events.length = 0;
  const trackAll = async () => {
    for (const event of world.events.splice(0)) await world.track(event);
  };
  return { world, trackAll };
};

describe('a value that cannot be kept', () => {
  it.each([
    ['NUL', 'a\0b@example.is'],
    ['half of a pair', 'a\ud800b@example.is'],
    ['an escape', 'a\u001b[2Jb@example.is'],
    ['a turn of direction', 'a\u202eb@example.is'],
  ])('with %s is a dead letter at once, and the later edit goes through', async (_, value) => {
    const { world, trackAll } = await start();
    world.edit(KENNITALA, { 'profile.email': value });
    await trackAll();
    const [bad] = world.items();
    expect(bad).toMatchObject({ status: 'failed', deliveries: 0 });
    expect(bad?.errorMessage).not.toContain(value);
    expect(world.stored(KENNITALA)?.member.profile.email).toBe('first@example.is');
    world.edit(KENNITALA, { 'profile.email': 'good@example.is' });
    await trackAll();
    expect(world.registry.rows.get(KENNITALA)?.values['profile.email']).toBe('good@example.is');
  });

  it('leaves the other fields of the same edit alone', async () => {
    const { world, trackAll } = await start();
    world.edit(KENNITALA, { 'profile.email': 'a\0b', 'profile.facebook': 'mine' });
    await trackAll();
    expect(world.registry.rows.get(KENNITALA)?.values).toMatchObject({
      'profile.email': 'first@example.is',
      'profile.facebook': 'mine',
    });
    const [item] = world.items();
    expect(item).toMatchObject({ status: 'failed', settled: { 'profile.facebook': { outcome: 'synced' } } });
  });

  it('that the registry answers with 400 holds up neither the rest of the edit nor a later one', async () => {
    const { world, trackAll } = await start();
    const { apply } = world.registry;
    world.registry.apply = (change) => {
      if (change.changes['profile.email'] !== 'unheard@example.is') return apply(change);
      throw new SyncError('registry_rejected', 'no', { details: { status: 400 } });
    };
    world.edit(KENNITALA, { 'profile.email': 'unheard@example.is', 'profile.facebook': 'mine' });
    await trackAll();
    const [item] = world.items();
    expect(item).toMatchObject({
      status: 'failed',
      settled: { 'profile.email': { outcome: 'failed' }, 'profile.facebook': { outcome: 'synced' } },
    });
    world.edit(KENNITALA, { 'profile.email': 'good@example.is' });
    await trackAll();
    expect(world.registry.rows.get(KENNITALA)?.values['profile.email']).toBe('good@example.is');
  });

  it("on the registry's side of a conflict ends the edit as refused, and nothing of it is kept", async () => {
    const { world, trackAll } = await start();
    world.registry.edit(KENNITALA, { 'profile.email': 'a\ud800' });
    world.edit(KENNITALA, { 'profile.email': 'mine@example.is' });
    await trackAll();
    const [item] = world.items();
    expect(item).toMatchObject({ status: 'failed' });
    expect(item?.errorMessage).toMatch(/^unstorable_value: /);
    expect(world.conflicts()).toEqual([]);
  });

  it('and a reason that cannot be shown is not kept', async () => {
    const { world, trackAll } = await start();
    world.registry.apply = () => ({
      ssn: KENNITALA,
      status: 'error',
      code: 'invalid_value',
      message: 'no: a\ud800',
    });
    world.edit(KENNITALA, { 'profile.email': 'mine@example.is' });
    await trackAll();
    const [item] = world.items();
    expect(item).toMatchObject({
      status: 'failed',
      errorMessage: 'refused, with a reason that cannot be shown',
    });
  });
});

describe('an edit whose document was erased before its event came', () => {
  it('is written down nowhere, and the registry is not asked', async () => {
    const { world, trackAll } = await start();
    world.edit(KENNITALA, { 'profile.email': 'late@example.is' });
    world.erase(KENNITALA);
    const { apply } = world.registry;
    let asked = 0;
    world.registry.apply = (change) => {
      asked += 1;
      return apply(change);
    };
    await trackAll();
    expect([world.items().length, asked]).toEqual([0, 0]);
    expect(world.registry.rows.get(KENNITALA)?.values['profile.email']).toBe('first@example.is');
  });
});
