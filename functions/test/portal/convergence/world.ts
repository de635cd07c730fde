import { setImmediate as turn } from 'node:timers/promises';
import type { Kennitala } from '../../../src/domain/kennitala.ts';
import type { MemberStore } from '../../../src/portal/ports.ts';
import type { PortalMemory } from '../../contract/portal-memory.ts';
import { makeKennitalas } from '../../support/kennitalas.ts';
import { type History, MEMBERS, type Step } from './history.ts';
import { makeInterleaving, type Process, proceed, UNDISTURBED } from './interleaving.ts';
import { makeModelPortal } from './model-portal.ts';
import { type ModelChange, type ModelRegistry, makeModelRegistry } from './model-registry.ts';
import { makeReconciler, type Reconciled } from './reconciler.ts';
import { followInProcess, reference, serveEvent } from './webhook-instance.ts';

const START = Date.UTC(2026, 10, 20, 10);
/** Between the end of a history and a reconcile: nothing is under way any more. */
const SECONDS_LATER = 3_600;
/** More than any history needs: what waits longer than this waits for ever. */
const MOST_TURNS = 20_000;

export interface WorldOptions {
  /** Puts a fault into the store, to prove that a history finds it. */
  readonly distort?: (store: MemberStore) => MemberStore;
}

/** How a history ended: everything sent has been answered with 200, and nothing is under way. */
export interface World {
  readonly registry: ModelRegistry;
  readonly memory: PortalMemory;
  /** Whether somebody joined or left by a webhook, and nothing has asked for a new roster since. */
  readonly isRosterStale: boolean;
  /** One run of the reconcile an hour later, while nothing else happens. */
  readonly reconcile: () => Promise<Reconciled>;
}

/** Plays a history: our own code, in every process that it starts, over a portal in memory and a model of the registry. */
export const play = async (history: History, options: WorldOptions = {}): Promise<World> => {
  const kennitalas = makeKennitalas(MEMBERS);
  const registry = makeModelRegistry(history.registry);
  const portal = makeModelPortal(registry, options.distort ?? ((store) => store));
  const interleaving = makeInterleaving();
  const network: ModelChange[] = [];
  let refused: number | null = null;
  let isReconciling = false;
  let seconds = 0;
  const now = (): Date => new Date(START + seconds * 1_000);
  const reconciler = makeReconciler({ registry, portal, reference, now });

  /** An event that was not answered with 200 is sent again, which is the sender's part of the promise. */
  const deliver = async (change: ModelChange): Promise<Process> => {
    const process = interleaving.start(() => network.push(change));
    void serveEvent(change, process, { registry, portal, now }).then(({ status }) => {
      if (status !== 200) network.push(change);
      if (![200, 503].includes(status)) refused = status;
    });
    await turn();
    return process;
  };

  /** The event of a new hint is delivered until it was followed to its end, as the platform promises. */
  const follow = async (hint: (typeof portal.hinted)[number]): Promise<Process> => {
    const again = (): void => void portal.hinted.push(hint);
    const process = interleaving.start(again);
    const sleep = (ms: number): void => {
      seconds += ms / 1_000;
    };
    void followInProcess(hint, process, { registry, portal, now }, sleep).catch(again);
    await turn();
    return process;
  };

  /** One that fails or dies leaves its work to the next. */
  const reconcile = async (): Promise<Process> => {
    isReconciling = true;
    const end = (): void => {
      isReconciling = false;
    };
    const process = interleaving.start(end);
    void reconciler(process).then(end, end);
    await turn();
    return process;
  };

  const take = async (step: Step): Promise<void> => {
    seconds += 1;
    switch (step.kind) {
      case 'change': {
        const kennitala = kennitalas[step.member % MEMBERS] as Kennitala;
        const change = registry.change(kennitala, step.content, step.wantsDelete, now());
        for (let copy = 0; copy < step.copies; copy += 1) network.push(change);
        return;
      }
      case 'deliver': {
        const pick = step.pick % (network.length + portal.hinted.length);
        const [hint] = portal.hinted.splice(pick - network.length, pick < network.length ? 0 : 1);
        if (hint !== undefined) return proceed(await follow(hint), step.calls, 'done');
        const [change] = network.splice(pick, 1);
        if (change !== undefined) await proceed(await deliver(change), step.calls, 'done');
        return;
      }
      case 'release': {
        const waiting = interleaving.waiting();
        const process = waiting[step.pick % waiting.length];
        if (process !== undefined) await proceed(process, step.calls, step.fate);
        return;
      }
      case 'reconcile':
        // The lease lets one run at a time.
        if (!isReconciling) await proceed(await reconcile(), step.calls, 'done');
        return;
      default: {
        const never: never = step;
        return never;
      }
    }
  };

  for (const step of history.steps) await take(step);
  for (let turns = 0; ; turns += 1) {
    const waiting = interleaving.waiting().length;
    const events = network.length + portal.hinted.length;
    if (events + waiting === 0) break;
    if (refused !== null) throw new Error(`An event of the registry was answered ${refused}.`);
    if (turns > MOST_TURNS) throw new Error('The history does not come to an end.');
    const choice = ((history.rest[turns % history.rest.length] ?? 0) + turns) % (events + waiting);
    if (choice < events) await take({ kind: 'deliver', pick: choice, calls: 0 });
    else await take({ kind: 'release', pick: choice - events, calls: 1, fate: 'done' });
  }
  return {
    registry,
    memory: portal.memory,
    isRosterStale: portal.isRosterStale(),
    reconcile: () => {
      seconds += SECONDS_LATER;
      return reconciler(UNDISTURBED);
    },
  };
};
