import type { Storage } from '@google-cloud/storage';
import { lazy } from '../../lib/lazy.ts';

export interface StorageClientOptions {
  readonly projectId: string;
  /** How long one call, its retries included, may take. */
  readonly callLimitMs: number;
}

/** The process's Cloud Storage client, made on first use. Calls with a precondition are retried by the library. */
export const makeStorageClient = ({
  projectId,
  callLimitMs,
}: StorageClientOptions): (() => Promise<Storage>) =>
  lazy(async () => {
    const { Storage: Client } = await import('@google-cloud/storage');
    return new Client({
      projectId,
      timeout: callLimitMs,
      retryOptions: { autoRetry: true, maxRetries: 4, maxRetryDelay: 4, totalTimeout: callLimitMs / 1_000 },
    });
  });
