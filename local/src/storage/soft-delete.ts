import { isJsonObject, type JsonObject } from './attributes.ts';
import { badRequest } from './errors.ts';
import type { ObjectRecord, ObjectVersion } from './object-record.ts';

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
