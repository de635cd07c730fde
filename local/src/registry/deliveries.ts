import { setTimeout as sleep } from 'node:timers/promises';
import { assertSecrets, sendEvent, type WebhookEvent, type WebhookTarget } from './events.ts';
import { fraction } from './kennitalas.ts';

export interface DeliveryOptions {
  readonly target: WebhookTarget;
  readonly seed: number;
  /** Pause before the second attempt, the third, …; after the last one the event is given up. */
  readonly retryDelaysMs?: readonly number[];
  /** An event needs no further attempt: delivered, dropped on purpose, or given up. */
  readonly onSettled: (id: number) => void;
}

/** `sent` counts requests; `delivered`, `failed` (given up), `dropped` and `pending` count events and their copies. */
interface DeliveryStats {
  readonly sent: number;
  readonly delivered: number;
  readonly failed: number;
  readonly pending: number;
  readonly dropped: number;
  readonly duplicated: number;
  readonly reordered: number;
  /** Attempts after the first one. */
  readonly retried: number;
  readonly paused: boolean;
}

/**
 * Sends the registry's events: one at a time a member and in order, several members in parallel, each until it is
 * answered with 2xx or given up. What an earlier event waits for, the member's later ones wait for too.
 */
export interface Deliveries {
  enqueue(event: WebhookEvent): void;
  stats(): DeliveryStats;
  pause(): void;
  resume(): void;
  misbehave(mischief: Partial<Mischief>): void;
  /** Resolves when nothing is pending. While deliveries are paused it waits for them to be resumed. */
  drain(): Promise<void>;
  /** Gives up what is under way without settling it, so that a journal still owes it. */
  close(): Promise<void>;
}

const DEFAULT_RETRY_DELAYS_MS = [1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 60_000, 60_000] as const;

/** Attempts under way at once. */
const PARALLEL = 16;
const ATTEMPT_LIMIT_MS = 10_000;

interface Delivery {
  readonly event: WebhookEvent;
  readonly holdMs: number;
  readonly copy: boolean;
}

export const makeDeliveries = ({
  target,
  seed,
  retryDelaysMs = DEFAULT_RETRY_DELAYS_MS,
  onSettled,
}: DeliveryOptions): Deliveries => {
  const counts = {
    sent: 0,
    delivered: 0,
    failed: 0,
    pending: 0,
    dropped: 0,
    duplicated: 0,
    reordered: 0,
    retried: 0,
  };
  const lanes = new Map<string, Delivery[]>();
  const running = new Set<Promise<void>>();
  const closing = new AbortController();
  const atMost = makeSemaphore(PARALLEL);
  let mischief = NO_MISCHIEF;
  let resumed = Promise.withResolvers<void>();
  let paused = false;
  let drained: (() => void)[] = [];
  resumed.resolve();

  assertSecrets(target.secrets);

  const wait = (ms: number): Promise<void> =>
    sleep(ms, undefined, { signal: closing.signal }).catch(() => {});

  const attempt = (event: WebhookEvent) => {
    counts.sent += 1;
    return sendEvent(event, target, AbortSignal.any([closing.signal, AbortSignal.timeout(ATTEMPT_LIMIT_MS)]));
  };

  const settle = ({ event, copy }: Delivery, outcome: 'delivered' | 'failed'): void => {
    counts[outcome] += 1;
    counts.pending -= 1;
    if (!copy) onSettled(event.id);
    if (counts.pending > 0) return;
    for (const resolve of drained) resolve();
    drained = [];
  };

  const deliver = async (delivery: Delivery): Promise<void> => {
    if (delivery.holdMs > 0) await wait(delivery.holdMs);
    for (let tries = 0; ; tries += 1) {
      await resumed.promise;
      if (closing.signal.aborted) return;
      if (tries > 0) counts.retried += 1;
      const { delivered, retryAfterMs } = await atMost(() => attempt(delivery.event));
      if (delivered) return settle(delivery, 'delivered');
      if (closing.signal.aborted) return;
      const delay = retryDelaysMs[tries];
      if (delay === undefined) return settle(delivery, 'failed');
      await wait(Math.max(delay, retryAfterMs));
    }
  };

  const runLane = async (name: string, queue: Delivery[]): Promise<void> => {
    for (let next = queue[0]; next && !closing.signal.aborted; next = queue[0]) {
      await deliver(next);
      queue.shift();
    }
    lanes.delete(name);
  };

  const add = (lane: string, delivery: Delivery): void => {
    counts.pending += 1;
    const queue = lanes.get(lane);
    if (queue) {
      queue.push(delivery);
      return;
    }
    const fresh = [delivery];
    lanes.set(lane, fresh);
    const run = runLane(lane, fresh);
    running.add(run);
    void run.finally(() => running.delete(run));
  };

  return {
    enqueue: (event) => {
      const { drop, duplicate, holdMs } = fateOf(seed, event.id, mischief);
      if (drop) {
        counts.dropped += 1;
        onSettled(event.id);
        return;
      }
      // A lane of its own is what lets an event be overtaken, and lets a copy arrive at any time.
      if (holdMs > 0) counts.reordered += 1;
      add(holdMs > 0 ? `held ${event.id}` : `member ${event.index}`, { event, holdMs, copy: false });
      if (!duplicate) return;
      counts.duplicated += 1;
      add(`copy ${event.id}`, { event, holdMs: 0, copy: true });
    },
    stats: () => ({ ...counts, paused }),
    pause: () => {
      if (paused) return;
      paused = true;
      resumed = Promise.withResolvers();
    },
    resume: () => {
      paused = false;
      resumed.resolve();
    },
    misbehave: (change) => {
      mischief = { ...mischief, ...change };
    },
    drain: () => (counts.pending === 0 ? Promise.resolve() : new Promise((resolve) => drained.push(resolve))),
    close: async () => {
      closing.abort();
      resumed.resolve();
      await Promise.all(running);
    },
  };
};

/** How the network between the registry and the function misbehaves. Shares are 0 to 1. */
interface Mischief {
  /** Share of the events that are never sent. */
  readonly drop: number;
  /** Share that is sent twice, with the same id. */
  readonly duplicate: number;
  /** Share that is held back, so that later events of the same member overtake it. */
  readonly reorder: number;
  /** How long a reordered event is held back. */
  readonly reorder_delay_ms: number;
}

export const NO_MISCHIEF: Mischief = { drop: 0, duplicate: 0, reorder: 0, reorder_delay_ms: 300 };

/** What happens to one event: a function of the seed and its id, so that a run can be repeated. */
const fateOf = (
  seed: number,
  id: number,
  mischief: Mischief,
): { readonly drop: boolean; readonly duplicate: boolean; readonly holdMs: number } => ({
  drop: fraction(seed, id, 300) < mischief.drop,
  duplicate: fraction(seed, id, 301) < mischief.duplicate,
  holdMs: fraction(seed, id, 302) < mischief.reorder ? mischief.reorder_delay_ms : 0,
});

/** Lets so many tasks run at once; the others wait in the order they came. */
const makeSemaphore = (limit: number): (<T>(task: () => Promise<T>) => Promise<T>) => {
  let free = limit;
  const waiting: (() => void)[] = [];
  return async (task) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await task();
    } finally {
      // The place goes straight to the next in line; counting it free in between would let a newcomer past.
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
};
