import { isSyncError, type SyncError } from '../../lib/errors.ts';

/** A signal whose reason is always a SyncError. `clear` must be called, or the timer lives on. */
export interface TimeLimit {
  readonly signal: AbortSignal;
  readonly clear: () => void;
}

/**
 * Aborts with `whenOver` after `ms`, or earlier when the parent does: with the parent's reason if that is a SyncError.
 *
 * An own timer, since AbortSignal.timeout and AbortSignal.any keep timers and listeners until they fire, which adds up
 * where a warm process makes thousands of short requests under a limit of half a minute.
 */
export const makeTimeLimit = (ms: number, whenOver: SyncError, parent?: AbortSignal): TimeLimit => {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(whenOver), ms);
  const onParent = (): void => {
    controller.abort(isSyncError(parent?.reason) ? parent.reason : whenOver);
  };
  if (parent?.aborted === true) onParent();
  else parent?.addEventListener('abort', onParent, { once: true });
  return {
    signal: controller.signal,
    clear: () => {
      clearTimeout(timer);
      parent?.removeEventListener('abort', onParent);
    },
  };
};

/** Ends with the promise, or rejects with the signal's reason as soon as it aborts. */
export const orAborted = async <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> => {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
};
