import type { Kennitala } from '../../src/domain/kennitala.ts';
import type { Json } from '../../src/domain/member/fields.ts';
import { MIRRORS, type MirrorName } from '../../src/mirror/mirror.ts';
import { runProof } from '../../src/wiring/proof.ts';
import { Chance, hash } from './clock.ts';
import { FATES, type Fate, type Instance } from './instances.ts';
import { PATHS, type Path, REFUSED_VALUE, type RegistryKind } from './registry.ts';
import { type Answer, approved, type Fault, type Operator, ops, rolledBack } from './system.ts';
import { checkEnd, checkPortal, MOST_SKEW_MS } from './witness.ts';
import { JOBS, MEMBERS, type Message, makeWorld, nameOf, type World } from './world.ts';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

/** How often each kind of step comes. */
const STEPS = {
  edit: 7,
  withdraw: 2,
  'registry edit': 4,
  join: 2,
  leave: 2,
  'many leave': 1,
  'announced in vain': 1,
  deliver: 12,
  proceed: 12,
  job: 4,
  operator: 4,
  wait: 6,
  'new clock': 1,
  'instances end': 1,
} as const;
type StepKind = keyof typeof STEPS;

const OPERATORS = {
  run: 2,
  approve: 4,
  pause: 2,
  resume: 2,
  'roll back': 1,
  erase: 3,
  retry: 2,
  'give up': 1,
  resolve: 2,
  sweep: 1,
} as const;

/** One thing that happens. All is drawn from the seed and the step's number, so that leaving steps out changes no other. */
export interface Step {
  readonly kind: StepKind;
  readonly n: number;
}

export const LENGTH = 60;

const stepAt = (seed: number, n: number): Step => ({
  n,
  kind: new Chance(hash(seed, 'step', n)).weighted(STEPS),
});

export const stepsOf = (seed: number): Step[] => {
  const length = 10 + new Chance(hash(seed, 'length')).below(LENGTH - 10);
  return Array.from({ length }, (_, n) => stepAt(seed, n));
};

export const kindOf = (seed: number): RegistryKind =>
  hash(seed, 'kind') % 3 === 0 ? 'without it' : 'with the companion app';

export interface Played {
  readonly violations: readonly string[];
  readonly story: readonly string[];
  readonly counts: World['counts'];
}

/** Plays the steps, lets everything come to rest, and checks. */
export const play = async (
  seed: number,
  steps: readonly Step[] = stepsOf(seed),
  fault: Fault = {},
): Promise<Played> => {
  const world = makeWorld(seed, kindOf(seed), fault);
  const restore = world.clock.install(() => world.chance().next());
  const { witness, story, counts } = world;
  try {
    await begin(world);
    for (const step of steps) {
      world.reseed('in', step.n);
      await take(world, step);
      world.takeAnnounced();
      await world.clock.advance(1);
      if (witness.violations.length > 0) break;
    }
    world.reseed('end');
    if (witness.violations.length === 0) await end(world, steps.length);
  } catch (cause) {
    witness.blame(`the history could not be played: ${cause instanceof Error ? cause.stack : String(cause)}`);
  } finally {
    restore();
  }
  return { violations: witness.violations, story, counts };
};

/** Three members, in all stores. */
const begin = async (world: World): Promise<void> => {
  const { registry } = world;
  world.tell(`a registry ${world.kind} with three members, all stores equal`);
  for (const [n, kennitala] of MEMBERS.slice(0, 3).entries())
    registry.join(kennitala, { 'profile.email': 'first@example.is', 'profile.reachable': n > 0 });
  world.takeAnnounced();
  for (const mirror of MIRRORS) await world.ask('opsApi', ops('POST', '/runs', { mirror }));
  await world.settle();
};

const valueFor = (chance: Chance, path: Path): Json => {
  if (path === 'profile.reachable') return chance.oneIn(2);
  if (path === 'name') return `Generated ${chance.below(3)}`;
  return chance.oneIn(12) ? REFUSED_VALUE : `${chance.of(['a', 'b', 'c', 'd', 'e'])}@example.is`;
};

const fateOf = (chance: Chance): Fate => (chance.oneIn(3) ? chance.of(FATES) : 'done');

const take = async (world: World, { kind }: Step): Promise<void> => {
  const chance = world.chance();
  const { registry } = world;
  const kennitala = chance.of(MEMBERS);
  const isThere = registry.rows.has(kennitala);
  switch (kind) {
    case 'edit':
      return edit(
        world,
        kennitala,
        Object.fromEntries(
          (chance.oneIn(6) ? PATHS.slice(0, 2) : [chance.of(PATHS)]).map((path) => [
            path,
            valueFor(chance, path),
          ]),
        ),
      );
    case 'withdraw':
      return edit(world, kennitala, { 'profile.reachable': false });
    case 'registry edit': {
      const path = chance.of([...PATHS, 'name'] as const);
      const value = valueFor(chance, path);
      if (!isThere || value === REFUSED_VALUE || registry.rows.get(kennitala)?.values[path] === value) return;
      world.tell(`the registry writes ${path} of ${nameOf(kennitala)}: ${JSON.stringify(value)}`);
      return registry.edit(kennitala, { [path]: value });
    }
    case 'join':
      if (isThere) return;
      world.witness.erased.delete(kennitala);
      world.tell(`${nameOf(kennitala)} joins`);
      return registry.join(kennitala, {
        'profile.email': 'new@example.is',
        'profile.reachable': chance.oneIn(2),
      });
    case 'leave':
      return leave(world, kennitala);
    case 'many leave':
      for (const one of MEMBERS.slice(0, 3)) leave(world, one);
      return;
    case 'announced in vain':
      if (registry.isCompanion || !isThere) return;
      world.tell(`the registry announces that ${nameOf(kennitala)} leaves, and takes it back`);
      return registry.announceInVain(kennitala);
    case 'deliver': {
      const message = pickMessage(world);
      if (message !== undefined) await deliver(world, message);
      return;
    }
    case 'proceed': {
      const waiting = world.alive().filter((one) => one.waiting.length > 0);
      if (waiting.length > 0) await go(world, chance.of(waiting));
      return;
    }
    case 'job': {
      const message = world.occurrence(chance.of(JOBS));
      world.send(message);
      if (chance.oneIn(4)) world.send({ ...message, what: `${message.what} again` });
      await deliver(world, message);
      return;
    }
    case 'operator': {
      const message = operatorsCall(world);
      if (message === null) return;
      world.tell(`an operator: ${message.what}`);
      world.send(message);
      await deliver(world, message);
      return;
    }
    case 'wait': {
      const ms = chance.of([
        1,
        300,
        2 * SECOND,
        12 * SECOND,
        40 * SECOND,
        3 * 60 * SECOND,
        12 * 60 * SECOND,
        3 * HOUR,
        26 * HOUR,
      ]);
      // Nearly always whoever is at work comes to an end before hours have passed.
      if (ms > 60 * SECOND && !chance.oneIn(4)) await world.proceed();
      world.tell(`${ms / SECOND} s pass`);
      return world.clock.advance(ms);
    }
    case 'new clock':
      world.skew.ms = chance.below(2 * MOST_SKEW_MS) - MOST_SKEW_MS;
      world.tell(`clocks jump: new instances are ${Math.round(world.skew.ms / SECOND)} s off`);
      for (const instance of world.alive()) if (chance.oneIn(3)) instance.skewMs = world.skew.ms;
      return;
    case 'instances end':
      for (const instance of world.alive()) {
        if (!chance.oneIn(3)) continue;
        world.tell(`${instance.name} ${instance.id} ends`);
        instance.die();
      }
      return;
    default: {
      const never: never = kind;
      return never;
    }
  }
};

/** What a member's own client writes, while the portal shows them. */
const edit = (world: World, kennitala: Kennitala, values: Readonly<Record<string, Json>>): void => {
  const { firestore } = world.stores;
  const shown = firestore.held(`members/${kennitala}`);
  if (shown === null || !world.isShown(kennitala)) return;
  const profile = shown['profile'] as Readonly<Record<string, Json>>;
  const changed = Object.fromEntries(
    Object.entries(values).filter(([path, value]) => profile[path.slice('profile.'.length)] !== value),
  );
  if (Object.keys(changed).length === 0) return;
  world.tell(`${nameOf(kennitala)} writes in the portal: ${JSON.stringify(changed)}`);
  world.witness.edits.push({
    eventId: `event-${world.counts.events}`,
    kennitala,
    values: changed,
    at: world.now(),
  });
  firestore.write('update', `members/${kennitala}`, changed);
};

const leave = (world: World, kennitala: Kennitala): void => {
  if (!world.registry.rows.has(kennitala) || world.registry.rows.size < 2) return;
  world.tell(`${nameOf(kennitala)} leaves`);
  world.registry.leave(kennitala);
};

const pickMessage = (world: World): Message | undefined => {
  const { messages } = world;
  return messages[world.chance().below(messages.length)];
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

const operatorsCall = (world: World): Message | null => {
  const chance = world.chance();
  const { firestore } = world.stores;
  const mirror = chance.of(MIRRORS);
  const queued = firestore
    .all('sync_queue')
    .filter(([, { sync_status }]) => sync_status === 'failed' || sync_status === 'pending');
  const [path = '', item = {}] = queued.length === 0 ? [] : chance.of(queued);
  const id = path.slice('sync_queue/'.length);
  const whose = item['kennitala'] as Kennitala;
  switch (chance.weighted(OPERATORS)) {
    case 'run':
      return call(`a run of the ${mirror}`, ops('POST', '/runs', { mirror }));
    case 'approve': {
      const by = chance.of(['operator', 'another'] as const);
      const refused = chance.of([...MIRRORS.filter((one) => isBlocked(world, one)), mirror]);
      const what = `a dry run of the ${refused}, and its approval by ${by === 'operator' ? 'the same' : by}`;
      return call(what, approval(world, refused, by));
    }
    case 'pause':
      return call(`pauses the ${mirror}`, ops('POST', `/mirrors/${mirror}/pause`, REASON));
    case 'resume':
      return call(`resumes the ${mirror}`, resumption(mirror));
    case 'roll back':
      return call('brings the list before back', (base, instance) => {
        world.witness.approves(instance);
        world.witness.rollsBack(instance);
        return rolledBack(base);
      });
    case 'erase':
      return erasure(world);
    case 'retry':
      return queued.length === 0
        ? null
        : call(`tries ${id} again`, ops('POST', `/queue/${id}/retry`, REASON));
    case 'give up':
      if (queued.length === 0) return null;
      world.witness.touched.givenUp.add(whose);
      return call(`gives ${id} up`, ops('POST', `/queue/${id}/fail`, REASON));
    case 'resolve': {
      const open = firestore.all('sync_conflicts').filter(([, { state }]) => state === 'open');
      if (open.length === 0) return null;
      const [where, { kennitala, paths }] = chance.of(open) as [
        string,
        { kennitala: Kennitala; paths: object },
      ];
      const field = chance.of(Object.keys(paths)) as (typeof PATHS)[number];
      world.witness.touched.decided.add(kennitala);
      const keep = chance.of(['portal', 'registry'] as const);
      return call(
        `decides a conflict about ${field} for the ${keep}`,
        ops('POST', `/conflicts/${where.split('/')[1]}/resolve`, { path: field, keep }),
      );
    }
    case 'sweep':
      return call('sends what waits', ops('POST', '/two-way/runs', { deliver: 'waiting' }));
    default:
      return null;
  }
};

const call = (what: string, work: Message['work'], ended: Message['ended'] = () => undefined): Message => ({
  fn: 'opsApi',
  what,
  work,
  retries: 0,
  ended,
});

/** Of somebody who has left; null: nobody has. */
const erasure = (world: World): Message | null => {
  const { registry, witness } = world;
  const gone = MEMBERS.filter((one) => !registry.rows.has(one) && registry.presence.has(one));
  if (gone.length === 0) return null;
  const kennitala = world.chance().of(gone);
  const began = world.now();
  witness.touched.decided.add(kennitala);
  return call(`erases ${nameOf(kennitala)}`, ops('POST', '/erase', { kennitala, ...REASON }), (outcome) => {
    const isGone =
      typeof outcome === 'object' && 'value' in outcome && (outcome.value as Answer).body.absent === true;
    // Who has joined while it ran is no longer the person that was erased, whether or not they have left again.
    const isAnother = registry.presence.get(kennitala)?.some(({ at, isThere }) => isThere && at >= began);
    if (isGone && isAnother !== true) witness.onErased(kennitala);
  });
};

const REASON = { reason: 'a test' };
const resumption = (mirror: MirrorName) => ops('POST', `/mirrors/${mirror}/resume`, REASON);
const approval =
  (world: World, mirror: MirrorName, by: Operator = 'another'): Message['work'] =>
  (base, instance) => {
    if (by === 'another' || !world.stores.config.approvals.needsSecondPerson)
      world.witness.approves(instance);
    return approved(mirror, by)(base);
  };

/** Everything comes to rest, operators decide what waits for them, and each job finds nothing to do any more. */
const end = async (world: World, steps: number): Promise<void> => {
  world.tell('-- everything comes to rest');
  world.skew.ms = 0;
  for (const instance of world.alive()) instance.skewMs = 0;
  await world.proceed();
  await world.settle();
  // What crashed runs hold expires, and what was slow has arrived.
  await world.clock.advance(HOUR);
  await world.settle();
  const { firestore } = world.stores;
  // What an operator has decided or tries again is shown, and waits for the next sweep where their instance died over it.
  const isWaiting = firestore.all('sync_queue').some(([, { sync_status }]) => sync_status === 'pending');
  if (world.registry.isCompanion && !isWaiting) checkPortal(world);
  await resumeAll(world);
  const isDead = firestore.all('sync_queue').some(([, { sync_status }]) => sync_status === 'failed');
  if (isDead) await world.ask('opsApi', ops('POST', '/two-way/runs', { deliver: 'failed' }));
  await world.settle();
  await allJobs(world);
  for (const mirror of MIRRORS)
    if (isBlocked(world, mirror)) await world.ask('opsApi', approval(world, mirror));
  const erased = hash(world.seed, 'erases') % 3 === 0 ? erasure(world) : null;
  if (erased !== null) world.send(erased);
  await world.clock.advance(HOUR);
  await world.settle();
  // A pause that its operator was told had failed can still have come.
  if (await resumeAll(world)) await allJobs(world);
  await checkQuiet(world);
  checkEnd(world, steps);
  // Costs as much as a tenth of a history.
  if (hash(world.seed, 'verify') % 4 > 0) return;
  const { body: verified } = await world.ask('opsApi', ops('POST', '/verify'));
  if (!verified.whole)
    world.witness.blame(
      `the records do not prove themselves: ${JSON.stringify(verified.findings?.[0] ?? verified)}`,
    );
};

const isBlocked = (world: World, mirror: MirrorName): boolean => {
  const last = world.stores.firestore.held(`sync_state/${mirror}`)?.['last'] as
    | { outcome: string }
    | undefined;
  return last?.outcome === 'blocked';
};

/** Ends every pause, and says whether there was one. */
const resumeAll = async (world: World): Promise<boolean> => {
  const isPaused = (mirror: MirrorName) =>
    Boolean(world.stores.firestore.held(`sync_state/${mirror}`)?.['pause']);
  const paused = MIRRORS.filter(isPaused);
  for (const mirror of paused) await world.ask('opsApi', resumption(mirror));
  return paused.length > 0;
};

/** As the night has them: the sweep first. */
const allJobs = async (world: World): Promise<void> => {
  world.send(world.occurrence('bidirectionalSync'));
  await world.settle();
  for (const job of JOBS) if (job !== 'bidirectionalSync') world.send(world.occurrence(job));
  await world.settle();
};

/** Nothing is left to do, and the proof says so too. */
const checkQuiet = async (world: World): Promise<void> => {
  const { witness } = world;
  for (const mirror of MIRRORS) {
    const { body } = await world.ask('opsApi', ops('POST', '/runs', { mirror }));
    if (body.run?.outcome !== 'unchanged')
      witness.blame(`another run of the ${mirror} ends ${body.run?.outcome} ${body.code ?? ''}`);
  }
  const proof = await world.ask('proveMembers', (base) => runProof({}, base));
  const expected = world.registry.isCompanion ? 'equal' : 'unprovable';
  if (proof.outcome !== expected)
    witness.blame(`the proof says ${proof.outcome}: ${JSON.stringify(proof.stores)}`);
};
