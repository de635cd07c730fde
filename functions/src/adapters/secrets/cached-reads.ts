/** For how long a value is used after it was read, in milliseconds. */
export interface CacheTimes {
  /** Without asking again. */
  readonly freshMs: number;
  /** When asking again fails for a reason that passes. It bounds how long a disabled version can still be used. */
  readonly staleMs: number;
  /** How long to leave a failing source alone while a stale value serves. */
  readonly pauseMs: number;
}

export interface CachedReads<T> {
  /** Reads that overlap share one request. */
  readonly get: (key: string) => Promise<T>;
  readonly drop: (key: string) => void;
}

interface Entry<T> {
  held?: { readonly value: T; readonly readAt: number };
  askAgainAt: number;
  flight?: Promise<T> | undefined;
}

/**
 * A cache of reads. A dropped value is gone: it is not used as a stale one either, and a request that was under way
 * when it was dropped neither fills the cache nor is shared any more, since it may bring the old value.
 */
export const makeCachedReads = <T>(
  read: (key: string) => Promise<T>,
  isPassing: (error: unknown) => boolean,
  times: CacheTimes,
  now: () => number = Date.now,
): CachedReads<T> => {
  const entries = new Map<string, Entry<T>>();

  const refresh = async (key: string, entry: Entry<T>): Promise<T> => {
    try {
      const value = await read(key);
      entry.held = { value, readAt: now() };
      entry.askAgainAt = now() + times.freshMs;
      return value;
    } catch (error) {
      const { held } = entry;
      if (held === undefined || !isPassing(error) || now() - held.readAt > times.staleMs) throw error;
      entry.askAgainAt = now() + times.pauseMs;
      return held.value;
    } finally {
      entry.flight = undefined;
    }
  };

  return {
    get: async (key) => {
      const entry: Entry<T> = entries.get(key) ?? { askAgainAt: 0 };
      entries.set(key, entry);
      if (entry.held !== undefined && now() < entry.askAgainAt) return entry.held.value;
      entry.flight ??= refresh(key, entry);
      return await entry.flight;
    },
    // The entry itself is let go, so that a request under way writes into what nobody reads.
    drop: (key) => {
      entries.delete(key);
    },
  };
};
