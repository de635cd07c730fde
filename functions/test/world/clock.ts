import { syncBuiltinESMExports } from 'node:module';
import timersPromises from 'node:timers/promises';

const realSetImmediate = setImmediate;
/** Lets everything go on that does not wait for time or for a gate. */
export const turn = (): Promise<void> => new Promise((resolve) => realSetImmediate(resolve));

const TIME_IS_UP = new DOMException('The time is up.', 'TimeoutError');

/** The world's time. Nothing in it waits for real time: `advance` fires each timer at its own moment. */
export interface Clock {
  readonly time: number;
  readonly after: (ms: number, run: () => void) => number;
  readonly cancel: (id: number) => void;
  readonly advance: (ms: number) => Promise<void>;
  /** Puts this time, and chance, in the place of the platform's. Returns what puts them back. */
  readonly install: (random: () => number) => () => void;
}

export const makeClock = (start: number): Clock => {
  const timers = new Map<number, { readonly at: number; readonly run: () => void }>();
  let time = start;
  let ids = 0;
  const after = (ms: number, run: () => void): number => {
    ids += 1;
    timers.set(ids, { at: time + Math.max(0, Math.floor(ms)), run });
    return ids;
  };
  const next = (until: number): number | null => {
    let found: number | null = null;
    let least = until;
    for (const [id, { at }] of timers) {
      if (at < least || (at === least && found === null)) [found, least] = [id, at];
    }
    return found;
  };
  const sleep = (ms = 0, value?: unknown, { signal }: { signal?: AbortSignal } = {}): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const id = after(ms, () => resolve(value));
      const stop = (): void => {
        timers.delete(id);
        reject(new DOMException('The wait was given up.', 'AbortError'));
      };
      if (signal?.aborted === true) stop();
      else signal?.addEventListener('abort', stop, { once: true });
    });
  const abortAfter = (ms: number): AbortSignal => {
    const controller = new AbortController();
    after(ms, () => controller.abort(TIME_IS_UP));
    return controller.signal;
  };
  return {
    get time() {
      return time;
    },
    after,
    cancel: (id) => void timers.delete(id),
    advance: async (ms) => {
      const until = time + Math.floor(ms);
      for (let id = next(until); id !== null; id = next(until)) {
        const { at, run } = timers.get(id) as { at: number; run: () => void };
        timers.delete(id);
        time = Math.max(time, at);
        run();
        await turn();
      }
      time = until;
    },
    install: (random) => {
      const before = [setTimeout, clearTimeout, setImmediate, timersPromises.setTimeout] as const;
      const others = [Math.random, Date.now, AbortSignal.timeout] as const;
      const put = (...[timeout, clear, immediate, delay]: unknown[]): void => {
        Object.assign(globalThis, { setTimeout: timeout, clearTimeout: clear, setImmediate: immediate });
        Object.assign(timersPromises, { setTimeout: delay });
        syncBuiltinESMExports();
      };
      put(
        (run: () => void, ms = 0) => after(ms, run),
        (id: number) => timers.delete(id),
        (run: () => void) => queueMicrotask(run),
        sleep,
      );
      Math.random = random;
      Date.now = () => time;
      AbortSignal.timeout = abortAfter;
      return () => {
        put(...before);
        [Math.random, Date.now, AbortSignal.timeout] = others;
      };
    },
  };
};

/** 32 bits that are the same for the same words (FNV-1a with a last mixing). */
export const hash = (...words: readonly (number | string)[]): number => {
  let value = 0x811c9dc5;
  for (const char of words.join('|')) value = Math.imul(value ^ char.charCodeAt(0), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
};

/** Chance that is the same in each run of a seed (mulberry32). */
export class Chance {
  private state: number;
  constructor(seed: number) {
    this.state = seed >>> 0;
  }
  readonly next = (): number => {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 0x1_0000_0000;
  };
  readonly below = (limit: number): number => Math.floor(this.next() * limit);
  readonly oneIn = (n: number): boolean => this.below(n) === 0;
  readonly of = <T>(values: readonly T[]): T => values[this.below(values.length)] as T;
  /** One of the names, each as often as its number says. */
  readonly weighted = <T extends string>(table: Readonly<Record<T, { readonly weight: number }>>): T => {
    const names = (Object.keys(table) as T[]).flatMap((name) => Array<T>(table[name].weight).fill(name));
    return this.of(names);
  };
}
