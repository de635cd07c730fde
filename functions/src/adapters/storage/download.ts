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

/** For a client that has no limit for its calls. */
const DEFAULT_LIMIT_MS = 30_000;

/**
 * An object's bytes, checked by their CRC32C; null when there is no such object. `what` is for messages. The client's limit
 * for a call holds for all tries and the body together.
 *
 * Retried here and not by the library: it destroys the stream of an answer that it gives up while its own pipeline still
 * waits for it, and that throws where nobody can catch it, which ends the process.
 * @throws SyncError `storage_unavailable`, also when the signal is aborted; `storage_rejected`.
 */
export const download = async (
  what: string,
  file: File,
  signal?: AbortSignal,
): Promise<Downloaded | null> => {
  file.interceptors.push({ request: (options) => ({ ...(options as Prepared), maxRetries: 0 }) });
  const limitMs = file.storage.timeout ?? DEFAULT_LIMIT_MS;
  const over = new AbortController();
  const end = (): void => over.abort(new Error(signal?.aborted ? 'given up' : 'no whole answer in time'));
  const timer = setTimeout(end, limitMs);
  signal?.addEventListener('abort', end, { once: true });
  if (signal?.aborted) end();
  try {
    return await withRetry(() => storageCall(what, () => downloadOnce(file, over.signal)), {
      policy: policyOf(file),
      deadlineAt: Date.now() + limitMs,
      signal: over.signal,
    });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', end);
  }
};

/** As often as the client would, and as long. */
const policyOf = ({ storage }: File): RetryPolicy => {
  const { maxRetries = 3, maxRetryDelay = 64 } = storage.retryOptions;
  const maxDelayMs = maxRetryDelay * 1_000;
  return { attempts: maxRetries + 1, baseDelayMs: maxDelayMs / 8, maxDelayMs };
};

const downloadOnce = async (file: File, over: AbortSignal): Promise<Downloaded | null> => {
  let generation: string | null = null;
  let hasAnswer = false;
  const stream = file.createReadStream().on('response', ({ headers }) => {
    hasAnswer = true;
    generation = textOf(headers['x-goog-generation']);
  });
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const end = (): void => {
    reject(over.reason);
    // Before its answer has come, the library would still pipe to it (above); its own time limit ends the request then.
    if (hasAnswer) stream.destroy(over.reason);
  };
  over.addEventListener('abort', end, { once: true });
  if (over.aborted) end();
  const bytes = buffer(stream);
  // It may fail when nobody waits for it any more.
  bytes.catch(() => undefined);
  try {
    return { bytes: await Promise.race([bytes, ended]), generation };
  } catch (cause) {
    if (statusOf(cause) === 404 && !isBucketMissing(cause)) return null;
    throw cause;
  } finally {
    over.removeEventListener('abort', end);
    ended.catch(() => undefined);
  }
};
