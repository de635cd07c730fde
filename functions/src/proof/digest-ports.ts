import type { Kennitala } from '../domain/kennitala.ts';
import type { DigestNumbers, SetSums } from '../domain/member/digest.ts';
import type { ErrorCode } from '../lib/errors.ts';
import type { MirrorName } from '../mirror/mirror.ts';
import type { PortalDocument } from '../portal/ports.ts';

/** What the registry says of one bucket: sums of its members' digests, and of their kennitalas alone. */
export interface BucketSums {
  readonly members: SetSums;
  readonly keys: SetSums;
}

/** 256 buckets in order, and the outbox's newest id, which was read before them. */
export interface RegistrySums {
  readonly newestVersion: number;
  readonly buckets: readonly BucketSums[];
}

/** `no_companion_app`: the registry has no such call (404). `digests_missing`: some members have none yet (409). */
export type NoSums = 'no_companion_app' | 'digests_missing';

export interface RegistryDigests {
  /** Throws the `registry_*` codes; sums that no set of members can have are `registry_invalid_response`. */
  sums(options: { readonly signal: AbortSignal }): Promise<RegistrySums | NoSums>;
  /** All members of one bucket as sent. Throws the `registry_*` codes, `incomplete_export`. */
  members(bucket: number, options: { readonly signal: AbortSignal }): Promise<readonly unknown[]>;
}

/** The portal's active members by the digests that stand in their documents. Every call throws `store_unavailable`. */
export interface PortalDigests {
  /** Of the buckets from `from` up to and without `until`. Documents without a digest are in no sum and no count. */
  sums(from: number, until: number): Promise<SetSums>;
  /** All active members, with a digest or without. */
  countActive(): Promise<number>;
  /** The active ones of a bucket. */
  documents(bucket: number): Promise<readonly PortalDocument[]>;
}

/** An active member of the register; without `digest` where the row has none. */
export interface RegisterRow {
  readonly kennitala: Kennitala;
  readonly digest?: DigestNumbers;
}

/** The register's active members. Every call throws `database_*`, `schema_outdated`. */
export interface RegisterDigests {
  /** 256 buckets. A row without a digest counts and adds nothing. */
  sums(): Promise<readonly SetSums[]>;
  rows(buckets: readonly number[]): Promise<readonly RegisterRow[]>;
}

/**
 * How a store stands to the registry. `absent`: not configured. `unknown`: it did not answer (`errorCode`), or what it holds
 * cannot be compared. `differs`: by `differences` members; null where they were not counted, since they are too many.
 */
export interface StoreProof {
  readonly state: 'equal' | 'differs' | 'unknown' | 'absent';
  readonly differences: number | null;
  readonly errorCode: ErrorCode | null;
}

/**
 * equal       registry, roster, portal and register hold the same members, but for those whom nobody can read
 * under_way   they differ by what is on its way: events, or a run
 * differs     they differ, and nothing explains it
 * unprovable  the registry gives no sums
 * unknown     something did not answer
 */
export type ProofOutcome = 'equal' | 'under_way' | 'differs' | 'unprovable' | 'unknown';

export type ProofReason = NoSums | 'events' | 'run_under_way' | 'paused' | 'blocked';

/** `sync_state/proof`: the last look. It speaks of whole lists only. */
export interface ProofRecord {
  readonly at: Date;
  readonly outcome: ProofOutcome;
  readonly because: ProofReason | null;
  /** When all four were last seen to be equal. */
  readonly provedAt: Date | null;
  /** Since when no look has found them equal; null when this one has. */
  readonly unprovedSince: Date | null;
  /** In the registry. */
  readonly members: number | null;
  /** Members of the registry that cannot be read and so stand in no store as they are there. */
  readonly unreadable: number;
  readonly stores: Readonly<Record<MirrorName, StoreProof>>;
  /** What kept the registry from being asked. */
  readonly errorCode: ErrorCode | null;
  /** Runs in a row that were to mend differences and did not; and the last one's time. */
  readonly healings: number;
  readonly healedAt: Date | null;
}

/** Both calls throw `store_unavailable`. */
export interface ProofStore {
  read(): Promise<ProofRecord | null>;
  write(record: ProofRecord): Promise<void>;
}
