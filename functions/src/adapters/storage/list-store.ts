import { createHash } from 'node:crypto';
import type { File, FileMetadata, Storage } from '@google-cloud/storage';
import { SyncError } from '../../lib/errors.ts';
import type { ListMetadata, ListStore, PublishedList } from '../../roster/ports.ts';

export interface ListStoreOptions {
  readonly bucket: string;
  /** Object name, for example `kennitalas.txt`. */
  readonly object: string;
}

const CONTENT_TYPE = 'text/plain; charset=utf-8';

/** The published list as one object of Cloud Storage. Every write names the generation that it replaces. */
export const makeListStore = (
  client: () => Promise<Storage>,
  { bucket, object }: ListStoreOptions,
): ListStore => {
  const fileAt = async (generation?: string): Promise<File> =>
    (await client()).bucket(bucket).file(object, generation === undefined ? {} : { generation });

  const currentMetadata = async (): Promise<FileMetadata | null> => {
    try {
      return (await (await fileAt()).getMetadata())[0];
    } catch (cause) {
      if (statusOf(cause) === 404 && !isBucketMissing(cause)) return null;
      throw cause;
    }
  };

  const read = async (): Promise<PublishedList | null> => {
    // A version that is replaced between the two calls can still be read on a versioned bucket; on another it is
    // gone (404), and then the newer one is read.
    for (let attempt = 1; ; attempt += 1) {
      const metadata = await currentMetadata();
      if (metadata === null) return null;
      const generation = String(metadata.generation);
      try {
        const [bytes] = await (await fileAt(generation)).download();
        return { generation, bytes, runId: textOf(metadata.metadata?.['runId']) };
      } catch (cause) {
        if (statusOf(cause) !== 404 || attempt === READ_ATTEMPTS) throw cause;
      }
    }
  };

  const publish = async (
    bytes: Uint8Array,
    metadata: ListMetadata,
    ifGeneration: string | null,
  ): Promise<string> => {
    const file = await fileAt();
    try {
      await file.save(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), {
        resumable: false,
        // The server compares before it publishes; comparing afterwards would be too late.
        validation: false,
        contentType: CONTENT_TYPE,
        preconditionOpts: { ifGenerationMatch: ifGeneration ?? 0 },
        metadata: {
          cacheControl: 'no-store',
          md5Hash: createHash('md5').update(bytes).digest('base64'),
          metadata: toCustomMetadata(metadata),
        },
      });
      return String(file.metadata.generation);
    } catch (cause) {
      if (statusOf(cause) !== 412) throw cause;
      // The answer to our own first attempt may have been lost, and the client's second one then meets our write.
      const current = await currentMetadata();
      if (current?.metadata?.['runId'] === metadata.runId) return String(current.generation);
      throw cause;
    }
  };

  const refresh = async (metadata: ListMetadata, ifGeneration: string): Promise<void> => {
    await (await fileAt()).setMetadata(
      { metadata: toCustomMetadata(metadata) },
      { ifGenerationMatch: ifGeneration },
    );
  };

  return {
    read: () => storageCall('read the published list', read),
    publish: (...input) => storageCall('publish the list', () => publish(...input)),
    refresh: (...input) => storageCall('refresh the metadata of the list', () => refresh(...input)),
  };
};

const READ_ATTEMPTS = 3;

const toCustomMetadata = (metadata: ListMetadata): Record<string, string> => ({
  syncedAt: metadata.syncedAt.toISOString(),
  memberCount: String(metadata.memberCount),
  source: 'django-api',
  djangoExportedAt: metadata.djangoExportedAt?.toISOString() ?? '',
  sha256: metadata.sha256,
  runId: metadata.runId,
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
const isBucketMissing = (cause: unknown): boolean =>
  /bucket does not exist/i.test(String((cause as { message?: unknown } | null)?.message));

export const textOf = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value : null;
