import { setTimeout as sleep } from 'node:timers/promises';
import type { WebhookEvent } from './make-event.ts';
import { fateOf, type Mischief, NO_MISCHIEF } from './mischief.ts';
import { makeSemaphore } from './semaphore.ts';
import { type Attempt, sendEvent, type WebhookTarget } from './send-event.ts';
import { assertSecrets } from './sign-event.ts';

export interface DeliveryOptions {
  readonly target: WebhookTarget;
  readonly seed: number;
  /** Pause before the second attempt, the third, …; after the last one the event is given up. */
  readonly retryDelaysMs?: readonly number[];
  /** Limit of one attempt. */
  readonly timeoutMs?: number;
  /** Attempts under way at once. */
  readonly parallel?: number;
  /** An event needs no further attempt: delivered, dropped on purpose, or given up. */
  readonly onSettled: (id: number) => void;
}

/** `sent` counts requests; `delivered`, `failed` (given up), `dropped` and `pending` count events and their copies. */
export interface DeliveryStats {
  readonly sent: number;
  readonly delivered: number;
  readonly failed: number;
  readonly pending: number;
  readonly dropped: number;
  readonly duplicated: number;
  readonly reordered: number;
  /** Attempts after the first one. */
  readonly retried: number;
  /** Attempts that failed without being sent, while deliveries were told to fail. */
  readonly withheld: number;
  readonly paused: boolean;
  readonly mischief: Mischief;
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
  /** For so long every attempt fails without being sent, as if the network were down. */
  failFor(ms: number): void;
  /** Another address or other secrets, for attempts from now on. Throws for a secret that cannot sign. */
  retarget(target: Partial<WebhookTarget>): void;
  /** Resolves when nothing is pending. While deliveries are paused it waits for them to be resumed. */
  drain(): Promise<void>;
  /** Gives up what is under way without settling it, so that a journal still owes it. */
  close(): Promise<void>;
}

export const DEFAULT_RETRY_DELAYS_MS = [1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 60_000, 60_000] as const;

interface Delivery {
  readonly event: WebhookEvent;
  readonly holdMs: number;
  readonly copy: boolean;
}

export const makeDeliveries = ({
  target: firstTarget,
  seed,
  retryDelaysMs = DEFAULT_RETRY_DELAYS_MS,
  timeoutMs = 10_000,
  parallel = 16,
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
    withheld: 0,
  };
  const lanes = new Map<string, Delivery[]>();
  const running = new Set<Promise<void>>();
  const closing = new AbortController();
  const atMost = makeSemaphore(parallel);
  let target = firstTarget;
  let mischief = NO_MISCHIEF;
  let failingUntil = 0;
  let resumed = Promise.withResolvers<void>();
  let paused = false;
  let drained: (() => void)[] = [];
  resumed.resolve();

  assertSecrets(target.secrets);

  const wait = (ms: number): Promise<void> =>
    sleep(ms, undefined, { signal: closing.signal }).catch(() => {});

  const attempt = async (event: WebhookEvent): Promise<Attempt> => {
    if (Date.now() < failingUntil) {
      counts.withheld += 1;
      return { delivered: false, status: 0, retryAfterMs: 0 };
    }
    counts.sent += 1;
    return sendEvent(event, target, AbortSignal.any([closing.signal, AbortSignal.timeout(timeoutMs)]));
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
    stats: () => ({ ...counts, paused, mischief }),
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
    failFor: (ms) => {
      failingUntil = Date.now() + ms;
    },
    retarget: (change) => {
      assertSecrets(change.secrets ?? target.secrets);
      target = { ...target, ...change };
    },
    drain: () => (counts.pending === 0 ? Promise.resolve() : new Promise((resolve) => drained.push(resolve))),
    close: async () => {
      closing.abort();
      resumed.resolve();
      await Promise.all(running);
    },
  };
};
