import { backoffMs, type RetryClock, systemClock } from '../../lib/retry.ts';
import { retryPolicyOf } from './failures.ts';

export interface RetriedOptions {
  readonly signal?: AbortSignal | undefined;
  /** At most so many tries, whatever the table of codes allows. */
  readonly attempts?: number | undefined;
  readonly clock?: RetryClock | undefined;
  readonly onRetry?: ((notice: { readonly attempt: number; readonly error: unknown }) => void) | undefined;
}

/**
 * Runs a whole transaction, and again by the table of codes when it could not be made. `work` must begin a new
 * transaction each time.
 */
export const retried = async <T>(work: () => Promise<T>, options: RetriedOptions = {}): Promise<T> => {
  const { attempts = Number.POSITIVE_INFINITY, signal, clock = systemClock, onRetry } = options;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const policy = retryPolicyOf(error);
      const tries = Math.min(policy?.attempts ?? 1, attempts);
      if (policy === null || attempt >= tries || signal?.aborted === true) throw error;
      onRetry?.({ attempt, error });
      await clock.sleep(backoffMs(policy, attempt, clock.random()), signal);
      if (isAborted(signal)) throw error;
    }
  }
};

/** A call, since the compiler believes that `aborted` keeps the value that it was tested for, over an await. */
const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted === true;
