import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import type { JsonObject } from './attributes.ts';
import { type Bucket, openBucket } from './bucket.ts';
import { VERSIONS_FOLDER } from './bucket-files.ts';
import type { StepHook } from './durable-file.ts';
import { ApiError, bucketNotFound } from './errors.ts';
import type { GenerationClock } from './generations.ts';
import { assertBucketName } from './names.ts';

/** The buckets of one server. */
export interface Buckets {
  list(): Promise<Bucket[]>;
  /** @throws ApiError 404 for a bucket that does not exist and is not created on demand, 400 for a bad name */
  get(name: string): Promise<Bucket>;
  /** @throws ApiError 409 when it exists */
  create(name: string, body: JsonObject): Promise<Bucket>;
  /** @throws ApiError 404, and 409 while it holds any version of any object */
  remove(name: string): Promise<void>;
}

export async function openBuckets(options: {
  readonly directory: string;
  readonly clock: GenerationClock;
  readonly step: StepHook;
  readonly createOnDemand: boolean;
}): Promise<Buckets> {
  const { directory, clock, step } = options;
  const root = path.join(directory, VERSIONS_FOLDER);
  await mkdir(root, { recursive: true });
  const open = new Map<string, Promise<Bucket>>();

  function start(name: string, body: JsonObject, versioningByDefault: boolean): Promise<Bucket> {
    const opening = openBucket({ directory, name, clock, step, create: { body, versioningByDefault } });
    open.set(name, opening);
    // A bucket that could not be opened is tried again by the next request.
    opening.catch(() => open.delete(name));
    return opening;
  }

  // All of them, at once: generations must start above everything that is on disk.
  for (const entry of await readdir(root)) await start(entry, {}, true);

  const buckets: Buckets = {
    list: () => Promise.all(open.values()),
    async get(name) {
      const existing = open.get(name);
      if (existing) return existing;
      assertBucketName(name);
      if (!options.createOnDemand) throw bucketNotFound();
      return start(name, {}, true);
    },
    async create(name, body) {
      assertBucketName(name);
      if (open.has(name)) {
        throw new ApiError(
          409,
          'conflict',
          'Your previous request to create the named bucket succeeded and you already own it.',
        );
      }
      return start(name, body, false);
    },
    async remove(name) {
      const opening = open.get(name);
      if (!opening) throw bucketNotFound();
      const bucket = await opening;
      if (bucket.records().some(({ versions }) => versions.length > 0)) {
        throw new ApiError(409, 'conflict', 'The bucket you tried to delete is not empty.');
      }
      open.delete(name);
      await bucket.files.removeAll();
    },
  };
  return buckets;
}
