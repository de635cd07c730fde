import { rename, rm } from 'node:fs/promises';
import type { JsonObject, ObjectAttributes } from './attributes.ts';
import { type BucketFiles, openBucketFiles } from './bucket-files.ts';
import {
  type BucketSettings,
  hasVersioning,
  makeBucketSettings,
  patchBucketSettings,
} from './bucket-settings.ts';
import type { Checksums } from './checksums.ts';
import type { StepHook } from './durable-file.ts';
import { conditionNotMet, objectNotFound } from './errors.ts';
import { linkOrCopy } from './folder-view.ts';
import type { GenerationClock } from './generations.ts';
import { makeKeyedLock } from './keyed-lock.ts';
import {
  isEmpty,
  liveVersion,
  type ObjectRecord,
  type ObjectVersion,
  planAttributes,
  planErase,
  planReplace,
  planRetire,
  softDeleteSeconds,
  versionOf,
  withSoftDeleted,
} from './object-record.ts';
import { assertPreconditions, type Preconditions } from './preconditions.ts';
import type { StagedUpload } from './upload-sink.ts';

/** What the new version of an object is made of. */
export interface Placement {
  readonly name: string;
  readonly attributes: ObjectAttributes;
  readonly preconditions: Preconditions;
  readonly uploadId?: string;
}

/**
 * One bucket. Changes of one object run one after the other, and the preconditions are tested inside that
 * turn: of two writers with the same `ifGenerationMatch`, exactly one wins.
 *
 * A change is: bytes under their generation (`data`), the new record in a temporary file (`record`), the
 * rename that commits it (`commit`), the plain file that people see (`view`), and the bytes that nothing
 * needs any more (`prune`). A crash before the commit leaves the old object, one after it the new object;
 * the next start removes the bytes of no version and repairs the view.
 */
export interface Bucket {
  readonly name: string;
  readonly files: BucketFiles;
  settings(): BucketSettings;
  /** @throws ApiError 412 */
  patchSettings(body: JsonObject, ifMetagenerationMatch: string | null): Promise<BucketSettings>;
  records(): ObjectRecord[];
  record(name: string): ObjectRecord | undefined;
  /** @throws ApiError 404 when there is no such version, or no live one if none is named */
  version(name: string, generation: string | null): ObjectVersion;
  /** @throws ApiError 412; the staged file is then still the caller's to remove */
  insert(placement: Placement, staged: StagedUpload): Promise<ObjectVersion>;
  /** A new version with the bytes of an existing one, of this bucket or another. */
  insertCopy(placement: Placement, source: ObjectVersion, sourcePath: string): Promise<ObjectVersion>;
  /** @throws ApiError 404, 412 */
  changeAttributes(
    name: string,
    generation: string | null,
    preconditions: Preconditions,
    change: (current: ObjectAttributes) => ObjectAttributes,
  ): Promise<ObjectVersion>;
  /** @throws ApiError 404, 412 */
  remove(name: string, generation: string | null, preconditions: Preconditions): Promise<void>;
}

export interface BucketOptions {
  readonly directory: string;
  readonly name: string;
  readonly clock: GenerationClock;
  readonly step: StepHook;
  /** The settings of a bucket that is not on disk yet. */
  readonly create: { readonly body: JsonObject; readonly versioningByDefault: boolean };
}

export async function openBucket(options: BucketOptions): Promise<Bucket> {
  const { name: bucketName, clock, step } = options;
  const files = await openBucketFiles(options.directory, bucketName);
  const records = new Map((await files.recover()).map((record) => [record.name, record]));
  for (const record of records.values()) {
    for (const { generation } of [...record.versions, ...(record.softDeleted ?? [])]) {
      clock.raiseAbove(generation);
    }
  }
  const saved = await files.readSettings();
  let settings: BucketSettings = saved
    ? JSON.parse(saved)
    : makeBucketSettings(options.create.body, options.create.versioningByDefault, isoNow());
  if (!saved) await files.saveSettings(JSON.stringify(settings));
  const lock = makeKeyedLock();

  function version(name: string, generation: string | null): ObjectVersion {
    const record = records.get(name);
    const found = generation === null ? liveVersion(record) : versionOf(record, generation);
    if (!found) throw objectNotFound(bucketName, name);
    return found;
  }

  async function commit(planned: ObjectRecord): Promise<void> {
    const before = records.get(planned.name);
    const dropped = (before?.versions ?? []).filter((old) => !versionOf(planned, old.generation));
    const next = withSoftDeleted(planned, dropped, softDeleteSeconds(settings.fields), new Date());
    step('record');
    await files.saveRecord(next, step);
    if (isEmpty(next)) records.delete(next.name);
    else records.set(next.name, next);
    if (next.live !== (before?.live ?? null)) {
      step('view');
      if (next.live) await files.view.show(next.name, files.dataPath(next.live));
      else await files.view.hide(next.name);
    }
    if (dropped.length === 0) return;
    step('prune');
    if (isEmpty(next)) await files.removeRecord(next.name);
    for (const { generation } of dropped) await rm(files.dataPath(generation), { force: true });
  }

  async function place(
    placement: Placement,
    bytes: Checksums & { readonly size: number },
    putInPlace: (dataPath: string) => Promise<void>,
  ): Promise<ObjectVersion> {
    return lock.run(placement.name, async () => {
      const record = records.get(placement.name);
      assertPreconditions(placement.preconditions, liveVersion(record), 'write');
      const now = isoNow();
      const created: ObjectVersion = {
        generation: clock.next(),
        metageneration: 1,
        size: bytes.size,
        md5Hash: bytes.md5Hash,
        crc32c: bytes.crc32c,
        timeCreated: now,
        updated: now,
        attributes: placement.attributes,
        ...(placement.uploadId ? { uploadId: placement.uploadId } : {}),
      };
      step('data');
      await putInPlace(files.dataPath(created.generation));
      await files.syncData();
      await commit(planReplace(record, placement.name, created, hasVersioning(settings)));
      return created;
    });
  }

  return {
    name: bucketName,
    files,
    settings: () => settings,
    patchSettings: (body, ifMetagenerationMatch) =>
      // No object can have this name, so settings and objects never wait for each other.
      lock.run('', async () => {
        const current = String(settings.metageneration);
        if (ifMetagenerationMatch !== null && ifMetagenerationMatch !== current) {
          throw conditionNotMet('If-Match');
        }
        const next = patchBucketSettings(settings, body, isoNow());
        await files.saveSettings(JSON.stringify(next));
        settings = next;
        return next;
      }),
    records: () => [...records.values()],
    record: (name) => records.get(name),
    version,
    insert: (placement, staged) => place(placement, staged, (target) => rename(staged.path, target)),
    insertCopy: (placement, source, sourcePath) =>
      place(placement, source, (target) => linkOrCopy(sourcePath, target)),
    changeAttributes: (name, generation, preconditions, change) =>
      lock.run(name, async () => {
        const current = version(name, generation);
        assertPreconditions(preconditions, current, 'write');
        const record = records.get(name) as ObjectRecord;
        await commit(planAttributes(record, current.generation, change(current.attributes), isoNow()));
        return version(name, current.generation);
      }),
    remove: (name, generation, preconditions) =>
      lock.run(name, async () => {
        const current = version(name, generation);
        assertPreconditions(preconditions, current, 'write');
        const record = records.get(name) as ObjectRecord;
        const next =
          generation === null
            ? planRetire(record, isoNow(), hasVersioning(settings))
            : planErase(record, generation);
        await commit(next);
      }),
  };
}

function isoNow(): string {
  return new Date().toISOString();
}
