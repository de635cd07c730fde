import { buffer } from 'node:stream/consumers';
import type { File } from '@google-cloud/storage';
import { type RetryPolicy, withRetry } from '../../lib/retry.ts';
import { isBucketMissing, statusOf, storageCall, textOf } from './failures.ts';

export interface Downloaded {
  readonly bytes: Buffer;
  /** The version that these bytes are, where the answer says so. */
  readonly generation: string | null;
}

/** The library's own type of a request on its way, which it does not export. */
type Prepared = ReturnType<File['interceptors'][number]['request']>;

/**
 * An object's bytes, checked by their CRC32C; null when there is no such object. `what` is for messages.
 *
 * Retried here and not by the library: it destroys the stream of an answer that it gives up while its own pipeline still
 * waits for it, and that throws where nobody can catch it, which ends the process.
 * An aborted signal ends the tries, not the one under way, for much the same reason.
 * @throws SyncError `storage_unavailable`, `storage_rejected`.
 */
export const download = (what: string, file: File, signal?: AbortSignal): Promise<Downloaded | null> => {
  file.interceptors.push({ request: (options) => ({ ...(options as Prepared), maxRetries: 0 }) });
  return withRetry(() => storageCall(what, () => downloadOnce(file)), {
    policy: policyOf(file),
    ...(signal !== undefined && { signal }),
  });
};

/** As often as the client would, and as long. */
const policyOf = ({ storage }: File): RetryPolicy => {
  const { maxRetries = 3, maxRetryDelay = 64 } = storage.retryOptions;
  const maxDelayMs = maxRetryDelay * 1_000;
  return { attempts: maxRetries + 1, baseDelayMs: maxDelayMs / 8, maxDelayMs };
};

const downloadOnce = async (file: File): Promise<Downloaded | null> => {
  let generation: string | null = null;
  try {
    const stream = file.createReadStream().on('response', ({ headers }) => {
      generation = textOf(headers['x-goog-generation']);
    });
    return { bytes: await buffer(stream), generation };
  } catch (cause) {
    if (statusOf(cause) === 404 && !isBucketMissing(cause)) return null;
    throw cause;
  }
};
