import { holdsNumber, type Kennitala } from '../../src/domain/kennitala.ts';
import { SyncError } from '../../src/lib/errors.ts';
import { type ErasureStore, type SoftDeletedList, stillPublished } from '../../src/ops/ports.ts';
import type { ListMetadata, ListStore, ListVersions } from '../../src/roster/ports.ts';
import type { MakeCall } from './instances.ts';

interface Version {
  readonly generation: string;
  readonly bytes: Uint8Array;
  metadata: ListMetadata;
  readonly publishedAt: Date;
  replacedAt: Date | null;
}

/** The published list and its versions, in memory. `onPublish` is told of each new one. */
export const makeMemoryList = (
  now: () => Date,
  onPublish: (before: string[], after: string[], runId: string) => void,
) => {
  let versions: Version[] = [];
  let generations = 0;
  const current = (): Version | null => versions.find(({ replacedAt }) => replacedAt === null) ?? null;
  const conflict = () => new SyncError('storage_conflict', 'The list has another version now.');

  const publish = (bytes: Uint8Array, metadata: ListMetadata, ifGeneration: string | null): string => {
    const before = current();
    if ((before?.generation ?? null) !== ifGeneration) {
      // The answer to our own first attempt was lost.
      if (before?.metadata.runId === metadata.runId) return before.generation;
      throw conflict();
    }
    if (before !== null) before.replacedAt = now();
    generations += 1;
    const generation = String(generations);
    versions.push({ generation, bytes: bytes.slice(), metadata, publishedAt: now(), replacedAt: null });
    onPublish(linesOf(before), linesOf(current()), metadata.runId);
    return generation;
  };
  const erasable = (kennitala: Kennitala) => versions.filter(({ bytes }) => holdsNumber(bytes, kennitala));

  return {
    lines: () => linesOf(current()),
    versions: () => versions,
    storesOf: (call: MakeCall) => {
      const store: ListStore = {
        read: () =>
          call('storage', 'read the list', () => {
            const found = current();
            return found === null ? null : { generation: found.generation, bytes: found.bytes };
          }),
        publishedBy: (generation) =>
          call('storage', 'read who published the list', () => {
            const found = current();
            return found?.generation === generation ? found.metadata.runId : null;
          }),
        publish: (...given) => call('storage', 'publish the list', () => publish(...given)),
        refresh: (metadata, ifGeneration) =>
          call('storage', 'refresh the metadata of the list', () => {
            const found = current();
            if (found?.generation !== ifGeneration) throw conflict();
            found.metadata = metadata;
          }),
      };
      const kept: ListVersions = {
        list: () =>
          call('storage', 'list the versions', () =>
            versions.toReversed().map(({ generation, metadata, publishedAt, replacedAt }) => ({
              generation,
              publishedAt,
              isCurrent: replacedAt === null,
              replacedAt,
              memberCount: metadata.memberCount,
              runId: metadata.runId,
              sha256: metadata.sha256,
              chainHead: metadata.chainHead,
            })),
          ),
        read: (generation) =>
          call(
            'storage',
            'read a version',
            () => versions.find((one) => one.generation === generation)?.bytes ?? null,
          ),
      };
      const place = 'versions of the list';
      const erasure: ErasureStore = {
        places: [place],
        find: ({ kennitala }) =>
          call('storage', 'look through the versions', () => ({ [place]: erasable(kennitala).length })),
        erase: ({ kennitala }) =>
          call('storage', 'erase versions', () => {
            const found = erasable(kennitala);
            const older = found.filter(({ replacedAt }) => replacedAt !== null);
            versions = versions.filter((one) => !older.includes(one));
            if (older.length < found.length) throw stillPublished('roster');
            return { [place]: older.length };
          }),
      };
      const softDeleted: SoftDeletedList = {
        find: async () => ({ retentionDays: 0, copies: 0, lastExpiresAt: null }),
      };
      return { store, versions: kept, erasure, softDeleted };
    },
  };
};

export type MemoryList = ReturnType<typeof makeMemoryList>;

const linesOf = (version: Version | null): string[] =>
  version === null ? [] : Buffer.from(version.bytes).toString('latin1').split('\n').filter(Boolean);
