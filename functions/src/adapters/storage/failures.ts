import { SyncError } from '../../lib/errors.ts';

/** 412 → `storage_conflict`; other 4xx → `storage_rejected`; the rest → `storage_unavailable`. */
export const storageCall = async <T>(what: string, call: () => Promise<T>): Promise<T> => {
  try {
    return await call();
  } catch (cause) {
    // A fault of our own is no outage: it must not be tried again.
    if (cause instanceof SyncError || cause instanceof TypeError || cause instanceof RangeError) throw cause;
    const status = statusOf(cause);
    const details = status === null ? {} : { status };
    if (status === 412) {
      throw new SyncError(
        'storage_conflict',
        `Could not ${what}: another writer was first. Nothing was changed.`,
        {
          cause,
          details,
        },
      );
    }
    if (status !== null && status >= 400 && status < 500 && status !== 408 && status !== 429) {
      throw new SyncError(
        'storage_rejected',
        `Could not ${what}: Cloud Storage answered ${status}. Check that the bucket exists and our access to it.`,
        { cause, details },
      );
    }
    throw new SyncError(
      'storage_unavailable',
      `Could not ${what}: ${status === null ? 'no connection' : `Cloud Storage answered ${status}`}. Try again later.`,
      { cause, details },
    );
  }
};

export const statusOf = (cause: unknown): number | null => {
  const code = Number((cause as { code?: unknown } | null)?.code);
  return Number.isInteger(code) && code >= 100 && code < 600 ? code : null;
};

/** A missing bucket is a wrong setting, not an empty one. */
export const isBucketMissing = (cause: unknown): boolean =>
  /bucket does not exist/i.test(String((cause as { message?: unknown } | null)?.message));

export const textOf = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value : null;
