import { fromMemberDocument, parsePortalMember } from '../../src/adapters/firestore/member-document.ts';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { type FieldValues, fieldOf, type Json, withFields } from '../../src/domain/member/fields.ts';
import { MIRRORS, type MirrorName } from '../../src/mirror/mirror.ts';
import type { Chance } from './clock.ts';
import { FATES, type Fate, type Instance, type Outcome } from './instances.ts';
import { PATHS, type Path, REFUSED_VALUE } from './registry.ts';
import { type Answer, approved, type Operator, ops, register, rolledBack } from './system.ts';
import { CONSENT, MOST_SKEW_MS } from './witness.ts';
import { JOBS, MEMBERS, type Message, nameOf, type World } from './world.ts';

const SECOND = 1_000;

/** What is drawn for each step: who it may be about, and chance for all the rest. */
interface Drawn {
  readonly world: World;
  readonly chance: Chance;
  readonly kennitala: Kennitala;
}

const often = <T>(weight: number, take: (drawn: Drawn) => T) => ({ weight, take });

/** How often each kind of step comes, and what it is. */
export const STEPS = {
  edit: often(7, ({ world, chance, kennitala }) => {
    const paths = chance.oneIn(6) ? PATHS.slice(0, 2) : [chance.of(PATHS)];
    edit(world, kennitala, Object.fromEntries(paths.map((path) => [path, valueFor(chance, path)])));
  }),
  withdraw: often(2, ({ world, kennitala }) => edit(world, kennitala, { [CONSENT]: false })),
  register: often(3, ({ world, chance, kennitala }) => {
    const { registry, stores } = world;
    if (registry.rows.has(kennitala) || stores.firestore.held(`members/${kennitala}`) !== null) return;
    const values = { 'profile.email': valueFor(chance, 'profile.email'), [CONSENT]: chance.oneIn(2) };
    world.tell(`${nameOf(kennitala)} registers in the portal: ${JSON.stringify(values)}`);
    comes(world, kennitala);
    const member = withFields(parsePortalMember(kennitala, {}), values as Partial<FieldValues>);
    said(world, kennitala, values, 'create', { ...member });
  }),
  'registry edit': often(4, ({ world: { registry, tell }, chance, kennitala }) => {
    const path = chance.of([...PATHS, 'name'] as const);
    const value = valueFor(chance, path);
    const row = registry.rows.get(kennitala);
    if (row === undefined || value === REFUSED_VALUE || row.values[path] === value) return;
    tell(`the registry writes ${path} of ${nameOf(kennitala)}: ${JSON.stringify(value)}`);
    registry.edit(kennitala, { [path]: value });
  }),
  join: often(2, ({ world, chance, kennitala }) => {
    if (world.registry.rows.has(kennitala)) return;
    world.tell(`${nameOf(kennitala)} joins`);
    comes(world, kennitala);
    world.registry.join(kennitala, { 'profile.email': 'new@example.is', [CONSENT]: chance.oneIn(2) });
  }),
  leave: often(2, ({ world, kennitala }) => leave(world, kennitala)),
  'many leave': often(1, ({ world }) => {
    for (const one of MEMBERS.slice(0, 3)) leave(world, one);
  }),
  'correct number': often(3, ({ world, chance, kennitala }) => {
    const { registry, stores } = world;
    const to = chance.of(MEMBERS);
    if (!registry.rows.has(kennitala) || registry.rows.has(to)) return;
    world.tell(`the registry corrects the number of ${nameOf(kennitala)}: they are ${nameOf(to)} now`);
    comes(world, to, stores.firestore.held(`members/${to}`) !== null || registry.presence.has(to));
    registry.correctNumber(kennitala, to);
  }),
  'announced in vain': often(1, ({ world: { registry, tell }, kennitala }) => {
    if (registry.isCompanion || !registry.rows.has(kennitala)) return;
    tell(`the registry announces that ${nameOf(kennitala)} leaves, and takes it back`);
    registry.announceInVain(kennitala);
  }),
  deliver: often(12, async ({ world, chance }) => {
    const message = world.messages[chance.below(world.messages.length)];
    if (message !== undefined) await deliver(world, message);
  }),
  proceed: often(12, async ({ world, chance }) => {
    const waiting = world.alive().filter((one) => one.waiting.length > 0);
    if (waiting.length > 0) await go(world, chance.of(waiting));
  }),
  job: often(5, async ({ world, chance }) => {
    const message = world.occurrence(chance.of(JOBS));
    world.send(message);
    if (chance.oneIn(4)) world.send({ ...message, what: `${message.what} again` });
    await deliver(world, message);
  }),
  operator: often(5, async (drawn) => {
    const message = OPERATORS[drawn.chance.weighted(OPERATORS)].take(drawn);
    if (message === null) return;
    drawn.world.tell(`an operator: ${message.what}`);
    drawn.world.send(message);
    await deliver(drawn.world, message);
  }),
  wait: often(6, async ({ world, chance }) => {
    const ms = chance.of([0.001, 0.3, 2, 12, 40, 180, 720, 3 * 3_600, 26 * 3_600]) * SECOND;
    // Nearly always whoever is at work comes to an end before hours have passed.
    if (ms > 60 * SECOND && !chance.oneIn(4)) await world.proceed();
    world.tell(`${ms / SECOND} s pass`);
    await world.clock.advance(ms);
  }),
  'new clock': often(1, ({ world, chance }) => {
    world.skew.ms = chance.below(2 * MOST_SKEW_MS) - MOST_SKEW_MS;
    world.tell(`clocks jump: new instances are ${Math.round(world.skew.ms / SECOND)} s off`);
    for (const instance of world.alive()) if (chance.oneIn(3)) instance.skewMs = world.skew.ms;
  }),
  'instances end': often(1, ({ world, chance }) => {
    for (const instance of world.alive().filter(() => chance.oneIn(3))) {
      world.tell(`${instance.name} ${instance.id} ends`);
      instance.die();
    }
  }),
};
export type StepKind = keyof typeof STEPS;

/** What operators, and services that ask who is a member, do; null: there is nothing to do it about. */
const OPERATORS = {
  run: often(2, ({ chance }) => run(chance.of(MIRRORS))),
  approve: often(4, ({ world, chance }) => {
    const by = chance.of(['operator', 'another'] as const);
    const refused = chance.of([...MIRRORS.filter((one) => isBlocked(world, one)), ...MIRRORS]);
    const what = `a dry run of the ${refused}, and its approval by ${by === 'operator' ? 'the same' : by}`;
    return call(what, approval(world, refused, by));
  }),
  pause: often(2, ({ chance }) => toMirror(chance, 'pause')),
  resume: often(2, ({ chance }) => toMirror(chance, 'resume')),
  'roll back': often(1, ({ world: { witness } }) =>
    call('brings the list before back', (base, instance) => {
      witness.approvers.add(instance);
      witness.rollbacks.add(instance);
      return rolledBack(base);
    }),
  ),
  erase: often(3, ({ world }) => erasure(world)),
  retry: often(2, ({ world, chance }) => {
    const { id } = queued(world, chance);
    return id === undefined ? null : call(`tries ${id} again`, ops('POST', `/queue/${id}/retry`, REASON));
  }),
  'give up': often(1, ({ world, chance }) => {
    const { id, kennitala } = queued(world, chance);
    if (id === undefined) return null;
    world.witness.touched.givenUp.add(kennitala as Kennitala);
    return call(`gives ${id} up`, ops('POST', `/queue/${id}/fail`, REASON));
  }),
  resolve: often(2, ({ world, chance }) => {
    const open = world.stores.firestore.all('sync_conflicts').filter(([, { state }]) => state === 'open');
    if (open.length === 0) return null;
    const [where, { kennitala, paths }] = chance.of(open);
    const path = chance.of(Object.keys(paths as object));
    const keep = chance.of(['portal', 'registry'] as const);
    world.witness.touched.decided.add(kennitala as Kennitala);
    return call(
      `decides a conflict about ${path} for the ${keep}`,
      ops('POST', `/conflicts/${where.split('/')[1]}/resolve`, { path, keep }),
    );
  }),
  sweep: often(1, () => call('sends what waits', ops('POST', '/two-way/runs', { deliver: 'waiting' }))),
  'run by the register': often(1, () => viaApi('a run', register('POST', '/sync', {}))),
  'approve by the register': often(2, ({ world }) =>
    viaApi('a dry run, and its approval', approval(world, 'sync')),
  ),
  'ask who is a member': often(4, ({ world: { witness } }) =>
    viaApi('who is a member', register(...ELIGIBILITY), (outcome) =>
      witness.onEligibility(answerIn(outcome)),
    ),
  ),
};
/** Who of all is a member, asked of the register's API. */
export const ELIGIBILITY = ['POST', '/members/eligibility', { kennitalas: MEMBERS }] as const;

const valueFor = (chance: Chance, path: Path): Json => {
  if (path === 'profile.reachable') return chance.oneIn(2);
  if (path === 'name') return `Generated ${chance.below(3)}`;
  return chance.oneIn(12) ? REFUSED_VALUE : `${chance.of(['a', 'b', 'c', 'd', 'e'])}@example.is`;
};

const fateOf = (chance: Chance): Fate => (chance.oneIn(3) ? chance.of(FATES) : 'done');

/** What a member's own client writes, while the portal shows them or their registration waits. */
const edit = (world: World, kennitala: Kennitala, values: Readonly<Record<string, Json>>): void => {
  const shown = world.stores.firestore.held(`members/${kennitala}`);
  if (shown === null) return;
  const { member, meta } = fromMemberDocument(kennitala, shown);
  if (member.membership.status !== 'active' && meta.source_hash !== null) return;
  const isNew = ([path, value]: [string, Json]) => fieldOf(member, path as (typeof PATHS)[number]) !== value;
  const changed = Object.fromEntries(Object.entries(values).filter(isNew));
  if (Object.keys(changed).length === 0) return;
  world.tell(`${nameOf(kennitala)} writes in the portal: ${JSON.stringify(changed)}`);
  said(world, kennitala, changed, 'update');
};

const said = (
  { counts, clock, stores, witness }: World,
  kennitala: Kennitala,
  values: Readonly<Record<string, Json>>,
  how: 'create' | 'update',
  document: object = values,
): void => {
  witness.edits.push({ eventId: `event-${counts.events}`, kennitala, values, at: clock.time });
  stores.firestore.write(how, `members/${kennitala}`, { ...document });
};

/** A number begins to be a member's. Whose it was before can no longer be told from them. */
const comes = (
  { registry, witness }: World,
  kennitala: Kennitala,
  isUsed = registry.personOf(kennitala) !== kennitala,
): void => {
  witness.erased.delete(kennitala);
  if (!isUsed) return;
  for (const one of [kennitala, registry.personOf(kennitala)]) witness.touched.decided.add(one);
};

const leave = (world: World, kennitala: Kennitala): void => {
  if (!world.registry.rows.has(kennitala) || world.registry.rows.size < 2) return;
  world.tell(`${nameOf(kennitala)} leaves`);
  world.registry.leave(kennitala);
};

const deliver = async (world: World, message: Message): Promise<void> => {
  const chance = world.chance();
  const again = message.fn !== 'opsApi' && chance.oneIn(5);
  const instance = await world.deliver(message, { again, isCold: chance.oneIn(3) });
  if (instance === null) return;
  world.tell(`${message.fn} ${instance.id} begins: ${message.what}${again ? ' (it will come again)' : ''}`);
  await go(world, instance);
};

/** Lets an instance make so many calls, of which the last meets its fate. */
const go = async (world: World, instance: Instance): Promise<void> => {
  const chance = world.chance();
  const calls = chance.of([0, 1, 1, 2, 4, 8, 30]);
  const fate = fateOf(chance);
  const delayMs = chance.of([2, 7, 15, 45, 130]) * SECOND;
  for (let n = 1; n <= calls && instance.waiting.length > 0; n += 1) {
    await world.release(instance, n === calls ? fate : 'done', delayMs);
  }
};

/** A change that waits, or has failed. */
const queued = (
  { stores }: World,
  chance: Chance,
): { readonly id?: string; readonly kennitala?: unknown } => {
  const items = stores.firestore
    .all('sync_queue')
    .filter(([, { sync_status }]) => sync_status === 'failed' || sync_status === 'pending');
  if (items.length === 0) return {};
  const [path, { kennitala }] = chance.of(items);
  return { id: path.slice('sync_queue/'.length), kennitala };
};

const call = (
  what: string,
  work: Message['work'],
  ended: Message['ended'] = () => undefined,
  fn: Message['fn'] = 'opsApi',
): Message => ({ fn, what, work, retries: 0, ended });
const viaApi = (what: string, work: Message['work'], ended?: Message['ended']): Message =>
  call(`${what}, by the register's API`, work, ended, 'membershipSync');
const answerIn = (outcome: Outcome): Answer =>
  typeof outcome === 'object' && 'value' in outcome ? (outcome.value as Answer) : { status: 0, body: {} };

export const REASON = { reason: 'a test' };
const run = (mirror: MirrorName): Message => call(`a run of the ${mirror}`, ops('POST', '/runs', { mirror }));
const toMirror = (chance: Chance, how: 'pause' | 'resume'): Message => {
  const mirror = chance.of(MIRRORS);
  return call(`${how}s the ${mirror}`, ops('POST', `/mirrors/${mirror}/${how}`, REASON));
};

/** Of somebody who has left, or whose registration was not taken; null: nobody has. */
export const erasure = ({ chance, clock, registry, stores, witness }: World): Message | null => {
  const isKnown = (one: Kennitala) =>
    registry.presence.has(one) || stores.firestore.held(`members/${one}`) !== null;
  const gone = MEMBERS.filter((one) => !registry.rows.has(one) && isKnown(one));
  if (gone.length === 0) return null;
  const kennitala = chance().of(gone);
  const began = clock.time;
  witness.touched.decided.add(kennitala);
  return call(`erases ${nameOf(kennitala)}`, ops('POST', '/erase', { kennitala, ...REASON }), (outcome) => {
    // Who has come while it ran is no longer the person that was erased, whether or not they have left again.
    const isAnother =
      registry.presence.get(kennitala)?.some(({ at, isThere }) => isThere && at >= began) === true ||
      witness.edits.some((one) => one.kennitala === kennitala && one.at >= began);
    if (answerIn(outcome).body.absent === true && !isAnother) witness.onErased(kennitala);
  });
};

export const approval =
  (world: World, mirror: MirrorName | 'sync', by: Operator = 'another'): Message['work'] =>
  (base, instance) => {
    if (by === 'another' || !world.stores.config.approvals.needsSecondPerson)
      world.witness.approvers.add(instance);
    return approved(mirror, by)(base);
  };

export const isBlocked = (world: World, mirror: MirrorName): boolean => {
  const { last } = world.stores.firestore.held(`sync_state/${mirror}`) ?? {};
  return (last as { outcome?: string } | undefined)?.outcome === 'blocked';
};
