import type { LastSuccess } from '../mirror/run-store.ts';
import type { ListStore, PublishedList } from './ports.ts';

/** A longer list is read in its turn: beside the registry's answer it would cost memory, not time. */
const MOST_MEMBERS = 50_000;

export interface ReadAhead {
  /** The first call takes what was read ahead; each later one, after another writer came between, reads anew. */
  readonly read: (signal: AbortSignal) => Promise<PublishedList | null>;
  /** Nobody will ask for it: ends it, and waits until nothing of it goes on. */
  readonly giveUp: () => Promise<void>;
}

/**
 * Reads the published list while the registry is still answering, where the last run left a short one. What was read ahead
 * may be old by the time it is used: that shows when the list is replaced, on the condition that it is still this version.
 */
export const readAhead = (
  store: Pick<ListStore, 'read'>,
  lastSuccess: LastSuccess | null,
  signal: AbortSignal,
): ReadAhead => {
  const controller = new AbortController();
  const isShort = lastSuccess !== null && lastSuccess.memberCount <= MOST_MEMBERS;
  let ahead = isShort ? store.read(AbortSignal.any([signal, controller.signal])) : null;
  // A failure is told to whoever takes it; a run that ends before that has one of its own.
  const settled = ahead?.then(nothing, nothing);
  return {
    read: (now) => {
      const taken = ahead ?? store.read(now);
      ahead = null;
      return taken;
    },
    giveUp: async () => {
      controller.abort();
      await settled;
    },
  };
};

const nothing = (): void => undefined;
