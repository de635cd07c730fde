import { setTimeout as sleep } from 'node:timers/promises';

/** What a predicate may look at. */
export interface FaultTarget {
  readonly method: string;
  /** Percent-encoded, without the query, such as `/b/members/o/kennitalas.txt`. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/** `before`: the request has no effect. `after`: it took effect and is durable, but its answer is lost. */
export type FaultStage = 'before' | 'after';

export interface Fault {
  readonly matches: (target: FaultTarget) => boolean;
  readonly stage: FaultStage;
  /** A status to answer with, or `destroy` to cut the connection without an answer. */
  readonly answer: number | 'destroy';
  /** How many matching requests it strikes; 1 if absent. */
  readonly times?: number;
}

export interface ArmedFault {
  /** Requests that it struck so far. */
  readonly struck: () => number;
  readonly disarm: () => void;
}

/** One request stopped at a stage until the test lets it go on. */
export interface HeldRequest {
  /** Resolves when the request has come to the stage. */
  readonly reached: Promise<void>;
  readonly release: () => void;
}

export interface Faults {
  arm(fault: Fault): ArmedFault;
  /** Stops the next matching request: the deterministic way to make another writer win a race. */
  hold(matches: Fault['matches'], stage: FaultStage): HeldRequest;
  /** Every request waits this long before it takes effect, as one to a distant service would. */
  setDelay(milliseconds: number): void;
  delay(): Promise<void>;
  /** Waits for a matching hold, then uses up a matching fault and tells its answer. */
  meet(target: FaultTarget, stage: FaultStage): Promise<Fault['answer'] | null>;
  /** Lets all held requests go on. */
  releaseAll(): void;
}

interface Hold {
  readonly matches: Fault['matches'];
  readonly stage: FaultStage;
  readonly reach: () => void;
  readonly released: Promise<void>;
  readonly release: () => void;
  waiting: boolean;
}

export function makeFaults(): Faults {
  const armed = new Map<Fault, { left: number; struck: number }>();
  const holds = new Set<Hold>();
  let delayMilliseconds = 0;
  return {
    arm(fault) {
      const state = { left: fault.times ?? 1, struck: 0 };
      const own = { ...fault };
      armed.set(own, state);
      return { struck: () => state.struck, disarm: () => armed.delete(own) };
    },
    hold(matches, stage) {
      const reached = Promise.withResolvers<void>();
      const released = Promise.withResolvers<void>();
      const held: Hold = {
        matches,
        stage,
        reach: reached.resolve,
        released: released.promise,
        release: released.resolve,
        waiting: false,
      };
      holds.add(held);
      return { reached: reached.promise, release: released.resolve };
    },
    setDelay(milliseconds) {
      delayMilliseconds = milliseconds;
    },
    async delay() {
      if (delayMilliseconds > 0) await sleep(delayMilliseconds);
    },
    async meet(target, stage) {
      for (const held of holds) {
        if (held.waiting || held.stage !== stage || !held.matches(target)) continue;
        held.waiting = true;
        held.reach();
        await held.released;
        holds.delete(held);
        break;
      }
      for (const [fault, state] of armed) {
        if (fault.stage !== stage || !fault.matches(target)) continue;
        state.left -= 1;
        state.struck += 1;
        if (state.left <= 0) armed.delete(fault);
        return fault.answer;
      }
      return null;
    },
    releaseAll() {
      for (const held of holds) held.release();
      holds.clear();
    },
  };
}
