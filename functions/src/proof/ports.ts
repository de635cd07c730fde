import type { ListVersions } from '../roster/ports.ts';
import type { Stream } from './chain.ts';
import type { ChainKeys } from './chain-key.ts';
import type { StoredRecord } from './check-record.ts';

/** Reading of all records for their proof. Every call throws `store_unavailable`, and `deadline_exceeded` when told to end. */
export interface RecordReader {
  /** Every record of the chained collections, page by page. */
  records(signal: AbortSignal): AsyncIterable<StoredRecord>;
  /** The heads as they stand, each a link or anything else that somebody put there. */
  heads(): Promise<Readonly<Record<Stream, unknown>>>;
}

export interface VerifyDependencies {
  readonly records: RecordReader;
  readonly versions: ListVersions;
  readonly keys: ChainKeys;
  readonly now: () => Date;
}
