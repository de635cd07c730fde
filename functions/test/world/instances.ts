import { SyncError } from '../../src/lib/errors.ts';
import type { MakeCall, Server } from '../support/memory/call.ts';
import { type Clock, turn } from './clock.ts';

interface Course {
  /** How often it takes effect: 1. */
  readonly times?: number;
  /** Its caller is told that it failed, whatever came of it. */
  readonly isLost?: true;
  /** It takes effect later; the caller may have given up or died by then. */
  readonly isSlow?: true;
  /** The answer comes later. */
  readonly isAnsweredLate?: true;
  /** The instance ends first; what it had sent still arrives. */
  readonly ends?: true;
}

/** How one call to a store goes. */
const COURSES = {
  done: {},
  fails: { times: 0, isLost: true },
  lost: { isLost: true },
  repeated: { times: 2 },
  slow: { isSlow: true },
  'slow answer': { isAnsweredLate: true },
  dies: { times: 0, ends: true },
  'dies after': { ends: true },
} as const satisfies Readonly<Record<string, Course>>;
export type Fate = keyof typeof COURSES;
export const FATES = Object.keys(COURSES) as Fate[];

export type Outcome = { readonly value: unknown } | { readonly failure: unknown } | 'died';

/** Whose call takes effect at this moment. */
export interface Acting {
  instance: { readonly id: string; readonly name: string } | null;
}

/** An instance of one function: it serves requests, and all of them end with it. */
export const makeInstance = (
  clock: Clock,
  acting: Acting,
  facts: { readonly id: string; readonly name: string; readonly skewMs: number },
) => {
  const waiting: { server: Server; what: string; settle: (fate: Fate, delayMs: number) => void }[] = [];
  const requests = new Set<(outcome: Outcome) => void>();
  const die = (): void => {
    instance.isAlive = false;
    waiting.length = 0;
    for (const end of requests) end('died');
  };
  /** Waits until it is let go. Never settles once the instance has ended. */
  const call: MakeCall = (server, what, effect) =>
    new Promise((resolve, reject) => {
      if (!instance.isAlive) return;
      const takeEffect = (): ReturnType<typeof effect> => {
        acting.instance = facts;
        try {
          return effect();
        } finally {
          acting.instance = null;
        }
      };
      const when = (isLater: true | undefined, delayMs: number, run: () => void): void => {
        if (isLater) clock.after(delayMs, run);
        else run();
      };
      const settle = (fate: Fate, delayMs: number): void => {
        const { times = 1, isLost, isSlow, isAnsweredLate, ends }: Course = COURSES[fate];
        if (ends) die();
        when(isSlow, delayMs, () => {
          let answer = (): void => reject(failureOf[server]());
          try {
            // A transaction's client repeats nothing by itself.
            for (let n = 0; n < (server === 'database' ? Math.min(times, 1) : times); n += 1) {
              const value = takeEffect();
              if (!isLost) answer = () => resolve(value);
            }
          } catch (cause) {
            answer = () => reject(cause);
          }
          when(isAnsweredLate, delayMs, () => instance.isAlive && answer());
        });
      };
      waiting.push({ server, what, settle });
    });
  const instance = {
    ...facts,
    isAlive: true,
    call,
    waiting,
    requests,
    die,
    /** Serves a request for so long at most; `ended` is told how it ended. */
    serve: (limitMs: number, work: () => Promise<unknown>, ended: (outcome: Outcome) => void): void => {
      const end = (outcome: Outcome): void => {
        if (!requests.delete(end)) return;
        clock.cancel(limit);
        ended(outcome);
      };
      requests.add(end);
      // The platform ends what is too slow; whatever it has sent is on its way.
      const limit = clock.after(limitMs, die);
      work().then(
        (value) => instance.isAlive && end({ value }),
        (failure) => instance.isAlive && end({ failure }),
      );
    },
    /** Lets one waiting call go and returns when the instance waits again. */
    release: async (pick: number, fate: Fate, delayMs: number): Promise<void> => {
      const [next] = waiting.splice(pick % waiting.length, 1);
      next?.settle(fate, delayMs);
      await turn();
    },
  };
  return instance;
};

export type Instance = ReturnType<typeof makeInstance>;

const WHY = 'The call was told to fail.';
const failureOf: Readonly<Record<Server, () => Error>> = {
  firestore: () => Object.assign(new Error(WHY), { code: 14 }),
  storage: () => Object.assign(new Error(WHY), { code: 503 }),
  registry: () => new SyncError('registry_unreachable', WHY),
  database: () => new SyncError('database_unavailable', WHY),
};
