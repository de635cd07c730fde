import { setTimeout as sleep } from 'node:timers/promises';

/** What is posted: a webhook, or a CloudEvent over HTTP in binary mode (`ce-…` headers) or structured mode. */
export interface HttpEvent {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

export interface Delivery {
  /** One try; true when it was taken. */
  readonly post: (signal: AbortSignal) => Promise<boolean>;
  /** Milliseconds until the try after so many failed ones; null gives it up. */
  readonly delayAfter: (tries: number) => number | null;
  /** Those of one lane go one at a time and in order: what an earlier one waits for, the later ones wait for too. */
  readonly lane?: string;
  /** Milliseconds before the first try. */
  readonly startAfterMs?: number;
}

/** `abandoned`: it was closed while the event still waited. */
export type DeliveryOutcome = 'delivered' | 'dropped' | 'abandoned';

/** Delivers at least once, so many at a time. What waits is held in memory, so it is lost when the process ends. */
export const makeDeliverer = (parallel: number) => {
  const closing = new AbortController();
  const waiting: (() => void)[] = [];
  const lanes = new Map<string, Promise<unknown>>();
  const drained = new Set<() => void>();
  const count = { pending: 0, delivered: 0, retried: 0, dropped: 0 };
  let inFlight = 0;

  const atMost = async <T>(task: () => Promise<T>): Promise<T> => {
    if (inFlight >= parallel) await new Promise<void>((resolve) => waiting.push(resolve));
    else inFlight += 1;
    try {
      return await task();
    } finally {
      // A waiting one takes the place over, so that no third one slips in between.
      const next = waiting.shift();
      if (next === undefined) inFlight -= 1;
      else next();
    }
  };
  const wait = (ms: number): Promise<unknown> =>
    sleep(ms, undefined, { signal: closing.signal }).catch(() => undefined);

  const run = async ({ post, delayAfter, startAfterMs = 0 }: Delivery): Promise<DeliveryOutcome> => {
    if (startAfterMs > 0) await wait(startAfterMs);
    for (let tries = 1; ; tries += 1) {
      const isTaken = await atMost(async () => !closing.signal.aborted && post(closing.signal));
      if (isTaken) return 'delivered';
      if (closing.signal.aborted) return 'abandoned';
      const delay = delayAfter(tries);
      if (delay === null) return 'dropped';
      await wait(delay);
      if (!closing.signal.aborted) count.retried += 1;
    }
  };
  const drain = (): Promise<void> =>
    count.pending === 0 ? Promise.resolve() : new Promise((resolve) => drained.add(resolve));

  return {
    /** Never rejects for what cannot be delivered. */
    deliver: async (delivery: Delivery): Promise<DeliveryOutcome> => {
      const { lane } = delivery;
      count.pending += 1;
      const before = lane === undefined ? undefined : lanes.get(lane);
      const running = before === undefined ? run(delivery) : before.then(() => run(delivery));
      if (lane !== undefined) lanes.set(lane, running);
      const outcome = await running;
      if (lane !== undefined && lanes.get(lane) === running) lanes.delete(lane);
      count.pending -= 1;
      if (outcome !== 'abandoned') count[outcome] += 1;
      if (count.pending > 0) return outcome;
      for (const resolve of drained) resolve();
      drained.clear();
      return outcome;
    },
    counts: () => ({ ...count }),
    /** Fulfilled when nothing waits and nothing is in flight. */
    drain,
    /** Abandons what waits and what is in flight. */
    close: (): Promise<void> => {
      closing.abort();
      return drain();
    },
  };
};

/**
 * One POST, its answer's body read to the end so that the connection can be used again. Null when there was no answer: the
 * connection was refused or broken, the time limit passed, or `signal` was aborted. Redirects are not followed.
 */
export const postOnce = async (
  url: string,
  { headers, body }: HttpEvent,
  limit: { readonly signal: AbortSignal; readonly milliseconds: number },
): Promise<Response | null> => {
  const signal = AbortSignal.any([limit.signal, AbortSignal.timeout(limit.milliseconds)]);
  try {
    const sent = typeof body === 'string' ? body : new Uint8Array(body);
    const answer = await fetch(url, { method: 'POST', headers, body: sent, redirect: 'manual', signal });
    await answer.arrayBuffer();
    return answer;
  } catch {
    return null;
  }
};
