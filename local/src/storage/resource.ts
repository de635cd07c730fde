import type { Bucket } from './bucket.ts';
import type { ObjectVersion, SoftDeletedVersion } from './object-record.ts';

/** `storage#object`, https://cloud.google.com/storage/docs/json_api/v1/objects#resource. */
export interface ObjectResource extends Readonly<Record<string, unknown>> {
  readonly kind: 'storage#object';
  readonly bucket: string;
  readonly name: string;
  readonly generation: string;
  readonly metageneration: string;
  readonly size: string;
  readonly md5Hash: string;
  readonly crc32c: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** @param origin the server's own address, such as `http://127.0.0.1:9199` */
export function objectResource(
  origin: string,
  bucket: string,
  name: string,
  version: ObjectVersion | SoftDeletedVersion,
): ObjectResource {
  const at = `b/${bucket}/o/${encodeURIComponent(name)}`;
  return {
    kind: 'storage#object',
    id: `${bucket}/${name}/${version.generation}`,
    selfLink: `${origin}/storage/v1/${at}`,
    mediaLink: `${origin}/download/storage/v1/${at}?generation=${version.generation}&alt=media`,
    name,
    bucket,
    generation: version.generation,
    metageneration: String(version.metageneration),
    storageClass: 'STANDARD',
    size: String(version.size),
    md5Hash: version.md5Hash,
    crc32c: version.crc32c,
    etag: versionEtag(version),
    timeCreated: version.timeCreated,
    timeFinalized: version.timeCreated,
    timeStorageClassUpdated: version.timeCreated,
    updated: version.updated,
    ...(version.timeDeleted ? { timeDeleted: version.timeDeleted } : {}),
    ...('softDeleteTime' in version
      ? { softDeleteTime: version.softDeleteTime, hardDeleteTime: version.hardDeleteTime }
      : {}),
    ...version.attributes,
  };
}

export function versionEtag(version: ObjectVersion): string {
  return Buffer.from(`${version.generation}/${version.metageneration}`).toString('base64');
}

/** `storage#bucket`, https://cloud.google.com/storage/docs/json_api/v1/buckets#resource. */
export function bucketResource(origin: string, bucket: Bucket): Readonly<Record<string, unknown>> {
  const settings = bucket.settings();
  return {
    kind: 'storage#bucket',
    id: bucket.name,
    selfLink: `${origin}/storage/v1/b/${bucket.name}`,
    name: bucket.name,
    projectNumber: '0',
    metageneration: String(settings.metageneration),
    etag: Buffer.from(String(settings.metageneration)).toString('base64'),
    timeCreated: settings.timeCreated,
    updated: settings.updated,
    ...settings.fields,
  };
}
