import { type MemberEvent, toMemberWrite } from '../../src/adapters/firestore/twoway-documents.ts';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import type { ScheduledOccurrence } from '../../src/mirror/run-store.ts';
import { runWatch } from '../../src/wiring/ops.ts';
import { followHintNamed } from '../../src/wiring/portal.ts';
import { lookAfterRun, runProof } from '../../src/wiring/proof.ts';
import { runScheduledReconcile } from '../../src/wiring/reconcile.ts';
import { runScheduledRegister } from '../../src/wiring/register.ts';
import { runRosterRefresh, runScheduledRoster } from '../../src/wiring/roster.ts';
import type { Shared } from '../../src/wiring/shared.ts';
import { runScheduledTwoWay, trackMemberEvent } from '../../src/wiring/twoway.ts';
import { makeKennitalas } from '../support/kennitalas.ts';
import { makeMemoryFirestore, type Written } from '../support/memory/firestore.ts';
import { makeMemoryRegister } from '../support/memory/register.ts';
import { makeMemoryStorage } from '../support/memory/storage.ts';
import { Chance, type Clock, hash, makeClock, turn } from './clock.ts';
import { type Acting, type Fate, type Instance, makeInstance, type Outcome } from './instances.ts';
import { makeRegistry, type RegistryKind } from './registry.ts';
import { configOf, type Event, type Fault, makeBase, type Stores, webhook } from './system.ts';
import { makeWitness, START } from './witness.ts';

export const MEMBERS = makeKennitalas(6);
/** The registry's sender waits no longer for an answer. */
const SENDER_PATIENCE_MS = 10_000;
/** Nothing of a history is under way for as many rounds. */
const MOST_ROUNDS = 400;
/** Far more than a history has: an echo. */
const MOST_EVENTS = 600;

/** As `src/triggers` deploys them; where an instance takes one request at once, there is never a second instance. */
const FUNCTIONS = {
  syncFromDjango: { limitMs: 30_000, atOnce: 40 },
  followHints: { limitMs: 540_000, atOnce: 80 },
  trackMemberChanges: { limitMs: 120_000, atOnce: 40 },
  refreshRoster: { limitMs: 120_000, atOnce: 1 },
  syncMemberList: { limitMs: 120_000, atOnce: 1 },
  reconcileMembers: { limitMs: 1_800_000, atOnce: 1 },
  membershipSync: { limitMs: 540_000, atOnce: 20 },
  membershipSyncHourly: { limitMs: 540_000, atOnce: 1 },
  bidirectionalSync: { limitMs: 540_000, atOnce: 1 },
  proveMembers: { limitMs: 1_800_000, atOnce: 1 },
  proveAfterRun: { limitMs: 360_000, atOnce: 1 },
  watchMirrors: { limitMs: 1_200_000, atOnce: 1 },
  opsApi: { limitMs: 1_800_000, atOnce: 20 },
} as const;
type FunctionName = keyof typeof FUNCTIONS;

/** What Cloud Scheduler calls. */
const SCHEDULED = {
  syncMemberList: runScheduledRoster,
  reconcileMembers: runScheduledReconcile,
  membershipSyncHourly: runScheduledRegister,
  bidirectionalSync: (_, base) => runScheduledTwoWay(base),
  proveMembers: (_, base) => runProof({}, base),
  watchMirrors: ({ time }, base) => runWatch(time, base),
} as const satisfies Readonly<
  Record<string, (occurrence: ScheduledOccurrence, base: Shared) => Promise<unknown>>
>;
export type Job = keyof typeof SCHEDULED;
export const JOBS = Object.keys(SCHEDULED) as Job[];

type Triggered = Pick<Message, 'fn' | 'what' | 'work' | 'edit'>;

/** What Firestore calls, by the collection of the document that was written. False: that function lets the write go. */
const TRIGGERS: Readonly<Record<string, (event: Event, id: string, n: number) => Triggered | false>> = {
  members: (told, id, n) => {
    const kennitala = id as Kennitala;
    const event = { ...told, kennitala } as unknown as MemberEvent;
    const isMembers = told.after.exists && toMemberWrite(event)?.isServers === false;
    const work = (base: Shared) => trackMemberEvent(event, base);
    const edit = { kennitala, n };
    return isMembers && { fn: 'trackMemberChanges', what: `the edit of ${nameOf(id)}`, work, edit };
  },
  webhook_hints: ({ before, after }, id) => {
    const token = after.get('token');
    const isNew = typeof token === 'string' && token !== before.get('token');
    const work = (base: Shared) => followHintNamed(id, String(token), base);
    return isNew && { fn: 'followHints', what: `the hint about ${nameOf(id)}`, work };
  },
  roster_refreshes: ({ before }, id) => {
    const work = (base: Shared) => runRosterRefresh(id, base);
    return !before.exists && { fn: 'refreshRoster', what: 'the request for a new list', work };
  },
  sync_audit: ({ before, after, time }) => {
    const work = (base: Shared) => lookAfterRun({ before: before.data(), after: after.data(), time }, base);
    return before.exists && after.exists && { fn: 'proveAfterRun', what: 'a record of a run', work };
  },
};

/** Something that a function is asked to do: an event, an occurrence of a schedule, an operator's call. */
export interface Message {
  readonly fn: FunctionName;
  readonly what: string;
  readonly work: (base: Shared, instance: string) => Promise<unknown>;
  /** How often it is sent again after a failure. */
  readonly retries: number;
  readonly isDone?: (value: unknown) => boolean;
  /** Whether whoever sends it still would. */
  readonly isWanted?: () => boolean;
  readonly ended?: (outcome: Outcome, instance: Instance) => void;
  /** Whoever sent it waits for no answer longer than this, and sends it again. */
  readonly patienceMs?: number;
  /** Whose edit it is, and which. */
  readonly edit?: { readonly kennitala: Kennitala; readonly n: number };
}

/** The whole system and all that acts on it, at one moment of a history. */
export const makeWorld = (seed: number, kind: RegistryKind, fault: Fault) => {
  const clock: Clock = makeClock(START);
  const now = (): number => clock.time;
  const iso = (): string => new Date(clock.time).toISOString();
  let chance = new Chance(hash(seed, 'start'));
  const registry = makeRegistry(kind, now, { allowsCreate: hash(seed, 'takes registrations') % 2 === 0 });
  const messages: Message[] = [];
  const instances = new Map<Instance, Shared>();
  const counts = { events: 0, calls: 0, instances: 0, occurrences: 0, runs: 0 };
  const story: string[] = [];
  const skew = { ms: 0 };
  const tell = (line: string): void => {
    story.push(`${new Date(clock.time).toISOString().slice(5, 19).replace('T', ' ')}  ${line}`);
  };
  const acting: Acting = { instance: null };
  const witness = makeWitness(registry, now, tell, acting);

  const onWrite = (written: Written): void => {
    witness.onWrite(written);
    const [collection = '', id = '', ...below] = written.path.split('/');
    const told = { ...written, id: `event-${counts.events}`, time: iso() };
    const trigger = below.length > 0 ? undefined : TRIGGERS[collection];
    const triggered = trigger?.(fault.event?.(told) ?? told, id, counts.events);
    if (!triggered) return;
    counts.events += 1;
    send({ ...triggered, retries: Number.POSITIVE_INFINITY });
  };

  const firestore = makeMemoryFirestore(now, onWrite);
  const storage = makeMemoryStorage(now, (published) => witness.onPublish(published));
  const register = makeMemoryRegister((...given) => witness.onRegister(...given));
  const stores: Stores = { registry, firestore, storage, register, config: configOf(seed) };
  witness.watch(stores);

  const send = (message: Message): void => void messages.push(message);

  const start = (fn: FunctionName): Instance => {
    counts.instances += 1;
    const instance = makeInstance(clock, acting, { id: `i${counts.instances}`, name: fn, skewMs: skew.ms });
    instances.set(instance, makeBase(stores, instance, clock, witness.onLog, fault));
    return instance;
  };
  const alive = (fn?: FunctionName): Instance[] => {
    for (const instance of instances.keys()) if (!instance.isAlive) instances.delete(instance);
    return [...instances.keys()].filter(({ name }) => fn === undefined || name === fn);
  };

  /** Null: no instance is free for it. */
  const instanceFor = (fn: FunctionName, isCold: boolean): Instance | null => {
    const { atOnce } = FUNCTIONS[fn];
    const there = alive(fn);
    const free = there.filter(({ requests }) => requests.size < atOnce);
    if (atOnce === 1) return there.length > 0 && free.length === 0 ? null : (free[0] ?? start(fn));
    return isCold || free.length === 0 ? start(fn) : chance.of(free);
  };

  /** Another edit of the same member that is not at its end. */
  const inFlight = new Set<Message>();
  const othersOf = ({ edit }: Message): Message[] =>
    [...messages, ...inFlight].filter(
      (one) => edit !== undefined && one.edit?.kennitala === edit.kennitala && one.edit.n !== edit.n,
    );
  const isInTurn = (message: Message): boolean =>
    !othersOf(message).some((one) => inFlight.has(one) || (one.edit?.n ?? 0) < (message.edit?.n ?? 0));

  /** Hands a message to an instance. What is not done comes again as often as its sender promises. */
  const deliver = async (
    message: Message,
    { again = false, isCold = false } = {},
  ): Promise<Instance | null> => {
    const at = messages.indexOf(message);
    if (message.isWanted?.() === false) {
      messages.splice(at, 1);
      return null;
    }
    const instance = instanceFor(message.fn, isCold);
    if (instance === null) return null;
    if (message.edit !== undefined && !isInTurn(message))
      witness.touched.disordered.add(message.edit.kennitala);
    messages.splice(at, 1);
    inFlight.add(message);
    if (again) send({ ...message, retries: 0 });
    let isGivenUp = false;
    const repeat = (): void => {
      if (message.retries > 0) send({ ...message, retries: message.retries - 1 });
    };
    const waiting = clock.after(message.patienceMs ?? Number.POSITIVE_INFINITY, () => {
      isGivenUp = true;
      repeat();
    });
    instance.serve(
      FUNCTIONS[message.fn].limitMs,
      () => message.work(instances.get(instance) as Shared, instance.id),
      (outcome) => {
        inFlight.delete(message);
        clock.cancel(waiting);
        const isDone =
          typeof outcome === 'object' && 'value' in outcome && message.isDone?.(outcome.value) !== false;
        tell(`   ${message.fn} ${instance.id}: ${message.what}: ${wordOf(outcome)}`);
        if (typeof outcome === 'object' && 'failure' in outcome) witness.onFailure(outcome.failure);
        if (isGivenUp) return;
        message.ended?.(isDone || outcome === 'died' ? outcome : { failure: outcome }, instance);
        if (!isDone) repeat();
      },
    );
    await turn();
    return instance;
  };

  /** What the registry has announced since is on its way. */
  const takeAnnounced = (): void => {
    for (const event of registry.announced.splice(0)) {
      counts.events += 1;
      send({
        fn: 'syncFromDjango',
        what: `event ${event.id}`,
        work: (base) => webhook(base, event, new Date(now())),
        retries: registry.isCompanion ? Number.POSITIVE_INFINITY : 0,
        isDone: (status) => {
          if (status !== 200 && status !== 503)
            witness.blame(`an event of the registry was answered ${status}`);
          return status === 200;
        },
        isWanted: () => event.row === null || registry.queue.some(({ id }) => id === event.row),
        ended: (outcome) => {
          if (typeof outcome === 'object' && 'value' in outcome) registry.acknowledge(event);
        },
        patienceMs: SENDER_PATIENCE_MS,
      });
    }
  };

  const occurrence = (job: Job): Message => {
    counts.occurrences += 1;
    const time = iso();
    return {
      fn: job,
      what: `occurrence ${counts.occurrences}`,
      work: (base) => SCHEDULED[job]({ job, time }, base),
      retries: job === 'proveMembers' ? 0 : 3,
    };
  };

  /** Also a request that was given up can have calls on their way. */
  const isBusy = (): boolean => alive().some(({ requests, waiting }) => requests.size + waiting.length > 0);

  /** Lets calls of whoever waits go, undisturbed and in any order, until nobody waits; time passes only where all wait for it. */
  const proceed = async (isEnough: () => boolean = () => !isBusy()): Promise<void> => {
    for (let rounds = 0; !isEnough(); rounds += 1) {
      const waiting = alive().filter((one) => one.waiting.length > 0);
      if (waiting.length === 0) await clock.advance(1_000);
      else await release(chance.of(waiting), 'done', 0);
      if (rounds > 200_000) return witness.blame('a request does not come to its end');
    }
  };
  const release = async (instance: Instance, fate: Fate, delayMs: number): Promise<void> => {
    counts.calls += 1;
    const pick = chance.below(instance.waiting.length);
    const { what, server } = instance.waiting[pick] ?? { what: '', server: '' };
    if (fate !== 'done') tell(`   ${instance.name} ${instance.id}: ${server}: ${what}: ${fate}`);
    // No call takes no time at all.
    await clock.advance(1);
    await instance.release(pick, fate, delayMs);
  };

  /** Delivers everything that is on its way, until nothing is. */
  const settle = async (): Promise<void> => {
    for (let round = 0; round < MOST_ROUNDS && counts.events < MOST_EVENTS; round += 1) {
      takeAnnounced();
      for (const message of [...messages]) {
        if (isInTurn(message)) await deliver(message);
        takeAnnounced();
      }
      await proceed();
      takeAnnounced();
      if (messages.length === 0) return;
      await clock.advance(Math.min(60_000 * 1.3 ** round, 3_600_000));
    }
    witness.blame(
      `messages are still on their way: ${messages.map(({ fn, what }) => `${fn}: ${what}`).join('; ')}`,
    );
  };

  /** One request that nothing comes between; throws what it throws. */
  const ask = async <T>(
    fn: FunctionName,
    work: (base: Shared, instance: string) => Promise<T>,
  ): Promise<T> => {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    let isEnded = false;
    const ended = (outcome: Outcome): void => {
      isEnded = true;
      resolve(outcome);
    };
    const message = { fn, what: 'a request', work, retries: 0, ended };
    send(message);
    await deliver(message);
    await proceed(() => isEnded);
    const outcome = await promise;
    if (outcome === 'died' || 'failure' in outcome) throw new Error(`A request of ${fn} failed.`);
    return outcome.value as T;
  };

  return {
    seed,
    clock,
    registry,
    stores,
    messages,
    counts,
    story,
    skew,
    tell,
    witness,
    send,
    deliver,
    takeAnnounced,
    occurrence,
    alive,
    release,
    proceed,
    settle,
    ask,
    /** From now on chance is this step's. */
    reseed: (...words: readonly (number | string)[]): void => {
      chance = new Chance(hash(seed, ...words));
    },
    chance: (): Chance => chance,
  };
};

export type World = ReturnType<typeof makeWorld>;

export const nameOf = (kennitala: string): string => {
  const n = MEMBERS.indexOf(kennitala as Kennitala);
  return n < 0 ? 'somebody' : `member ${n + 1}`;
};

const wordOf = (outcome: Outcome): string => {
  if (outcome === 'died') return 'the instance ended';
  if ('failure' in outcome)
    return `failed, ${(outcome.failure as { code?: unknown }).code ?? String(outcome.failure)}`;
  const status = (outcome.value as { status?: unknown } | undefined)?.status ?? outcome.value;
  return typeof status === 'number' ? `answered ${status}` : 'done';
};
