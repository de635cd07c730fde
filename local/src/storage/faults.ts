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
  /** Makes the next matching requests fail, before they take effect or after. */
  failNext(fault: Fault): ArmedFault;
  /** Stops the next matching request: the deterministic way to make another writer win a race. */
  holdNext(matches: Fault['matches'], stage: FaultStage): HeldRequest;
  /** Waits for a matching hold, then uses up a matching fault and tells its answer. */
  meet(target: FaultTarget, stage: FaultStage): Promise<Fault['answer'] | null>;
  releaseAll(): void;
}

interface Hold {
  readonly matches: Fault['matches'];
  readonly stage: FaultStage;
  readonly reached: PromiseWithResolvers<void>;
  readonly released: PromiseWithResolvers<void>;
}

export const makeFaults = (): Faults => {
  const armed = new Map<Fault, { left: number; struck: number }>();
  const holds = new Set<Hold>();
  const waiting = new Set<Hold>();
  return {
    failNext: (fault) => {
      const state = { left: fault.times ?? 1, struck: 0 };
      const own = { ...fault };
      armed.set(own, state);
      return { struck: () => state.struck, disarm: () => armed.delete(own) };
    },
    holdNext: (matches, stage) => {
      const held: Hold = {
        ...{ matches, stage },
        reached: Promise.withResolvers<void>(),
        released: Promise.withResolvers<void>(),
      };
      holds.add(held);
      return { reached: held.reached.promise, release: held.released.resolve };
    },
    meet: async (target, stage) => {
      const held = [...holds].find((hold) => hold.stage === stage && hold.matches(target));
      if (held) {
        holds.delete(held);
        waiting.add(held);
        held.reached.resolve();
        await held.released.promise;
        waiting.delete(held);
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
    releaseAll: () => {
      for (const { released } of [...holds, ...waiting]) released.resolve();
      holds.clear();
    },
  };
};
