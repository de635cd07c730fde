import { SyncError } from '../lib/errors.ts';

/** Takes one from the caller's allowance. Throws `rate_limited` with the seconds to wait in its details. */
export type RateLimit = (caller: string) => void;

interface Bucket {
  tokens: number;
  at: number;
}

/** Callers that are remembered; the one that was longest silent is forgotten first, which is to its advantage. */
const REMEMBERED = 10_000;

/**
 * A token bucket a caller: `perMinute` at once, refilled evenly. It counts in this process: the limit of the whole
 * service is this times the function's `maxInstances`.
 */
export const makeRateLimit = (perMinute: number, now: () => Date): RateLimit => {
  const buckets = new Map<string, Bucket>();
  return (caller) => {
    const at = now().getTime();
    const before = buckets.get(caller) ?? { tokens: perMinute, at };
    const tokens = Math.min(perMinute, before.tokens + ((at - before.at) * perMinute) / 60_000);
    buckets.delete(caller);
    buckets.set(caller, { tokens: Math.max(0, tokens - 1), at });
    if (buckets.size > REMEMBERED) {
      for (const oldest of buckets.keys()) {
        buckets.delete(oldest);
        break;
      }
    }
    if (tokens >= 1) return;
    buckets.set(caller, { tokens, at });
    const retryAfterSeconds = Math.ceil((1 - tokens) * (60 / perMinute));
    throw new SyncError(
      'rate_limited',
      `At most ${perMinute} requests a minute. Wait ${retryAfterSeconds} s.`,
      {
        details: { retryAfterSeconds },
      },
    );
  };
};
