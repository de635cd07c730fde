import type { ObjectAttributes } from './attributes.ts';
import type { Checksums } from './checksums.ts';
import type { SoftDeletedVersion } from './soft-delete.ts';

/** One version of an object. Its bytes never change; its attributes may, which raises `metageneration`. */
export interface ObjectVersion extends Checksums {
  readonly generation: string;
  readonly metageneration: number;
  /** Bytes, as stored (compressed if the client sent them so). */
  readonly size: number;
  readonly timeCreated: string;
  readonly updated: string;
  /** When a newer version or a delete made this one noncurrent. */
  readonly timeDeleted?: string;
  readonly attributes: ObjectAttributes;
  /** The resumable session that made this version: a repeated last chunk finds it here and adds no second one. */
  readonly uploadId?: string;
}

/** All that is known of one name. It is one file on disk, so replacing that file is the commit. */
export interface ObjectRecord {
  readonly name: string;
  readonly live: string | null;
  /** Oldest first. */
  readonly versions: readonly ObjectVersion[];
  /** Missing in records that never had one. */
  readonly softDeleted?: readonly SoftDeletedVersion[];
}

/** Nothing is left to remember under this name. */
export function isEmpty({ versions, softDeleted = [] }: ObjectRecord): boolean {
  return versions.length === 0 && softDeleted.length === 0;
}

export function liveVersion(record: ObjectRecord | undefined): ObjectVersion | undefined {
  return record?.live ? versionOf(record, record.live) : undefined;
}

export function versionOf(record: ObjectRecord | undefined, generation: string): ObjectVersion | undefined {
  return record?.versions.find((version) => version.generation === generation);
}

/** The record after `version` became the live one. The old live version is kept only under object versioning. */
export function planReplace(
  record: ObjectRecord | undefined,
  name: string,
  version: ObjectVersion,
  keepNoncurrent: boolean,
): ObjectRecord {
  const retired = retireLive(record, version.timeCreated, keepNoncurrent);
  return { ...record, name, live: version.generation, versions: [...retired, version] };
}

/** The record after a delete that named no generation: the live version is retired, or dropped without versioning. */
export function planRetire(record: ObjectRecord, now: string, keepNoncurrent: boolean): ObjectRecord {
  return { ...record, live: null, versions: retireLive(record, now, keepNoncurrent) };
}

/** The record after a delete that named a generation, which is final even for the live version. */
export function planErase(record: ObjectRecord, generation: string): ObjectRecord {
  return {
    ...record,
    live: record.live === generation ? null : record.live,
    versions: record.versions.filter((version) => version.generation !== generation),
  };
}

/** The record with other attributes for one version. */
export function planAttributes(
  record: ObjectRecord,
  generation: string,
  attributes: ObjectAttributes,
  now: string,
): ObjectRecord {
  const versions = record.versions.map((version) =>
    version.generation === generation
      ? { ...version, attributes, metageneration: version.metageneration + 1, updated: now }
      : version,
  );
  return { ...record, versions };
}

function retireLive(record: ObjectRecord | undefined, now: string, keep: boolean): ObjectVersion[] {
  if (!record) return [];
  if (!keep) return record.versions.filter((version) => version.generation !== record.live);
  return record.versions.map((version) =>
    version.generation === record.live ? { ...version, timeDeleted: now } : version,
  );
}
