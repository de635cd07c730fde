import { isJsonObject, type JsonObject, type ObjectAttributes } from './attributes.ts';
import type { Checksums } from './checksums.ts';
import { badRequest } from './errors.ts';

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

/** A version that was deleted or overwritten for good, as Cloud Storage goes on listing it until `hardDeleteTime`. */
export interface SoftDeletedVersion extends ObjectVersion {
  readonly softDeleteTime: string;
  readonly hardDeleteTime: string;
}

const DAY_SECONDS = 86_400;
/** What a new bucket has, https://cloud.google.com/storage/docs/soft-delete. */
const DEFAULT_SECONDS = 7 * DAY_SECONDS;
const MAX_SECONDS = 90 * DAY_SECONDS;

export const defaultSoftDeletePolicy = (now: string): JsonObject => ({
  retentionDurationSeconds: String(DEFAULT_SECONDS),
  effectiveTime: now,
});

/**
 * The fields of a bucket with its policy checked and stamped with the time from which it holds.
 * @throws ApiError 400 for a time that is neither 0 (off) nor 7 to 90 days
 */
export function stampSoftDeletePolicy(fields: JsonObject, now: string): JsonObject {
  const policy = fields['softDeletePolicy'];
  if (policy === undefined || policy === null) return fields;
  const seconds = isJsonObject(policy) ? Number(policy['retentionDurationSeconds']) : Number.NaN;
  const isAllowed = seconds === 0 || (seconds >= DEFAULT_SECONDS && seconds <= MAX_SECONDS);
  if (!Number.isInteger(seconds) || !isAllowed) {
    throw badRequest('Soft delete retention must be 0, or 7 to 90 days.');
  }
  return { ...fields, softDeletePolicy: { retentionDurationSeconds: String(seconds), effectiveTime: now } };
}

/** 0: the bucket has no soft delete. */
export function softDeleteSeconds(fields: JsonObject): number {
  const policy = fields['softDeletePolicy'];
  return isJsonObject(policy) ? Number(policy['retentionDurationSeconds'] ?? 0) : 0;
}

/**
 * `next` with the versions that it no longer has kept as soft-deleted ones, and without those whose time is up. Only
 * what a listing shows is kept: restoring is not simulated, so the bytes are gone at once.
 */
export function withSoftDeleted(
  next: ObjectRecord,
  dropped: readonly ObjectVersion[],
  retentionSeconds: number,
  now: Date,
): ObjectRecord {
  const softDeleteTime = now.toISOString();
  const hardDeleteTime = new Date(now.getTime() + retentionSeconds * 1_000).toISOString();
  const added =
    retentionSeconds === 0 ? [] : dropped.map((each) => ({ ...each, softDeleteTime, hardDeleteTime }));
  const softDeleted = [...softDeletedVersions(next, now), ...added];
  const { softDeleted: _, ...rest } = next;
  return softDeleted.length === 0 ? rest : { ...rest, softDeleted };
}

/** Those whose time is not up, oldest version first. */
export function softDeletedVersions(record: ObjectRecord, now: Date): readonly SoftDeletedVersion[] {
  return (record.softDeleted ?? [])
    .filter(({ hardDeleteTime }) => new Date(hardDeleteTime) > now)
    .toSorted((a, b) => (BigInt(a.generation) < BigInt(b.generation) ? -1 : 1));
}
