import { SyncError } from '../../src/lib/errors.ts';
import type { MakeCall, Server } from '../support/memory/call.ts';
import { type Clock, turn } from './clock.ts';

/**
 * How one call to a store goes:
 *
 *     done         it takes effect and is answered
 *     fails        no effect, and the caller is told that it failed
 *     lost         it takes effect, and the caller is told that it failed
 *     repeated     the client sends it twice, and the caller is told what came of the second
 *     slow         it takes effect later; the caller may have given up or died by then
 *     slow answer  it takes effect now, and the answer comes later
 *     dies         the instance ends before it
 *     dies after   the instance ends after it took effect
 */
export const FATES = [
  'done',
  'fails',
  'lost',
  'repeated',
  'slow',
  'slow answer',
  'dies',
  'dies after',
] as const;
export type Fate = (typeof FATES)[number];
interface Waiting {
  readonly server: Server;
  readonly what: string;
  readonly settle: (fate: Fate, delayMs: number) => void;
}

/** An instance of one function: it serves requests, and all of them end with it. */
export interface Instance {
  readonly id: string;
  readonly name: string;
  /** How far its clock is from the world's. */
  skewMs: number;
  /** Waits until it is let go. Never settles once the instance has ended. */
  readonly call: MakeCall;
  readonly waiting: readonly Waiting[];
  isAlive: boolean;
  /** Serves a request for so long at most; `ended` is told how it ended. */
  serve(limitMs: number, work: () => Promise<unknown>, ended: (outcome: Outcome) => void): void;
  readonly requests: ReadonlySet<unknown>;
  /** Lets one waiting call go and returns when the instance waits again. */
  release(pick: number, fate: Fate, delayMs: number): Promise<void>;
  die(): void;
}

export type Outcome = { readonly value: unknown } | { readonly failure: unknown } | 'died';

/** Whose call takes effect at this moment. */
export interface Acting {
  instance: Pick<Instance, 'id' | 'name'> | null;
}

export const makeInstance = (
  clock: Clock,
  acting: Acting,
  { id, name, skewMs }: Pick<Instance, 'id' | 'name' | 'skewMs'>,
): Instance => {
  const waiting: Waiting[] = [];
  const requests = new Set<(outcome: Outcome) => void>();
  const instance: Instance = {
    id,
    name,
    skewMs,
    waiting,
    requests,
    isAlive: true,
    call: (server, what, effect) =>
      new Promise((resolve, reject) => {
        if (!instance.isAlive) return;
        const takeEffect = () => {
          acting.instance = instance;
          try {
            return effect();
          } finally {
            acting.instance = null;
          }
        };
        const answer = (isAnswered: boolean, times = 1): void => {
          try {
            let value = takeEffect();
            if (times === 2) value = takeEffect();
            if (!instance.isAlive) return;
            if (isAnswered) resolve(value);
            else reject(failureOf(server));
          } catch (cause) {
            if (instance.isAlive) reject(cause);
          }
        };
        const settle = (fate: Fate, delayMs: number): void => {
          switch (fate) {
            case 'done':
              answer(true);
              break;
            case 'fails':
              reject(failureOf(server));
              break;
            case 'lost':
              answer(false);
              break;
            case 'repeated':
              answer(true, server === 'database' ? 1 : 2);
              break;
            case 'slow':
              clock.after(delayMs, () => answer(true));
              break;
            case 'slow answer':
              try {
                const value = takeEffect();
                clock.after(delayMs, () => instance.isAlive && resolve(value));
              } catch (cause) {
                clock.after(delayMs, () => instance.isAlive && reject(cause));
              }
              break;
            case 'dies':
              instance.die();
              break;
            case 'dies after':
              instance.die();
              answer(false);
              break;
            default:
              assertNever(fate);
          }
        };
        waiting.push({ server, what, settle });
      }),
    serve: (limitMs, work, ended) => {
      const end = (outcome: Outcome): void => {
        if (!requests.delete(end)) return;
        clock.cancel(limit);
        ended(outcome);
      };
      requests.add(end);
      // The platform ends what is too slow; whatever it has sent is on its way.
      const limit = clock.after(limitMs, () => instance.die());
      work().then(
        (value) => instance.isAlive && end({ value }),
        (failure) => instance.isAlive && end({ failure }),
      );
    },
    release: async (pick, fate, delayMs) => {
      const [next] = waiting.splice(pick % waiting.length, 1);
      next?.settle(fate, delayMs);
      await turn();
    },
    die: () => {
      instance.isAlive = false;
      waiting.length = 0;
      for (const end of requests) end('died');
    },
  };
  return instance;
};

const assertNever = (what: never): never => {
  throw new Error(`There is no ${what}.`);
};

const failureOf = (server: Server): Error => {
  const why = 'The call was told to fail.';
  switch (server) {
    case 'firestore':
      return Object.assign(new Error(why), { code: 14 });
    case 'storage':
      return Object.assign(new Error(why), { code: 503 });
    case 'registry':
      return new SyncError('registry_unreachable', why);
    case 'database':
      return new SyncError('database_unavailable', why);
    default:
      return assertNever(server);
  }
};
