import type { Kennitala } from '../../domain/kennitala.ts';
import { SyncError } from '../../lib/errors.ts';
import type { ErasedStore, SoftDeletedCopies } from '../schemas.ts';

/** Whom an erasure is about, by the two names that stores know. */
export interface Person {
  readonly kennitala: Kennitala;
  /** The opaque reference. */
  readonly reference: string;
}

export type StoreName = ErasedStore['store'];

/** Entries by place: documents, rows, versions. */
export type Counts = Readonly<Partial<Record<StoreName, number>>>;

/**
 * Something that holds people, in one place or in several that are written together. Safe to repeat: what is gone is no
 * failure. Throws `store_unavailable`, `storage_*`, `database_*`, `schema_outdated`, `deadline_exceeded`.
 */
export interface ErasureStore {
  readonly places: readonly [StoreName, ...StoreName[]];
  /** What it holds of the person now, of every place. */
  find(person: Person, signal: AbortSignal): Promise<Counts>;
  /**
   * Erases all of it and says how much there was. Throws `still_published` where the person is a member of that mirror
   * again, and then leaves that alone.
   */
  erase(person: Person, signal: AbortSignal): Promise<Counts>;
}

/** Versions of the list that were deleted and that the bucket still keeps. Throws `storage_*`. */
export interface SoftDeletedList {
  find(): Promise<Omit<Extract<SoftDeletedCopies, { state: 'known' }>, 'state'>>;
}

export const stillPublished = (mirrors: string): SyncError =>
  new SyncError(
    'still_published',
    `This person is still a member in: ${mirrors}. Run what is named first: npm run ops -- sync roster, portal or register.`,
    { details: { mirrors } },
  );
