import type { Storage } from '@google-cloud/storage';
import { lazy } from '../../lib/lazy.ts';

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
