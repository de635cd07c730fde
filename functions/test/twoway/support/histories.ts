import * as fc from 'fast-check';
import { expect } from 'vitest';
import type { Kennitala } from '../../../src/domain/kennitala.ts';
import type { Json } from '../../../src/domain/member/fields.ts';
import { isSameJson } from '../../../src/twoway/queue.ts';
import { makeKennitalas } from '../../support/kennitalas.ts';
import { isTakenByLegacy, MODEL_PATHS, type ModelOptions, REFUSED_VALUE } from './registry-model.ts';
import { type Death, makeWorld, type World } from './world.ts';

const MEMBERS = makeKennitalas(2) as [Kennitala, Kennitala];
const SECOND = 1_000;
const STEPS_MS = [1, 300, 2 * SECOND, 30 * SECOND, 10 * 60 * SECOND, 3 * 3_600 * SECOND, 26 * 3_600 * SECOND];

const death: fc.Arbitrary<Death | null> = fc.option(
  fc.record({ atCall: fc.nat(7), takesEffect: fc.boolean() }),
  { freq: 3 },
);
const which = fc.nat(30);
const member = fc.nat(1);
const path = fc.nat(MODEL_PATHS.length - 1);
const value = fc.nat(5);

/** One thing that happens. Indices are taken modulo what there is. */
const action = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('edit' as const), member, path, value }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('edit-two' as const), member, value, other: value }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('registry-edit' as const), member, path, value }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('registry-name' as const), member, value }) },
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('event' as const), which, again: fc.boolean(), death }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('events' as const), which, other: which, death }) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('webhook' as const), which, again: fc.boolean(), death }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('event-and-webhook' as const), which, other: which, death }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('sweep' as const),
      how: fc.constantFrom('due', 'waiting'),
      death,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pull' as const), death }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reconcile' as const), member }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), step: fc.nat(STEPS_MS.length - 1) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('network' as const), isDown: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cold-start' as const) }) },
);

type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

export const history = fc.record({
  seed: fc.nat(),
  actions: fc.array(action, { minLength: 1, maxLength: 40, size: 'max' }),
});

export type History = typeof history extends fc.Arbitrary<infer T> ? T : never;

interface Made {
  readonly eventId: string;
  readonly kennitala: Kennitala;
  readonly values: Readonly<Record<string, Json>>;
  readonly at: Date;
}

/** Plays a history, lets everything that is on its way arrive, and checks what must be true then. */
export const playHistory = async ({ seed, actions }: History, options: ModelOptions): Promise<void> => {
  const world = makeWorld(MEMBERS, options);
  world.reseed(seed);
  const edits: Made[] = [];
  for (const kennitala of MEMBERS)
    world.registry.introduce(kennitala, { 'profile.email': 'first@example.is' });
  for (const webhook of world.registry.webhooks.splice(0)) await world.receive(webhook);
  // A legacy registry's hints bring no e-mail: the list does, at night.
  const isLegacy = options.isLegacy === true;
  const reconcileAll = async (): Promise<void> => {
    for (const kennitala of MEMBERS) await world.reconcile(kennitala);
  };
  if (isLegacy) await reconcileAll();
  for (const one of actions) {
    await play(world, one, edits);
    world.advance(1);
  }
  await settleAll(world);
  // An operator tries the dead letters again, now that the registry is there.
  await world.sweep('failed');
  await settleAll(world);
  if (isLegacy) await reconcileAll();
  await settleAll(world);
  checkConsents(world, edits);
  checkEqual(world, isLegacy);
  checkEdits(world, edits, isLegacy);
  checkOverwritten(world);
  checkLastWord(world, edits, isLegacy);
  checkMessages(world, actions.length);
};

const jsonOf = (pathIndex: number, value: number): Json => {
  if (MODEL_PATHS[pathIndex] === 'profile.reachable') return value % 2 === 0;
  return value === 5 ? REFUSED_VALUE : `${'abcde'[value]}@example.is`;
};

const play = async (world: World, one: Action, edits: Made[]): Promise<void> => {
  switch (one.kind) {
    case 'edit':
      editMember(world, one.member, { [pathAt(one.path)]: jsonOf(one.path, one.value) }, edits);
      return;
    case 'edit-two':
      editMember(
        world,
        one.member,
        { [pathAt(0)]: jsonOf(0, one.value), [pathAt(1)]: jsonOf(1, one.other) },
        edits,
      );
      return;
    case 'registry-edit':
      editRegistry(world, one.member, pathAt(one.path), jsonOf(one.path, Math.min(one.value, 4)));
      return;
    case 'registry-name':
      editRegistry(world, one.member, 'name', `Generated ${one.value}`);
      return;
    case 'event':
      await deliverEvent(world, one.which, one.again, one.death);
      return;
    case 'events':
      await Promise.all([
        deliverEvent(world, one.which, false, one.death),
        deliverEvent(world, one.other, true, null, true),
      ]);
      return;
    case 'webhook':
      await deliverWebhook(world, one.which, one.again, one.death);
      return;
    case 'event-and-webhook':
      await Promise.all([
        deliverEvent(world, one.which, false, one.death),
        deliverWebhook(world, one.other, false, null),
      ]);
      return;
    case 'sweep':
      await world.sweep(one.how === 'due' ? 'due' : 'waiting', one.death);
      return;
    case 'pull':
      await world.pull(one.death);
      return;
    case 'reconcile':
      await world.reconcile(memberAt(one.member));
      return;
    case 'wait':
      world.advance(STEPS_MS[one.step] ?? 0);
      return;
    case 'network':
      world.network.isDown = one.isDown;
      return;
    case 'cold-start':
      world.coldStart();
      return;
    default: {
      const never: never = one;
      return never;
    }
  }
};

const pathAt = (index: number): string => MODEL_PATHS[index] ?? MODEL_PATHS[0];

const memberAt = (index: number): Kennitala => MEMBERS[index] ?? MEMBERS[0];

const editMember = (
  world: World,
  index: number,
  values: Readonly<Record<string, Json>>,
  edits: Made[],
): void => {
  const kennitala = memberAt(index);
  const before = world.events.length;
  const shown = world.portal.stored(kennitala)?.member.profile;
  const changed = Object.fromEntries(
    Object.entries(values).filter(
      ([path, value]) => shown?.[path.slice('profile.'.length) as keyof typeof shown] !== value,
    ),
  );
  // A write that changes nothing fires no trigger.
  if (Object.keys(changed).length === 0) return;
  world.portal.edit(kennitala, values);
  const event = world.events[before];
  if (event !== undefined)
    edits.push({ eventId: event.eventId, kennitala, values: changed, at: world.now() });
};

const editRegistry = (world: World, index: number, path: string, value: Json): void => {
  const kennitala = memberAt(index);
  if (world.registry.members.get(kennitala)?.values[path] === value) return;
  world.registry.edit(kennitala, { [path]: value });
};

/** An event that is not taken comes again; one that is taken may come again too. */
const deliverEvent = async (
  { events, track }: World,
  index: number,
  again: boolean,
  dies: Death | null,
  isBesideAnother = false,
): Promise<void> => {
  const [event] = events.splice(index % Math.max(1, events.length), 1);
  if (event === undefined) return;
  const isTaken = await track(event, dies, isBesideAnother);
  if (!isTaken || again) events.push(event);
};

const deliverWebhook = async (
  world: World,
  index: number,
  again: boolean,
  dies: Death | null,
): Promise<void> => {
  const { webhooks } = world.registry;
  const [webhook] = webhooks.splice(index % Math.max(1, webhooks.length), 1);
  if (webhook === undefined) return;
  const isTaken = await world.receive(webhook, dies);
  if (!isTaken || again) webhooks.push(webhook);
};

const ROUNDS = 60;

const settleAll = async (world: World): Promise<void> => {
  world.network.isDown = false;
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const event of world.events.splice(0)) if (!(await world.track(event))) world.events.push(event);
    for (const webhook of world.registry.webhooks.splice(0)) {
      if (!(await world.receive(webhook))) world.registry.webhooks.push(webhook);
    }
    if (round % 3 === 2) await world.sweep('due');
    const waits = [...world.portal.items.values()].some(({ status }) => status === 'pending');
    if (world.events.length === 0 && world.registry.webhooks.length === 0 && !waits) return;
    world.advance(60 * SECOND);
  }
  expect.fail('messages are still on their way');
};

/** Nothing switches on a consent that its member withdrew last, unless the registry did so later. */
const checkConsents = ({ portal, registry }: World, edits: readonly Made[]): void => {
  const path = 'profile.reachable';
  for (const kennitala of MEMBERS) {
    const last = edits.findLast((it) => it.kennitala === kennitala && path in it.values);
    if (last?.values[path] !== false) continue;
    const isRegistrysLater = registry.written.some(
      (it) => it.kennitala === kennitala && it.path === path && it.by === 'registry' && it.at > last.at,
    );
    if (!isRegistrysLater) expect(portal.stored(kennitala)?.member.profile.reachable).toBe(false);
  }
};

/** Both sides are equal, but for a withdrawn consent that a legacy registry does not take. */
const checkEqual = ({ portal, registry }: World, isLegacy: boolean): void => {
  for (const kennitala of MEMBERS) {
    const stored = portal.stored(kennitala);
    const profile = stored?.member.profile;
    const isWithdrawn = isLegacy && stored?.meta.withdrawn?.['profile.reachable'] !== undefined;
    const values = {
      ...registry.members.get(kennitala)?.values,
      ...(isWithdrawn && { 'profile.reachable': false }),
    };
    expect({
      name: profile?.name,
      'profile.email': profile?.email,
      'profile.facebook': profile?.facebook,
      'profile.reachable': profile?.reachable,
    }).toEqual(values);
  }
};

/** Each edit is applied, superseded by another of the member's own, a dead letter, or recorded in a conflict. */
const checkEdits = ({ portal, registry }: World, edits: readonly Made[], isLegacy: boolean): void => {
  for (const { eventId, kennitala, values } of edits) {
    const item = portal.items.get(eventId);
    if (item === undefined) continue;
    for (const [path, end] of Object.entries(item.settled)) {
      const told = values[path] ?? null;
      const isIn = (other: Json) => isSameJson(path, other, told);
      switch (end.outcome) {
        case 'synced':
          expect(
            registry.written.some((it) => it.kennitala === kennitala && it.path === path && isIn(it.value)),
          ).toBe(true);
          break;
        case 'superseded':
        case 'cancelled':
          expect(
            edits.some((it) => it.eventId !== eventId && it.kennitala === kennitala && path in it.values),
          ).toBe(true);
          break;
        case 'conflict':
          expect(
            [...portal.conflicts.values()].some(
              ({ paths, kennitala: whose }) =>
                whose === kennitala && paths[path] !== undefined && isIn(paths[path].portal.value),
            ),
          ).toBe(true);
          break;
        case 'failed':
          expect(told === REFUSED_VALUE || (isLegacy && !isTakenByLegacy(path, told))).toBe(true);
          break;
        default: {
          const never: never = end.outcome;
          expect.fail(never);
        }
      }
    }
    expect(Object.keys(item.changes)).toEqual([]);
  }
};

/** What the portal wrote over, the member had seen, or a conflict keeps. */
const checkOverwritten = ({ portal, registry }: World): void => {
  for (const { kennitala, path, before, by } of registry.written) {
    if (by !== 'portal') continue;
    const wasKnown = [...portal.items.values()].some(
      ({ settled, kennitala: whose }) =>
        whose === kennitala &&
        settled[path] !== undefined &&
        [settled[path].oldValue, settled[path].newValue].some((known) => isSameJson(path, known, before)),
    );
    const isRecorded = [...portal.conflicts.values()].some(
      ({ paths, kennitala: whose }) =>
        whose === kennitala &&
        paths[path] !== undefined &&
        isSameJson(path, paths[path].registry.value, before),
    );
    expect(wasKnown || isRecorded).toBe(true);
  }
};

/** Where nobody in the registry touched a field, there is no conflict to be had, and the member's last word stands. */
const checkLastWord = (
  { portal, registry, wasOutOfOrder }: World,
  edits: readonly Made[],
  isLegacy: boolean,
): void => {
  for (const kennitala of MEMBERS) {
    for (const path of MODEL_PATHS) {
      const said = edits.filter((it) => it.kennitala === kennitala && path in it.values);
      const last = said.at(-1)?.values[path];
      const isRegistrys = registry.written.some(
        (it) => it.kennitala === kennitala && it.path === path && it.by === 'registry' && it.wasEdited,
      );
      if (last === undefined || isRegistrys || (isLegacy && !isTakenByLegacy(path, last))) continue;
      if (wasOutOfOrder(kennitala) || said.some((it) => it.values[path] === REFUSED_VALUE)) continue;
      const conflicts = [...portal.conflicts.values()].filter((it) => it.kennitala === kennitala);
      expect(conflicts.flatMap(({ paths }) => Object.keys(paths))).not.toContain(path);
      expect(registry.members.get(kennitala)?.values[path]).toEqual(last);
    }
  }
};

/** Every message comes of something that a person did; an echo would go on for ever. */
const checkMessages = ({ counts }: World, actions: number): void => {
  expect(counts.events).toBeLessThanOrEqual(10 + actions * 8);
};
