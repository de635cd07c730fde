import { asSyncError, type SyncError } from '../../lib/errors.ts';
import type { ErasedStore } from '../schemas.ts';
import type { Counts, ErasureStore, Person } from './ports.ts';

export interface ErasureRun {
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  readonly onFailure: (place: ErasedStore['store'], failure: SyncError) => void;
}

/**
 * Looks, erases and looks again, each store for itself: one that fails does not keep the others from it. What could not
 * be read is null, never 0. A dry run only looks, and what it finds is what is left.
 */
export const eraseStores = async (
  stores: readonly ErasureStore[],
  person: Person,
  run: ErasureRun,
): Promise<ErasedStore[]> => {
  const rows = await Promise.all(stores.map((store) => eraseStore(store, person, run)));
  return rows.flat();
};

const eraseStore = async (
  store: ErasureStore,
  person: Person,
  { dryRun, signal, onFailure }: ErasureRun,
): Promise<ErasedStore[]> => {
  let code: string | null = null;
  const attempt = async (work: () => Promise<Counts>): Promise<Counts | null> => {
    try {
      return await work();
    } catch (cause) {
      const failure = asSyncError(cause);
      code = failure.code;
      onFailure(store.places[0], failure);
      return null;
    }
  };
  const found = await attempt(() => store.find(person, signal));
  const erased = dryRun ? {} : await attempt(() => store.erase(person, signal));
  // Not what was erased is the proof but a new reading, also where erasing failed: its answer may have been lost.
  const left = dryRun ? found : await attempt(() => store.find(person, signal));
  return store.places.map((place) => ({
    store: place,
    found: countIn(found, place),
    erased: dryRun ? 0 : countIn(erased, place),
    left: countIn(left, place),
    code,
  }));
};

/** A place that an answer does not name is not known either. */
const countIn = (counts: Counts | null, place: ErasedStore['store']): number | null =>
  counts?.[place] ?? null;
