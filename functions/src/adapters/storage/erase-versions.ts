import type { File, Storage } from '@google-cloud/storage';
import { holdsNumber } from '../../domain/kennitala-in-text.ts';
import { inParallel } from '../../lib/concurrency.ts';
import { SyncError } from '../../lib/errors.ts';
import { type ErasureStore, type Person, type SoftDeletedList, stillPublished } from '../../ops/ports.ts';
import { download, statusOf, storageCall } from './client.ts';
import type { ListStoreOptions } from './list-store.ts';

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
    const holding = await inParallel(
      files.filter(({ name }) => name === object),
      READ_AT_ONCE,
      async (file) => {
        if (signal.aborted) throw new SyncError('deadline_exceeded', 'The erasure reached its time limit.');
        const version = await download(LOOKING, versionOf(file));
        return version !== null && holdsNumber(version.bytes, kennitala) ? [file] : [];
      },
    );
    return holding.flat();
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
        const erased = await inParallel(older, READ_AT_ONCE, (file) =>
          unlessGone(() => versionOf(file).delete()),
        );
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
