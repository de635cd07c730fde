import type { ChangeEntry } from './journal.ts';

/** The change queue: one row a change, pending until the sync service marks it synced. */
export interface Outbox {
  readonly lastId: number;
  add(change: ChangeEntry): void;
  /** Pending changes, oldest first; with `since` (milliseconds) only those created at or after it. */
  pending(since?: number): ChangeEntry[];
  /** Answers the ids that were pending until now; unknown and already synced ones are left out. */
  markSynced(ids: readonly number[]): number[];
  counts(): { readonly pending: number; readonly synced: number; readonly oldestPending: string | null };
}

export const makeOutbox = (): Outbox => {
  const waiting = new Map<number, ChangeEntry>();
  let lastId = 0;
  let synced = 0;
  return {
    get lastId() {
      return lastId;
    },
    add: (change) => {
      lastId = change.id;
      // The portal's own edit must not come back to it as an edit of the registry's.
      if (change.origin === 'portal') synced += 1;
      else waiting.set(change.id, change);
    },
    pending: (since) => {
      const all = [...waiting.values()];
      return since === undefined ? all : all.filter((change) => Date.parse(change.at) >= since);
    },
    markSynced: (ids) => {
      const marked = ids.filter((id) => waiting.delete(id));
      synced += marked.length;
      return marked;
    },
    counts: () => ({
      pending: waiting.size,
      synced,
      oldestPending: waiting.values().next().value?.at ?? null,
    }),
  };
};
