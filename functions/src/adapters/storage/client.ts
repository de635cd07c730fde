import { createHash, randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import type { File, FileMetadata, Storage } from '@google-cloud/storage';
import { lazy } from '../../lib/concurrency.ts';
import { SyncError } from '../../lib/errors.ts';
import { type RetryPolicy, withRetry } from '../../lib/retry.ts';

export interface StorageClientOptions {
  readonly projectId: string;
  /** How long one call, its retries included, may take. */
  readonly callLimitMs: number;
  /** Every call may be repeated: it reads, or names a version to delete. */
  readonly retriesEverything?: boolean;
}

/**
 * The process's Cloud Storage client, made on first use. Reads and calls with a precondition are retried by the library,
 * others only when the client is for such as may be.
 */
export const makeStorageClient = ({
  projectId,
  callLimitMs,
  retriesEverything = false,
}: StorageClientOptions): (() => Promise<Storage>) =>
  lazy(async () => {
    const { IdempotencyStrategy, Storage: Client } = await import('@google-cloud/storage');
    return new Client({
      projectId,
      timeout: callLimitMs,
      retryOptions: {
        autoRetry: true,
        maxRetries: 4,
        maxRetryDelay: 4,
        totalTimeout: callLimitMs / 1_000,
        idempotencyStrategy: retriesEverything
          ? IdempotencyStrategy.RetryAlways
          : IdempotencyStrategy.RetryConditional,
      },
    });
  });

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

interface Downloaded {
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

/** What an object is besides its bytes. */
export type NewObject = Pick<FileMetadata, 'cacheControl' | 'customTime' | 'metadata'>;

const CONTENT_TYPE = 'text/plain; charset=utf-8';

/**
 * Writes an object of text whole, in one request, where its present version is `ifGeneration` (0: where there is none), and
 * returns the new version. The service compares the MD5 before it stores anything: comparing afterwards would be too late.
 * Since the request has that condition, the client may send it again.
 *
 * The body is put together here (a multipart upload: https://cloud.google.com/storage/docs/uploading-objects#rest-upload-objects):
 * the library's `save` makes a chain of streams, and writes it in seven pieces of unknown length.
 * @throws what the library threw: 412 when another version is there, 404 without the bucket. Inside of `storageCall`.
 */
export const upload = async (
  file: File,
  bytes: Uint8Array,
  { ifGeneration, ...object }: NewObject & { readonly ifGeneration: string | number },
): Promise<string> => {
  const { bucket, name, storage } = file;
  const md5Hash = createHash('md5').update(bytes).digest('base64');
  const boundary = randomUUID();
  const part = (type: string): string => `--${boundary}\r\nContent-Type: ${type}\r\n\r\n`;
  const described = JSON.stringify({ ...object, md5Hash, contentType: CONTENT_TYPE });
  const [answer] = await file.request({
    method: 'POST',
    uri: `${storage.apiEndpoint}/upload/storage/v1/b/${bucket.name}/o`,
    qs: { uploadType: 'multipart', name, ifGenerationMatch: ifGeneration },
    headers: { 'Content-Type': `multipart/related; boundary=${boundary}` },
    body: Buffer.concat([
      Buffer.from(`${part('application/json')}${described}\r\n${part(CONTENT_TYPE)}`),
      bytes,
      Buffer.from(`\r\n--${boundary}--`),
    ]),
  });
  const generation = textOf((answer as FileMetadata | null)?.generation);
  if (generation !== null) return generation;
  throw new SyncError(
    'storage_unavailable',
    'Cloud Storage did not say which version it has made. Nothing is known of the upload; the next run finds out.',
  );
};
