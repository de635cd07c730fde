import { type ErrorCode, SyncError } from '../../lib/errors.ts';

/** Longer than a slow day of Firestore, short enough that a run can still say that it failed. */
export const STORE_CALL_LIMIT_MS = 10_000;

/** What a failed call means to whoever made it. */
export type StoreFailure = Extract<ErrorCode, 'audit_unavailable' | 'store_unavailable'>;

/**
 * Runs one call to Firestore with a time limit and makes every failure the given code, with the gRPC code as
 * the only detail: Firestore's own messages quote document paths. SyncErrors pass. A call that ran out of time
 * may still take effect; callers must be safe against that. `call` is told when its time is over: what it has not begun
 * by then nobody waits for.
 */
export const storeCall = async <T>(
  failure: StoreFailure,
  what: string,
  limitMs: number,
  call: (isOver: () => boolean) => Promise<T>,
): Promise<T> => {
  const unavailable = (why: string, cause?: unknown, code: number | null = null): SyncError =>
    new SyncError(failure, `Firestore did not ${what}: ${why}. Check Firestore's state and our access.`, {
      cause,
      details: code === null ? {} : { grpcCode: code },
    });
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      isOver = true;
      reject(unavailable(`no answer within ${limitMs} ms`));
    }, limitMs);
  });
  try {
    return await Promise.race([call(() => isOver), limit]);
  } catch (cause) {
    if (cause instanceof SyncError) throw cause;
    const code = grpcCodeOf(cause);
    throw unavailable(code === null ? 'unexpected failure' : `gRPC code ${code}`, cause, code);
  } finally {
    clearTimeout(timer);
  }
};

const grpcCodeOf = (cause: unknown): number | null => {
  const code = (cause as { code?: unknown } | null)?.code;
  return typeof code === 'number' ? code : null;
};
