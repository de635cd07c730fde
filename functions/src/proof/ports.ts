import type { ListVersions } from '../roster/ports.ts';
import type { Stream } from './chain.ts';
import type { ChainKeys } from './chain-key.ts';
import type { StoredRecord } from './check-record.ts';
import type { Receipt } from './receipt.ts';

/**
 * Reading of all records for their proof. Every call throws `store_unavailable`, and `deadline_exceeded` when told to end.
 */
export interface RecordReader {
  /** Every record of the chained collections, page by page. */
  records(signal: AbortSignal): AsyncIterable<StoredRecord>;
  /** The heads as they stand, each a link or anything else that somebody put there. */
  heads(): Promise<Readonly<Record<Stream, unknown>>>;
}

/** `sync_state/verification`: what the last walk over the records found. Counts alone; whoever doubts it walks again. */
export interface Verified {
  readonly at: Date;
  /** Nothing was missing, altered, reordered, inserted or unproven. */
  readonly whole: boolean;
  readonly findings: number;
  readonly records: number;
  /** Kept versions of the list. */
  readonly versions: number;
}

/** Both calls throw `store_unavailable`. */
export interface VerifiedStore {
  /** Null: nobody has walked yet. */
  read(): Promise<Verified | null>;
  write(verified: Verified): Promise<void>;
}

/** A roll that is kept for an election, whatever becomes of the versions of the list. */
export interface FrozenRoll {
  /** `a-z`, `0-9` and `-`: it becomes the name of a file. */
  readonly name: string;
  /** Until the end of this day it is kept; afterwards the bucket's lifecycle deletes it. */
  readonly until: Date;
  readonly by: string;
  readonly reason: string;
  readonly frozenAt: Date;
  readonly receipt: Receipt;
}

/** Every call throws `storage_unavailable`, `storage_rejected`. */
export interface FrozenRolls {
  /** Throws `storage_conflict` where another roll has the name. The same one again is no failure, and changes nothing. */
  freeze(roll: FrozenRoll, bytes: Uint8Array): Promise<void>;
  /** Null: there is none of that name. Throws `chain_broken` for one that cannot be read. */
  read(name: string): Promise<{ readonly roll: FrozenRoll; readonly bytes: Uint8Array } | null>;
  /** By name. */
  list(): Promise<FrozenRoll[]>;
}

export interface VerifyDependencies {
  readonly records: RecordReader;
  readonly versions: ListVersions;
  readonly keys: ChainKeys;
  readonly now: () => Date;
}
