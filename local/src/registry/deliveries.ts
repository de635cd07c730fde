import { makeDeliverer, postOnce } from '../deliverer.ts';
import { assertSecrets, signEvent, type WebhookEvent } from './events.ts';
import { fraction } from './kennitalas.ts';

export interface DeliveryOptions {
  readonly url: string;
  /** `whsec_…` or bare base64; every one signs. */
  readonly secrets: readonly string[];
  readonly seed: number;
  /** Pause before the second attempt, the third, …; after the last one the event is given up. */
  readonly retryDelaysMs?: readonly number[] | undefined;
}

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

const DEFAULT_RETRY_DELAYS_MS = [1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 60_000, 60_000] as const;
const MAX_RETRY_AFTER_MS = 60_000;
/** Attempts under way at once. */
const PARALLEL = 16;
const ATTEMPT_LIMIT_MS = 10_000;

export type Deliveries = ReturnType<typeof makeDeliveries>;

/**
 * Sends the registry's events: one at a time a member and in order, several members in parallel, each until it is
 * answered with 2xx or given up. What the end of the process leaves unsent is lost, and a reconcile heals it.
 */
export const makeDeliveries = (options: DeliveryOptions) => {
  const { url, secrets, seed, retryDelaysMs = DEFAULT_RETRY_DELAYS_MS } = options;
  assertSecrets(secrets);
  const deliverer = makeDeliverer(PARALLEL);
  const counts = { sent: 0, dropped: 0, duplicated: 0, reordered: 0 };
  let mischief = NO_MISCHIEF;
  let paused: PromiseWithResolvers<void> | null = null;

  const resume = (): void => {
    paused?.resolve();
    paused = null;
  };
  const add = ({ id, body }: WebhookEvent, lane: string, startAfterMs = 0): void => {
    let retryAfterMs = 0;
    void deliverer.deliver({
      lane,
      startAfterMs,
      post: async (signal) => {
        await paused?.promise;
        if (signal.aborted) return false;
        counts.sent += 1;
        const signed = signEvent(`msg_${id}`, body, secrets, new Date());
        const headers = { 'content-type': 'application/json', ...signed };
        const answer = await postOnce(url, { headers, body }, { signal, milliseconds: ATTEMPT_LIMIT_MS });
        const seconds = Number(answer?.headers.get('retry-after') ?? 0);
        retryAfterMs = seconds > 0 ? Math.min(MAX_RETRY_AFTER_MS, seconds * 1_000) : 0;
        return answer?.ok === true;
      },
      delayAfter: (tries) => {
        const delay = retryDelaysMs[tries - 1];
        return delay === undefined ? null : Math.max(delay, retryAfterMs);
      },
    });
  };

  return {
    enqueue: (event: WebhookEvent): void => {
      // What happens to an event is a function of the seed and its id, so that a run can be repeated.
      const happens = (share: number, salt: number): boolean => fraction(seed, event.id, salt) < share;
      if (happens(mischief.drop, 300)) {
        counts.dropped += 1;
        return;
      }
      // A lane of its own is what lets an event be overtaken, and lets a copy arrive at any time.
      if (happens(mischief.reorder, 302)) {
        counts.reordered += 1;
        add(event, `held ${event.id}`, mischief.reorder_delay_ms);
      } else add(event, `member ${event.index}`);
      if (!happens(mischief.duplicate, 301)) return;
      counts.duplicated += 1;
      add(event, `copy ${event.id}`);
    },
    /** `sent` counts requests; `delivered`, `failed` (given up), `dropped` and `pending` count events and their copies. */
    stats: () => {
      const { pending, delivered, retried, dropped: failed } = deliverer.counts();
      return { ...counts, pending, delivered, retried, failed };
    },
    pause: (): void => {
      paused ??= Promise.withResolvers<void>();
    },
    resume,
    misbehave: (change: Partial<Mischief>): void => {
      mischief = { ...mischief, ...change };
    },
    /** Resolves when nothing is pending. While deliveries are paused it waits for them to be resumed. */
    drain: deliverer.drain,
    close: async (): Promise<void> => {
      const closed = deliverer.close();
      resume();
      await closed;
    },
  };
};
