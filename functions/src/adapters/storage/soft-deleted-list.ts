import type { Storage } from '@google-cloud/storage';
import type { SoftDeletedList } from '../../ops/erase/ports.ts';
import { storageCall } from './failures.ts';
import type { ListStoreOptions } from './list-store.ts';

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
