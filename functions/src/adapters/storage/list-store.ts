import type { File, FileMetadata, Storage } from '@google-cloud/storage';
import pMap from 'p-map';
import { holdsNumber } from '../../domain/kennitala.ts';
import { SyncError } from '../../lib/errors.ts';
import { type ErasureStore, type Person, type SoftDeletedList, stillPublished } from '../../ops/ports.ts';
import type {
  ListMetadata,
  ListStore,
  ListVersion,
  ListVersions,
  PublishedList,
} from '../../roster/ports.ts';
import { download, isBucketMissing, statusOf, storageCall, textOf, upload } from './client.ts';

export interface ListStoreOptions {
  readonly bucket: string;
  /** Object name, for example `kennitalas.txt`. */
  readonly object: string;
}

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

  /** One request where the answer names its version in a header, as Cloud Storage's do; otherwise two. */
  const read = async (signal: AbortSignal | undefined): Promise<PublishedList | null> => {
    const found = await download(READING, await fileAt(), signal);
    if (found === null) return null;
    if (found.generation !== null) return { generation: found.generation, bytes: found.bytes };
    // A version that is replaced between the two calls can still be read on a versioned bucket; on another it is
    // gone (404), and then the newer one is read.
    for (let attempt = 1; attempt <= READ_ATTEMPTS; attempt += 1) {
      const metadata = await currentMetadata();
      if (metadata === null) return null;
      const generation = String(metadata.generation);
      const version = await download(READING, await fileAt(generation), signal);
      if (version !== null) return { generation, bytes: version.bytes };
    }
    throw new SyncError(
      'storage_conflict',
      'The published list was replaced again and again while it was read.',
    );
  };

  const publishedBy = async (generation: string): Promise<string | null> => {
    const metadata = await currentMetadata();
    return String(metadata?.generation) === generation ? textOf(metadata?.metadata?.['runId']) : null;
  };

  const publish = async (
    bytes: Uint8Array,
    metadata: ListMetadata,
    ifGeneration: string | null,
  ): Promise<string> => {
    const file = await fileAt();
    try {
      return await upload(file, bytes, {
        ifGeneration: ifGeneration ?? 0,
        cacheControl: 'no-store',
        metadata: toCustomMetadata(metadata),
      });
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
    read: (signal) => storageCall(READING, () => read(signal)),
    publishedBy: (generation) =>
      storageCall('read the metadata of the published list', () => publishedBy(generation)),
    publish: (...input) => storageCall('publish the list', () => publish(...input)),
    refresh: (...input) => storageCall('refresh the metadata of the list', () => refresh(...input)),
  };
};

const READING = 'read the published list';
const READ_ATTEMPTS = 3;

const toCustomMetadata = (metadata: ListMetadata): Record<string, string> => ({
  syncedAt: metadata.syncedAt.toISOString(),
  memberCount: String(metadata.memberCount),
  source: 'django-api',
  djangoExportedAt: metadata.djangoExportedAt?.toISOString() ?? '',
  sha256: metadata.sha256,
  runId: metadata.runId,
  chainHead: metadata.chainHead ?? '',
});

const VERSIONS_SHOWN = 100;
const READING_VERSION = 'read a version of the list';

/** The versions that the bucket keeps of the published list. */
export const makeListVersions = (
  client: () => Promise<Storage>,
  { bucket, object }: ListStoreOptions,
): ListVersions => ({
  list: () =>
    storageCall('list the versions of the list', async () => {
      const [files] = await (await client()).bucket(bucket).getFiles({ prefix: object, versions: true });
      return files
        .filter(({ name }) => name === object)
        .map(({ metadata }) => toVersion(metadata))
        .toSorted((one, other) => Number(other.generation) - Number(one.generation))
        .slice(0, VERSIONS_SHOWN);
    }),
  read: async (generation) => {
    const file = await storageCall(READING_VERSION, async () =>
      (await client()).bucket(bucket).file(object, { generation }),
    );
    return (await download(READING_VERSION, file))?.bytes ?? null;
  },
});

const toVersion = (metadata: FileMetadata): ListVersion => {
  const { memberCount, runId, sha256, chainHead } = metadata.metadata ?? {};
  return {
    generation: String(metadata.generation),
    publishedAt: new Date(metadata.timeCreated ?? Number.NaN),
    isCurrent: metadata.timeDeleted === undefined,
    replacedAt: metadata.timeDeleted === undefined ? null : new Date(metadata.timeDeleted),
    memberCount: memberCount === undefined || memberCount === '' ? null : Number(memberCount),
    runId: textOf(runId),
    sha256: textOf(sha256),
    chainHead: textOf(chainHead),
  };
};

const PLACE = 'versions of the list';
const LOOKING = 'look through the versions of the list';
/** A list of a million is 11 MB, and as a text some three times that. */
const READ_AT_ONCE = 3;

/**
 * Every kept version of the list that has the person's number, the current one among what is found but never among what
 * is erased. A version is deleted by its generation, which never names other bytes, so that no newer one can be hit and a
 * repetition is harmless; `ifGenerationMatch` is documented for the current version. Nobody can roll back to it then.
 */
export const makeVersionsErasure = (
  client: () => Promise<Storage>,
  { bucket, object }: ListStoreOptions,
): ErasureStore => {
  const versionsWith = async ({ kennitala }: Person, signal: AbortSignal): Promise<File[]> => {
    const [files] = await (await client()).bucket(bucket).getFiles({ prefix: object, versions: true });
    const versions = files.filter(({ name }) => name === object);
    const holds = async (file: File): Promise<boolean> => {
      if (signal.aborted) throw new SyncError('deadline_exceeded', 'The erasure reached its time limit.');
      const version = await download(LOOKING, versionOf(file));
      return version !== null && holdsNumber(version.bytes, kennitala);
    };
    const holding = await pMap(versions, holds, { concurrency: READ_AT_ONCE });
    return versions.filter((_, n) => holding[n]);
  };
  const versionOf = ({ bucket: place, name, metadata }: File): File =>
    place.file(name, { generation: String(metadata.generation) });

  return {
    places: [PLACE],
    find: (person, signal) =>
      storageCall(LOOKING, async () => ({
        [PLACE]: (await versionsWith(person, signal)).length,
      })),
    erase: (person, signal) =>
      storageCall('erase versions of the list', async () => {
        const found = await versionsWith(person, signal);
        const older = found.filter(({ metadata }) => metadata.timeDeleted !== undefined);
        const erased = await pMap(older, (file) => unlessGone(() => versionOf(file).delete()), {
          concurrency: READ_AT_ONCE,
        });
        if (older.length < found.length) throw stillPublished('roster');
        return { [PLACE]: erased.filter((answer) => answer !== null).length };
      }),
  };
};

/** Null for a version that the lifecycle, or another erasure, deleted in between. */
const unlessGone = async <T>(work: () => Promise<T>): Promise<T | null> => {
  try {
    return await work();
  } catch (cause) {
    if (statusOf(cause) === 404) return null;
    throw cause;
  }
};

const DAY_SECONDS = 86_400;

/**
 * Deleted versions of the list that the bucket still keeps. Nobody can read one without restoring it, and nobody can
 * delete one: they end by themselves, each at its own time, which a later change of the policy does not move.
 */
export const makeSoftDeletedList = (
  client: () => Promise<Storage>,
  { bucket, object }: ListStoreOptions,
): SoftDeletedList => ({
  find: () =>
    storageCall('list the soft-deleted versions of the list', async () => {
      const place = (await client()).bucket(bucket);
      const [[{ softDeletePolicy }], [files]] = await Promise.all([
        place.getMetadata(),
        place.getFiles({ prefix: object, softDeleted: true }),
      ]);
      const ends = files
        .filter(({ name }) => name === object)
        .map(({ metadata }) => new Date(metadata.hardDeleteTime ?? Number.NaN).toISOString())
        .toSorted();
      return {
        retentionDays: Number(softDeletePolicy?.retentionDurationSeconds ?? 0) / DAY_SECONDS,
        copies: ends.length,
        lastExpiresAt: ends.at(-1) ?? null,
      };
    }),
});
