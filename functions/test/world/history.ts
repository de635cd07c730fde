import { isDeepStrictEqual } from 'node:util';
import { MIRRORS, type MirrorName } from '../../src/mirror/mirror.ts';
import { Chance, hash } from './clock.ts';
import type { RegistryKind } from './registry.ts';
import { approval, ELIGIBILITY, erasure, isBlocked, REASON, STEPS, type StepKind } from './steps.ts';
import { type Fault, ops, register } from './system.ts';
import { checkEnd, checkPortal, PROOF } from './witness.ts';
import { JOBS, MEMBERS, makeWorld, type World } from './world.ts';

const HOUR = 3_600_000;

/** One thing that happens. All is drawn from the seed and the step's number, so that leaving steps out changes no other. */
export interface Step {
  readonly kind: StepKind;
  readonly n: number;
}

const stepAt = (seed: number, n: number): Step => ({
  n,
  kind: new Chance(hash(seed, 'step', n)).weighted(STEPS),
});

export const stepsOf = (seed: number): Step[] => {
  const length = 10 + new Chance(hash(seed, 'length')).below(50);
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
      const chance = world.chance();
      await STEPS[step.kind].take({ world, chance, kennitala: chance.of(MEMBERS) });
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
  world.tell(`a registry ${registry.kind} with three members, all stores equal`);
  for (const [n, kennitala] of MEMBERS.slice(0, 3).entries())
    registry.join(kennitala, { 'profile.email': 'first@example.is', 'profile.reachable': n > 0 });
  world.takeAnnounced();
  for (const mirror of MIRRORS) await world.ask('opsApi', ops('POST', '/runs', { mirror }));
  await world.settle();
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
  await checkApi(world);
  await checkWatch(world);
};

/** Ends every pause, and says whether there was one. */
const resumeAll = async (world: World): Promise<boolean> => {
  const isPaused = (mirror: MirrorName) =>
    Boolean(world.stores.firestore.held(`sync_state/${mirror}`)?.['pause']);
  const paused = MIRRORS.filter(isPaused);
  for (const mirror of paused) await world.ask('opsApi', ops('POST', `/mirrors/${mirror}/resume`, REASON));
  return paused.length > 0;
};

/** As the night has them: the sweep first. */
const allJobs = async (world: World): Promise<void> => {
  world.send(world.occurrence('bidirectionalSync'));
  await world.settle();
  for (const job of JOBS) if (job !== 'bidirectionalSync') world.send(world.occurrence(job));
  await world.settle();
};

/** Nothing is left to do, and the look after the last run says so too. */
const checkQuiet = async (world: World): Promise<void> => {
  const { clock, registry, stores, witness } = world;
  const began = clock.time;
  for (const mirror of MIRRORS) {
    const { body } = await world.ask('opsApi', ops('POST', '/runs', { mirror }));
    if (body.run?.outcome !== 'unchanged')
      witness.blame(`another run of the ${mirror} ends ${body.run?.outcome} ${body.code ?? ''}`);
  }
  await world.settle();
  const proof = stores.firestore.held(PROOF) as { at: { toMillis(): number }; outcome: string } | null;
  const isNew = proof !== null && proof.at.toMillis() >= began;
  if (!isNew || proof.outcome !== (registry.isCompanion ? 'equal' : 'unprovable'))
    witness.blame(`the look after the last run says ${isNew ? proof.outcome : 'nothing'}`);
};

/** The register's own API says the same. */
const checkApi = async ({ ask, registry, witness }: World): Promise<void> => {
  const bodyOf = async (...asked: Parameters<typeof register>) =>
    (await ask('membershipSync', register(...asked))).body;
  const { running, active_members, last_success } = await bodyOf('GET', '/sync/status');
  const { verified_at, members } = await bodyOf(...ELIGIBILITY);
  const said = {
    health: (await bodyOf('GET', '/health?deep=1')).status,
    running,
    active_members,
    open: (await bodyOf('GET', '/sync/logs?status=pending')).logs?.length,
    verified_at,
    eligible: members?.map(({ active }: { active: boolean }) => active),
  };
  const expected = {
    health: 'healthy',
    running: false,
    active_members: registry.rows.size,
    open: 0,
    verified_at: last_success?.sync_timestamp,
    eligible: MEMBERS.map((one) => registry.rows.has(one)),
  };
  if (!isDeepStrictEqual(said, expected))
    witness.blame(`the register's API says ${JSON.stringify(said)} and not ${JSON.stringify(expected)}`);
};

/** On the next day the watch is concerned about what is too old, and nothing else; at night it walks over the whole record. */
const checkWatch = async (world: World): Promise<void> => {
  const { concerns, blame } = world.witness;
  const { firestore } = world.stores;
  concerns.clear();
  await world.clock.advance(25 * HOUR);
  world.send(world.occurrence('watchMirrors'));
  await world.settle();
  const isConflict = firestore.all('sync_conflicts').some(([, { state }]) => state === 'open');
  const isDeadLetter = firestore
    .all('sync_queue')
    .some(([, { sync_status, synced_at }]) => sync_status === 'failed' && synced_at === null);
  const expected = ['mirror_overdue register', 'not_proved'];
  if (isConflict) expected.push('conflicts_old');
  if (isDeadLetter) expected.push('dead_letters_old');
  if ([...concerns].sort().join() !== expected.sort().join())
    blame(`the watch is concerned about ${[...concerns].join(', ')}, and not about ${expected.join(', ')}`);
};
