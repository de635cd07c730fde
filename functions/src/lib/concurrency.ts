export const chunksOf = <T>(values: readonly T[], size: number): T[][] => {
  const chunks: T[][] = [];
  for (let from = 0; from < values.length; from += size) chunks.push(values.slice(from, from + size));
  return chunks;
};

/** Makes a thing once, when it is first asked for. A failed attempt is forgotten, so that the next one may succeed. */
export const lazy = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((cause: unknown) => {
      made = undefined;
      throw cause;
    });
    return made;
  };
};

export interface GroupOptions<In, Out> {
  /** Inputs of one group at most. */
  readonly most: number;
  /** Groups under way at most. */
  readonly atOnce: number;
  /** While so many inputs are under way no further group begins: what waits then makes a larger one. */
  readonly enough: number;
  /** A group that takes longer holds up no other any more; its own inputs wait on. */
  readonly slowAfterMs: number;
  /** Answers in the order of the inputs. What it throws, every input of the group gets. */
  readonly run: (inputs: readonly In[]) => Promise<readonly Out[]>;
}

/**
 * Makes groups of what is asked for at the same time: what comes alone is run at once, and what comes while the groups are
 * under way goes together when one of them ends. Nobody waits for company.
 */
export const makeGroups = <In, Out>({
  most,
  atOnce,
  enough,
  slowAfterMs,
  run,
}: GroupOptions<In, Out>): ((input: In) => Promise<Out>) => {
  const waiting: { readonly input: In; readonly asked: PromiseWithResolvers<Out> }[] = [];
  const underWay = { groups: 0, inputs: 0 };
  let isStarting = false;

  const runGroup = async (group: typeof waiting): Promise<void> => {
    try {
      const outputs = await run(group.map(({ input }) => input));
      for (const [n, { asked }] of group.entries()) asked.resolve(outputs[n] as Out);
    } catch (cause) {
      for (const { asked } of group) asked.reject(cause);
    }
  };

  const start = (): void => {
    isStarting = false;
    while (underWay.groups < atOnce && underWay.inputs < enough && waiting.length > 0) {
      const group = waiting.splice(0, most);
      underWay.groups += 1;
      underWay.inputs += group.length;
      void atMost(slowAfterMs, runGroup(group)).then(() => {
        underWay.groups -= 1;
        underWay.inputs -= group.length;
        startSoon();
      });
    }
  };

  /** After what has arrived already is read, so that a burst is one group and not one input and the rest. */
  const startSoon = (): void => {
    if (isStarting) return;
    isStarting = true;
    setImmediate(start);
  };

  return (input) => {
    const asked = Promise.withResolvers<Out>();
    waiting.push({ input, asked });
    startSoon();
    return asked.promise;
  };
};

/**
 * Lets work of one key be done one after another, where two at once would only make one of them begin again. It saves
 * attempts and promises nothing: after `patienceMs` the next one begins all the same.
 */
export const makeTurns = (patienceMs: number) => {
  const last = new Map<string, Promise<unknown>>();
  return async <T>(key: string, work: () => Promise<T>): Promise<T> => {
    const before = last.get(key);
    const ended = Promise.withResolvers<void>();
    last.set(key, ended.promise);
    try {
      if (before !== undefined) await atMost(patienceMs, before);
      return await work();
    } finally {
      ended.resolve();
      if (last.get(key) === ended.promise) last.delete(key);
    }
  };
};

/** Returns when the work has ended, or after the time. @param work Never rejects. */
const atMost = (ms: number, work: Promise<unknown>): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    void work.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
