import { setTimeout as sleep } from 'node:timers/promises';

/**
 * How failed events are tried again. Production waits 10 to 600 seconds between tries, and gives up after 24 hours;
 * the shorter waits here let a person watch it.
 */
export interface RetryPolicy {
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
  readonly maxAgeMs: number;
}

export const DEFAULT_RETRY: RetryPolicy = { minDelayMs: 200, maxDelayMs: 5_000, maxAgeMs: 24 * 3_600_000 };

/** Production's default concurrency of one instance. */
const MAX_IN_FLIGHT = 80;

export interface Delivery {
  readonly functionName: string;
  readonly retry: boolean;
  /** Fulfilled with the HTTP status, or with null when nobody answered. */
  readonly post: (signal: AbortSignal) => Promise<number | null>;
}

/** `abandoned`: the host was closed while the event still waited. */
export type DeliveryOutcome = 'delivered' | 'dropped' | 'abandoned';

export interface DeliveryFailure {
  readonly functionName: string;
  readonly attempt: number;
  readonly status: number | null;
  /** Null when the event is dropped. */
  readonly nextDelayMs: number | null;
}

export interface DeliveryCounts {
  readonly pending: number;
  readonly delivered: number;
  readonly retried: number;
  readonly dropped: number;
}

export interface Deliveries {
  deliver(delivery: Delivery): Promise<DeliveryOutcome>;
  counts(): DeliveryCounts;
  /** Fulfilled when nothing waits and nothing is in flight. */
  drain(): Promise<void>;
  close(): void;
}

/**
 * Delivers events as Eventarc does: at least once, in no order, and again after a failure only where the function
 * asks for it. What waits is held in memory, so it is lost when the host itself ends.
 */
export function makeDeliveries(
  retry: RetryPolicy,
  onFailure: (failure: DeliveryFailure) => void,
): Deliveries {
  const closing = new AbortController();
  const waiting: (() => void)[] = [];
  const drained = new Set<() => void>();
  const count = { pending: 0, delivered: 0, retried: 0, dropped: 0 };
  let inFlight = 0;

  async function attempt(delivery: Delivery): Promise<number | null> {
    if (inFlight >= MAX_IN_FLIGHT) await new Promise<void>((resolve) => waiting.push(resolve));
    else inFlight += 1;
    try {
      return closing.signal.aborted ? null : await delivery.post(closing.signal);
    } finally {
      // A waiting delivery takes the place over, so that no third one slips in between.
      const next = waiting.shift();
      if (next === undefined) inFlight -= 1;
      else next();
    }
  }

  async function run(delivery: Delivery): Promise<DeliveryOutcome> {
    const giveUpAt = Date.now() + retry.maxAgeMs;
    for (let tries = 1; ; tries += 1) {
      const status = await attempt(delivery);
      if (status !== null && status >= 200 && status < 300) return 'delivered';
      if (closing.signal.aborted) return 'abandoned';
      const delayMs = delayAfter(tries, retry);
      const again = delivery.retry && Date.now() + delayMs < giveUpAt;
      const { functionName } = delivery;
      onFailure({ functionName, attempt: tries, status, nextDelayMs: again ? delayMs : null });
      if (!again) return 'dropped';
      count.retried += 1;
      await sleep(delayMs, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  }

  return {
    async deliver(delivery) {
      count.pending += 1;
      const outcome = await run(delivery);
      count.pending -= 1;
      if (outcome !== 'abandoned') count[outcome] += 1;
      if (count.pending === 0) {
        for (const resolve of drained) resolve();
        drained.clear();
      }
      return outcome;
    },
    counts: () => ({ ...count }),
    drain: () => (count.pending === 0 ? Promise.resolve() : new Promise((resolve) => drained.add(resolve))),
    close: () => closing.abort(),
  };
}

/** Doubles from the minimum to the maximum, less up to a half at random, so that events do not come back in a wave. */
function delayAfter(tries: number, { minDelayMs, maxDelayMs }: RetryPolicy): number {
  const full = Math.min(maxDelayMs, minDelayMs * 2 ** Math.min(tries - 1, 30));
  return Math.round(full * (1 - Math.random() / 2));
}

/** A CloudEvent over HTTP, in binary mode (`ce-…` headers) or structured mode (`application/cloudevents+json`). */
export interface HttpCloudEvent {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/**
 * POSTs an event once. Returns the answer's status, or null when there was none: the connection was refused or
 * broken, `timeoutSeconds` passed, or `signal` was aborted.
 */
export async function postEvent(
  url: string,
  event: HttpCloudEvent,
  limit: { readonly timeoutSeconds: number; readonly signal: AbortSignal },
): Promise<number | null> {
  const signal = AbortSignal.any([limit.signal, AbortSignal.timeout(limit.timeoutSeconds * 1000)]);
  const body = typeof event.body === 'string' ? event.body : new Uint8Array(event.body);
  try {
    const response = await fetch(url, { method: 'POST', headers: event.headers, body, signal });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return null;
  }
}
