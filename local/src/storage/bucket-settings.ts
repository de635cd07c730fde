import { isJsonObject, type JsonObject } from './attributes.ts';
import { defaultSoftDeletePolicy, stampSoftDeletePolicy } from './object-record.ts';

/** A bucket's metadata as the API shows it, without what follows from the server's address. */
export interface BucketSettings {
  readonly timeCreated: string;
  readonly updated: string;
  readonly metageneration: number;
  /** Stored and shown as set; `versioning` and `softDeletePolicy` change what the server does. Lifecycle rules do not run. */
  readonly fields: JsonObject;
}

const SERVER_FIELDS = new Set([
  'kind',
  'id',
  'name',
  'selfLink',
  'etag',
  'metageneration',
  'timeCreated',
  'updated',
  'projectNumber',
]);

const DEFAULT_FIELDS: JsonObject = {
  location: 'EUROPE-WEST1',
  locationType: 'region',
  storageClass: 'STANDARD',
};

/**
 * @param versioningByDefault the local bucket has object versioning on, since the roster's rollback needs it;
 *   a bucket created through the API has what the request says, as in the real service
 */
export function makeBucketSettings(
  body: JsonObject,
  versioningByDefault: boolean,
  now: string,
): BucketSettings {
  const base = {
    ...DEFAULT_FIELDS,
    softDeletePolicy: defaultSoftDeletePolicy(now),
    ...(versioningByDefault ? { versioning: { enabled: true } } : {}),
  };
  const fields = mergePatch(base, stampSoftDeletePolicy(settable(body), now));
  return { timeCreated: now, updated: now, metageneration: 1, fields };
}

export function patchBucketSettings(current: BucketSettings, body: JsonObject, now: string): BucketSettings {
  return {
    ...current,
    updated: now,
    metageneration: current.metageneration + 1,
    fields: mergePatch(current.fields, stampSoftDeletePolicy(settable(body), now)),
  };
}

export function hasVersioning(settings: BucketSettings): boolean {
  const versioning = settings.fields['versioning'];
  return isJsonObject(versioning) && versioning['enabled'] === true;
}

function settable(body: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([key]) => !SERVER_FIELDS.has(key)));
}

/** JSON Merge Patch, RFC 7396. */
function mergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  const merged = new Map(Object.entries(target));
  for (const [key, value] of Object.entries(patch)) {
    const old = merged.get(key);
    if (value === null) merged.delete(key);
    else if (isJsonObject(value)) merged.set(key, mergePatch(isJsonObject(old) ? old : {}, value));
    else merged.set(key, value);
  }
  return Object.fromEntries(merged);
}
