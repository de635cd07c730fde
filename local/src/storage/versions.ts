import type { Checksums } from './checksums.ts';

/** What a client may set on an object; `metadata` is the custom metadata. */
export interface ObjectAttributes {
  readonly contentType?: string;
  readonly cacheControl?: string;
  readonly customTime?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** One version of an object. Its bytes never change; its attributes may, which raises `metageneration`. */
export interface ObjectVersion extends Checksums {
  readonly generation: string;
  readonly metageneration: number;
  /** Bytes. */
  readonly size: number;
  readonly timeCreated: string;
  readonly updated: string;
  /** When a newer version or a delete made this one noncurrent. */
  readonly timeDeleted?: string;
  readonly attributes: ObjectAttributes;
}

/** A version that was deleted for good, as Cloud Storage goes on listing it until `hardDeleteTime`. */
export interface SoftDeletedVersion extends ObjectVersion {
  readonly softDeleteTime: string;
  readonly hardDeleteTime: string;
}

/** All that is known of one name. It is one file on disk, so replacing that file is the commit. */
export interface ObjectRecord {
  readonly name: string;
  readonly live: string | null;
  /** Oldest first. */
  readonly versions: readonly ObjectVersion[];
  readonly softDeleted?: readonly SoftDeletedVersion[];
}

export interface BucketSettings {
  readonly timeCreated: string;
  readonly updated: string;
  readonly metageneration: number;
  readonly softDeletePolicy: { readonly retentionDurationSeconds: string; readonly effectiveTime: string };
}

/**
 * `next` with `dropped` kept as soft-deleted, and without those whose time is up. Only what a listing shows is kept:
 * restoring is not simulated, so the bytes are gone at once.
 */
export const withSoftDeleted = (
  next: ObjectRecord,
  dropped: readonly ObjectVersion[],
  { softDeletePolicy }: Pick<BucketSettings, 'softDeletePolicy'>,
  now: Date,
): ObjectRecord => {
  const seconds = Number(softDeletePolicy.retentionDurationSeconds);
  const softDeleteTime = now.toISOString();
  const hardDeleteTime = new Date(now.getTime() + seconds * 1_000).toISOString();
  const added = seconds === 0 ? [] : dropped.map((each) => ({ ...each, softDeleteTime, hardDeleteTime }));
  return { ...next, softDeleted: [...softDeletedAt(next, now), ...added] };
};

/** Those whose time is not up, oldest version first. */
export const softDeletedAt = ({ softDeleted = [] }: ObjectRecord, now: Date): readonly SoftDeletedVersion[] =>
  softDeleted
    .filter(({ hardDeleteTime }) => new Date(hardDeleteTime) > now)
    .toSorted((one, other) => (BigInt(one.generation) < BigInt(other.generation) ? -1 : 1));
