import { setImmediate as turn } from 'node:timers/promises';
import { SyncError } from '../../../src/lib/errors.ts';

/**
 * How one call of a process to the world outside goes: it is done; it fails before or after it took effect; the
 * process dies before or after it.
 */
export const FATES = ['done', 'fails before', 'fails after', 'dies before', 'dies after'] as const;
export type Fate = (typeof FATES)[number];

/** One run of our code: an instance that answers one request, or a run of the reconcile. */
export interface Process {
  /** Makes a call that waits for its turn. Never settles once the process has died. */
  call<T>(effect: () => T | Promise<T>): Promise<T>;
  /** Lets its oldest waiting call go; returns when the process waits again, has ended or died. */
  release(fate: Fate): Promise<void>;
  readonly isWaiting: boolean;
}

/** Holds every call of every process until it is let go, so that any interleaving can be played. */
export interface Interleaving {
  start(onDeath: () => void): Process;
  /** The processes that wait, oldest first. */
  waiting(): Process[];
}

export const makeInterleaving = (): Interleaving => {
  const processes = new Set<Process>();
  return {
    start: (onDeath) => {
      const process = makeProcess(() => {
        processes.delete(process);
        onDeath();
      });
      processes.add(process);
      return process;
    },
    waiting: () => [...processes].filter(({ isWaiting }) => isWaiting),
  };
};

const makeProcess = (onDeath: () => void): Process => {
  const calls: ((fate: Fate) => Promise<void>)[] = [];
  let isAlive = true;
  const die = (): void => {
    isAlive = false;
    calls.length = 0;
    onDeath();
  };
  const settle = async <T>(
    effect: () => T | Promise<T>,
    fate: Fate,
    resolve: (value: T) => void,
    reject: (cause: unknown) => void,
  ): Promise<void> => {
    if (fate === 'dies before') return die();
    if (fate === 'fails before') return reject(failure());
    try {
      const value = await effect();
      if (fate === 'dies after') die();
      else if (fate === 'fails after') reject(failure());
      else resolve(value);
    } catch (cause) {
      reject(cause);
    }
  };
  return {
    call: (effect) =>
      new Promise((resolve, reject) => {
        if (isAlive) calls.push((fate) => settle(effect, fate, resolve, reject));
      }),
    release: async (fate) => {
      await calls.shift()?.(fate);
      await turn();
    },
    get isWaiting() {
      return calls.length > 0;
    },
  };
};

/** So many calls of one process; the last one meets the fate. */
export const proceed = async (process: Process, calls: number, fate: Fate): Promise<void> => {
  for (let call = 1; call <= calls && process.isWaiting; call += 1) {
    await process.release(call === calls ? fate : 'done');
  }
};

/** A process that nothing comes between. */
export const UNDISTURBED: Process = {
  call: async (effect) => effect(),
  release: async () => undefined,
  isWaiting: false,
};

const failure = (): SyncError => new SyncError('store_unavailable', 'The store was told to fail.');
