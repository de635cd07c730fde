import type { FileMetadata, Storage } from '@google-cloud/storage';
import type { ListVersion, ListVersions } from '../../roster/ports.ts';
import { download } from './download.ts';
import { storageCall, textOf } from './failures.ts';
import type { ListStoreOptions } from './list-store.ts';

const VERSIONS_SHOWN = 100;
const READING = 'read a version of the list';

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
    const file = await storageCall(READING, async () =>
      (await client()).bucket(bucket).file(object, { generation }),
    );
    return (await download(READING, file))?.bytes ?? null;
  },
});

const toVersion = (metadata: FileMetadata): ListVersion => {
  const { memberCount, runId, sha256 } = metadata.metadata ?? {};
  return {
    generation: String(metadata.generation),
    publishedAt: new Date(metadata.timeCreated ?? Number.NaN),
    isCurrent: metadata.timeDeleted === undefined,
    memberCount: memberCount === undefined || memberCount === '' ? null : Number(memberCount),
    runId: textOf(runId),
    sha256: textOf(sha256),
  };
};
