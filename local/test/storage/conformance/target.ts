import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Bucket, Storage, type StorageOptions } from '@google-cloud/storage';
import { startStorage } from '../../../src/storage/index.ts';

type RetryOptions = NonNullable<StorageOptions['retryOptions']>;

/** A server under test: the local one, or the one that CONFORMANCE_STORAGE_HOST names (`http://host:port`). */
export interface Target {
  readonly url: string;
  /** Never retries, so that a test sees the server's own answer. */
  readonly client: Storage;
  /** A new bucket, with object versioning unless told otherwise. */
  newBucket(versioning?: boolean): Promise<Bucket>;
  close(): Promise<void>;
}

export async function openTarget(): Promise<Target> {
  const external = process.env['CONFORMANCE_STORAGE_HOST'];
  const directory = await mkdtemp(path.join(tmpdir(), 'storage-conformance-'));
  const local = external ? null : await startStorage({ directory, createBucketsOnDemand: false });
  const url = external ?? local?.url ?? '';
  const client = makeClient(url);
  const buckets: Bucket[] = [];
  return {
    url,
    client,
    async newBucket(versioning = true) {
      const [bucket] = await client.createBucket(`conformance-${randomUUID()}`, {
        versioning: { enabled: versioning },
      });
      buckets.push(bucket);
      return bucket;
    },
    async close() {
      if (external) {
        for (const bucket of buckets) {
          await bucket.deleteFiles({ versions: true, force: true });
          await bucket.delete();
        }
      }
      await local?.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export function makeClient(url: string, retryOptions: RetryOptions = { autoRetry: false }): Storage {
  return new Storage({ apiEndpoint: url, projectId: 'demo-conformance', retryOptions });
}

/** The HTTP status of the refusal; fails the test if the call succeeds. */
export async function refusal(call: Promise<unknown>): Promise<number> {
  try {
    await call;
  } catch (error) {
    // A refused resumable upload rejects with the API's error object, which is no Error.
    if (typeof error === 'object' && error !== null && 'code' in error) return Number(error.code);
    throw error;
  }
  throw new Error('The call succeeded; a refusal was expected.');
}

export async function textOf(file: { download(): Promise<[Buffer]> }): Promise<string> {
  return (await file.download())[0].toString('utf8');
}
