import type { LastSuccess } from '../mirror/run-store.ts';
import type { ListStore, PublishedList } from './ports.ts';

/** Above this many members a list is read in its turn: beside the registry's answer it would cost memory, not time. */
const MOST_MEMBERS = 50_000;

/**
 * Reads the published list while the registry is still answering, where the list is short. The first call takes what was
 * read ahead; each later one, after another writer came between, reads anew. What was read ahead may be old by the time
 * it is used: that shows when the list is replaced, on the condition that it is still this version.
 */
export const readAhead = (
  store: Pick<ListStore, 'read'>,
  lastSuccess: LastSuccess | null,
): (() => Promise<PublishedList | null>) => {
  let ahead = (lastSuccess?.memberCount ?? 0) > MOST_MEMBERS ? null : store.read();
  // A failure is told to whoever takes it; a run that ends before that has one of its own.
  ahead?.catch(() => undefined);
  return () => {
    const taken = ahead ?? store.read();
    ahead = null;
    return taken;
  };
};
