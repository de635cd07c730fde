import { describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { parseRegistryMember } from '../../src/domain/member/parse-registry-member.ts';
import { decideMember } from '../../src/portal/reconcile/decide-member.ts';
import { makeKennitalas } from '../support/kennitalas.ts';
import { makeScenario, type Scenario } from './support/scenario.ts';

const [FORMER, CORRECTED] = makeKennitalas(2, 41_000) as [never, never];
const CONSENT = 'profile.reachable';
const EMAIL = 'profile.email';

/** A member who consents, and whose number was corrected; the portal has not heard of that yet. */
const corrected = async (isOn = true): Promise<Scenario> => {
  const world = makeScenario([FORMER], 'with the companion app');
  world.introduce(FORMER, { [CONSENT]: isOn });
  await arrive(world);
  world.events.length = 0;
  world.registry.correctNumber(FORMER, CORRECTED);
  return world;
};
const arrive = async ({ registry, receive }: Scenario): Promise<void> => {
  for (const webhook of registry.announced.splice(0)) await receive(webhook);
};
const trackAll = async ({ events, track }: Scenario): Promise<void> => {
  for (const event of events.splice(0)) await track(event);
};
const isOn = (world: Scenario) => world.stored(CORRECTED)?.member.profile.reachable;

describe('a consent withdrawn in the document of the former number', () => {
  it.each([
    ['the events', arrive],
    ['the reconcile', (world: Scenario) => world.reconcile(CORRECTED)],
  ])('of which nobody has heard is off in the first document that %s make', async (_, tell) => {
    const world = await corrected();
    world.edit(FORMER, { [CONSENT]: false });
    await tell(world);
    expect(isOn(world)).toBe(false);
    // Its own event then brings it to the registry.
    await trackAll(world);
    await arrive(world);
    expect(world.registry.rows.get(CORRECTED)?.values[CONSENT]).toBe(false);
    expect(isOn(world)).toBe(false);
  });

  it('and given again there leaves no mark', async () => {
    const world = await corrected();
    world.edit(FORMER, { [CONSENT]: false });
    await trackAll(world);
    world.edit(FORMER, { [CONSENT]: true });
    await arrive(world);
    await trackAll(world);
    await arrive(world);
    expect(isOn(world)).toBe(true);
  });

  it('and given just before, which nobody has heard of either, is never shown on', async () => {
    const world = await corrected(false);
    world.edit(FORMER, { [CONSENT]: true });
    world.edit(FORMER, { [CONSENT]: false });
    await arrive(world);
    const [given, ...later] = world.events.splice(0);
    if (given === undefined) throw new Error('An event should have come.');
    await world.track(given);
    await arrive(world);
    expect(isOn(world)).toBe(false);
    for (const event of later) await world.track(event);
    await arrive(world);
    expect(isOn(world)).toBe(false);
    expect(world.items().map(({ status }) => status)).toEqual(['synced', 'synced']);
    expect(world.registry.rows.get(CORRECTED)?.values[CONSENT]).toBe(false);
  });

  it('is switched off by the reconcile that brings the id, also in a document that is seconds old', async () => {
    const world = await corrected();
    await world.reconcile(CORRECTED);
    const stored = world.stored(CORRECTED);
    if (stored === null) throw new Error('There should be a document.');
    const seen = {
      stored: { ...stored, meta: { ...stored.meta, django_id: null } },
      state: null,
      pending: [],
      writtenAt: world.now(),
    };
    const said = parseRegistryMember(world.registry.wireOf(CORRECTED));
    const former = { [CONSENT]: world.now() };
    expect(decideMember({ ...seen, former }, said, world.now())).toMatchObject({
      kind: 'update',
      meta: { withdrawn: former },
    });
  });
});

describe('a word in the document of the new number that an edit of the former one comes before', () => {
  it('is superseded by it, and shown no longer', async () => {
    const world = await corrected(false);
    const [, creation] = world.registry.announced;
    if (creation === undefined) throw new Error('An event should have come.');
    await world.receive(creation);
    world.events.length = 0;
    world.edit(CORRECTED, { 'profile.email': 'first@example.is' });
    world.edit(FORMER, { 'profile.email': 'last@example.is' });
    const [late, moved] = world.events.splice(0);
    if (late === undefined || moved === undefined) throw new Error('Two events should have come.');
    await world.track(moved);
    await world.track(late);
    expect(world.registry.rows.get(CORRECTED)?.values['profile.email']).toBe('last@example.is');
    expect(world.stored(CORRECTED)?.member.profile.email).toBe('last@example.is');
  });

  it.each([
    ['has been delivered', false],
    ['waits still', true],
  ])('does not keep on a consent that was withdrawn later, where that %s', async (_, waits) => {
    const world = await corrected();
    const [deletion, creation] = world.registry.announced.splice(0);
    if (deletion === undefined || creation === undefined) throw new Error('Two events should have come.');
    world.register(CORRECTED, { [CONSENT]: true });
    world.edit(FORMER, { [CONSENT]: false });
    const [registration, withdrawal] = world.events.splice(0);
    if (registration === undefined || withdrawal === undefined)
      throw new Error('Two events should have come.');
    await world.track(
      withdrawal,
      waits ? { what: 'POST /api/sync/apply/', nth: 1, takesEffect: false } : undefined,
    );
    expect(world.items()).toMatchObject([{ kennitala: CORRECTED, status: waits ? 'pending' : 'synced' }]);
    for (const webhook of [creation, deletion]) await world.receive(webhook);
    world.advance(10 * 60_000);
    await world.track(registration);
    await world.sweep('waiting');
    await trackAll(world);
    await arrive(world);
    expect(world.registry.rows.get(CORRECTED)?.values[CONSENT]).toBe(false);
    expect(isOn(world)).toBe(false);
  });
});

it('an edit that moved into a registration which is refused keeps nobody waiting', async () => {
  const world = await corrected();
  world.edit(FORMER, { 'profile.email': 'mine@example.is' });
  world.register(CORRECTED, {});
  world.edit(CORRECTED, { 'profile.email': 'last@example.is' });
  const [moved, registration, last] = world.events.splice(0);
  if (moved === undefined || registration === undefined || last === undefined)
    throw new Error('Three events should have come.');
  // It is written down under the new number, and claimed by nobody.
  await world.track(moved, { what: 'commit a transaction', nth: 5, takesEffect: false });
  expect(world.items()).toMatchObject([{ kennitala: CORRECTED, claim: null, status: 'pending' }]);
  await world.track(registration, { what: 'commit a transaction', nth: 2, takesEffect: false });
  world.advance(30_000);
  await world.track(last);
  expect(world.items().map(({ status }) => status)).toEqual(['synced', 'failed', 'synced']);
  expect(world.registry.rows.get(CORRECTED)?.values['profile.email']).toBe('last@example.is');
});

it.each<[string, { readonly 'profile.email'?: string; readonly [CONSENT]?: true }]>([
  ['another value is delivered', { 'profile.email': 'mine@example.is' }],
  ['a consent yields to the later withdrawal', { [CONSENT]: true }],
])('of an edit that moved before a registration which is refused, %s', async (_, said) => {
  const world = await corrected(false);
  world.edit(FORMER, said);
  world.register(CORRECTED, {});
  const [moved, registration] = world.events.splice(0);
  if (moved === undefined || registration === undefined) throw new Error('Two events should have come.');
  await world.track(moved, { what: 'commit a transaction', nth: 5, takesEffect: false });
  await arrive(world);
  await world.track(registration);
  await arrive(world);
  const email = said['profile.email'] ?? '';
  expect(world.items().map(({ status }) => status)).toEqual(['synced', 'failed']);
  expect(world.registry.rows.get(CORRECTED)?.values).toMatchObject({
    [CONSENT]: false,
    'profile.email': email,
  });
  expect(world.stored(CORRECTED)?.member.profile).toMatchObject({ reachable: false, email });
});

it('an edit that comes to the new number late yields to what its member has said there since', async () => {
  const world = await corrected(false);
  world.edit(FORMER, { 'profile.email': 'former@example.is' });
  const [late] = world.events.splice(0);
  if (late === undefined) throw new Error('An event should have come.');
  await arrive(world);
  world.edit(CORRECTED, { 'profile.email': 'last@example.is' });
  await trackAll(world);
  await world.track(late);
  expect(world.items()).toMatchObject([{ settled: { 'profile.email': { outcome: 'superseded' } } }, {}]);
  expect(world.registry.rows.get(CORRECTED)?.values['profile.email']).toBe('last@example.is');
});

it('an edit that moved and another member’s are delivered together', async () => {
  const [, , OTHER] = makeKennitalas(3, 41_000) as [never, never, Kennitala];
  const world = await corrected(false);
  world.registry.join(OTHER, {});
  await arrive(world);
  world.events.length = 0;
  world.edit(FORMER, { 'profile.email': 'moved@example.is' });
  world.edit(OTHER, { 'profile.email': 'other@example.is' });
  const [moved, other] = world.events.splice(0);
  if (moved === undefined || other === undefined) throw new Error('Two events should have come.');
  await world.track(moved, { what: 'commit a transaction', nth: 5, takesEffect: false });
  await world.track(other, { what: 'commit a transaction', nth: 2, takesEffect: false });
  expect(world.items().map(({ status, claim }) => [status, claim])).toEqual([
    ['pending', null],
    ['pending', null],
  ]);
  await world.sweep('waiting');
  expect(world.items().map(({ status }) => status)).toEqual(['synced', 'synced']);
  expect(world.registry.rows.get(CORRECTED)?.values['profile.email']).toBe('moved@example.is');
  expect(world.registry.rows.get(OTHER)?.values['profile.email']).toBe('other@example.is');
});

it('a word in the document of the new number before one that moved into a conflict is shown no longer', async () => {
  const world = await corrected(false);
  world.registry.edit(CORRECTED, { 'profile.email': 'theirs@example.is' });
  await arrive(world);
  world.events.length = 0;
  world.edit(CORRECTED, { 'profile.email': 'first@example.is' });
  world.edit(FORMER, { 'profile.email': 'last@example.is' });
  const [late, moved] = world.events.splice(0);
  if (late === undefined || moved === undefined) throw new Error('Two events should have come.');
  await world.track(moved);
  expect(world.conflicts()).toMatchObject([{ paths: { 'profile.email': { state: 'open' } } }]);
  await world.track(late);
  expect(world.items().map(({ settled }) => settled['profile.email']?.outcome)).toEqual([
    'superseded',
    'conflict',
  ]);
  expect(world.stored(CORRECTED)?.member.profile.email).toBe('theirs@example.is');
});

it.each<[string, object, object, boolean, boolean]>([
  ['alone', {}, {}, true, true],
  ['with a value that the registry’s event has written over', { [EMAIL]: 'mine@example.is' }, {}, true, true],
  ['with a value that the portal still shows', { [EMAIL]: 'mine@example.is' }, {}, false, false],
  ['beside a value that nobody has heard of', {}, { [EMAIL]: 'mine@example.is' }, true, false],
])(
  'a consent that the registry gave later than a withdrawal that moved is at most off until its next word, when an earlier word of the new number comes last: %s',
  async (_, beside, since, hasCome, stays) => {
    const world = await corrected(false);
    await arrive(world);
    world.events.length = 0;
    world.edit(CORRECTED, { [CONSENT]: true, ...beside });
    world.edit(FORMER, { [CONSENT]: true });
    world.edit(FORMER, { [CONSENT]: false });
    const [late, given, withdrawn] = world.events.splice(0);
    if (late === undefined || given === undefined || withdrawn === undefined)
      throw new Error('Three events should have come.');
    world.advance(2 * 60 * 60_000);
    world.registry.edit(CORRECTED, { [CONSENT]: true });
    if (hasCome) await arrive(world);
    await world.track(given, { what: 'commit a transaction', nth: 2, takesEffect: false });
    await world.track(withdrawn);
    expect(world.items().map(({ settled }) => settled[CONSENT]?.outcome)).toEqual(['cancelled', 'cancelled']);
    world.edit(CORRECTED, since);
    await world.track(late, { what: 'commit a transaction', nth: 2, takesEffect: false });
    expect(isOn(world)).toBe(stays);
    await world.sweep('waiting');
    await trackAll(world);
    await arrive(world);
    expect(isOn(world)).toBe(true);
  },
);

it('a consent withdrawn in a document whose registration the registry has just taken is withdrawn under the corrected number', async () => {
  const world = makeScenario([], 'with the companion app', { allowsCreate: true });
  world.register(FORMER, { 'profile.name': 'Generated Person', [CONSENT]: true });
  await trackAll(world);
  world.registry.correctNumber(FORMER, CORRECTED);
  const creation = world.registry.announced.pop();
  if (creation === undefined) throw new Error('An event should have come.');
  world.edit(FORMER, { [CONSENT]: false });
  await world.receive(creation);
  expect(isOn(world)).toBe(false);
  await trackAll(world);
  await arrive(world);
  expect(world.items().map(({ status }) => status)).toEqual(['synced', 'synced']);
  expect(world.registry.rows.get(CORRECTED)?.values[CONSENT]).toBe(false);
  expect(isOn(world)).toBe(false);
});
