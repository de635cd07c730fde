import { setTimeout as delay } from 'node:timers/promises';
import { isSyncError } from './errors.ts';

/** How often and how fast to try again. Without `attempts`, the deadline alone ends it. */
export interface RetryPolicy {
  /** Tries in all, the first included. */
  readonly attempts?: number;
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
}

/** Time and chance, so that a test can hold both. `sleep` ends early, without throwing, when the signal aborts. */
export interface RetryClock {
  readonly now: () => number;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** From 0 (included) to 1 (excluded). */
  readonly random: () => number;
}

export interface RetryNotice {
  /** The try that failed, from 1. */
  readonly attempt: number;
  readonly error: unknown;
  /** What is waited before the next one. */
  readonly delayMs: number;
}

export interface RetryOptions {
  /** One for every failure, or each failure's own; null for one that is not tried again. */
  readonly policy: RetryPolicy | ((error: unknown) => RetryPolicy | null);
  /** Default: what the table of errors calls retryable. */
  readonly isRetryable?: (error: unknown) => boolean;
  /** The wait that the other side asked for with this error, in milliseconds; null when it asked for none. */
  readonly askedDelayMs?: (error: unknown) => number | null;
  /** Epoch milliseconds after which nothing is slept for. */
  readonly deadlineAt?: number;
  readonly signal?: AbortSignal;
  readonly onRetry?: (notice: RetryNotice) => void;
  readonly clock?: RetryClock;
}

/** No deadline here is as long; it keeps a number that a server chose from being one that looks like a member's. */
const MAX_ASKED_MS = 7 * 24 * 3_600_000;

export const systemClock: RetryClock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
      if (!isAborted(signal)) throw error;
    });
  },
  random: () => Math.random(),
};

/**
 * Runs until it succeeds, fails for good, or runs out of tries or time; then throws the last error as it was thrown.
 * A wait that would pass the deadline is not begun: the caller learns at once what it would learn later.
 */
export const withRetry = async <T>(
  run: (attempt: number) => Promise<T>,
  options: RetryOptions,
): Promise<T> => {
  const { policy, deadlineAt = Number.POSITIVE_INFINITY, signal, clock = systemClock } = options;
  const isRetryable = options.isRetryable ?? ((error) => isSyncError(error) && error.retryable);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run(attempt);
    } catch (error) {
      const own = typeof policy === 'function' ? policy(error) : policy;
      if (own === null || attempt >= (own.attempts ?? Number.POSITIVE_INFINITY) || !isRetryable(error)) {
        throw error;
      }
      const asked = options.askedDelayMs?.(error) ?? 0;
      const delayMs = Math.max(asked, backoffMs(own, attempt, clock.random()));
      if (isAborted(signal) || clock.now() + delayMs >= deadlineAt) throw error;
      options.onRetry?.({ attempt, error, delayMs });
      await clock.sleep(delayMs, signal);
      if (isAborted(signal)) throw error;
    }
  }
};

/**
 * Exponential backoff with full jitter: evenly between nothing and the doubled delay, so that many clients that
 * failed together do not come back together (AWS Architecture Blog, "Exponential Backoff And Jitter").
 */
export const backoffMs = (policy: RetryPolicy, attempt: number, random: number): number =>
  Math.floor(random * Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** (attempt - 1)));

/**
 * `Retry-After` in milliseconds from now: whole seconds or an HTTP date (RFC 9110, 10.2.3). Null when there is none
 * or it cannot be read; a date in the past is 0, and more than a week is a week.
 */
export const tryRetryAfterMs = (header: string | undefined, nowMs: number): number | null => {
  const text = header?.trim() ?? '';
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1_000, MAX_ASKED_MS);
  // Date.parse also reads what is no HTTP date, such as "-5" or "1.5".
  if (!/^[A-Za-z]{3,9},? /.test(text)) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.min(Math.max(0, at - nowMs), MAX_ASKED_MS);
};

/** A call, since the compiler believes that `aborted` keeps the value that it was tested for, over an await. */
const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted === true;
