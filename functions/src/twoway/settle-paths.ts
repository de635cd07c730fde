import type { Json } from '../domain/member/field-row.ts';
import type { PathOutcome, QueueItem, SettledEdit, SyncStatus } from './queue-item.ts';

export interface PathEnd {
  readonly outcome: PathOutcome;
  /** What the registry held before, where merging found out: so that a dead letter can be tried again as it stands. */
  readonly oldValue?: Json | undefined;
  readonly message?: string | null;
}

/** Moves paths of an item from what waits to what has ended. Returns the same item when nothing moves. */
export const settlePaths = (
  item: QueueItem,
  endOf: (path: string) => PathEnd | null,
  now: Date,
): QueueItem => {
  const changes = { ...item.changes };
  const settled: Record<string, SettledEdit> = { ...item.settled };
  let errorMessage = item.errorMessage;
  let moved = 0;
  for (const [path, edit] of Object.entries(item.changes)) {
    const end = endOf(path);
    if (end === null) continue;
    moved += 1;
    delete changes[path];
    settled[path] = {
      ...edit,
      outcome: end.outcome,
      ...(end.oldValue !== undefined && { oldValue: end.oldValue }),
    };
    if (end.message !== undefined) errorMessage = end.message;
  }
  if (moved === 0) return item;
  if (Object.keys(changes).length > 0) return { ...item, changes, settled, errorMessage };
  const status = gravest(Object.values(settled));
  return {
    ...item,
    changes,
    settled,
    status,
    syncedAt: status === 'synced' ? now : null,
    errorMessage: status === 'synced' ? null : errorMessage,
    claim: null,
    delivery: null,
  };
};

const gravest = (settled: readonly SettledEdit[]): SyncStatus => {
  const outcomes = new Set(settled.map(({ outcome }) => outcome));
  return outcomes.has('failed') ? 'failed' : outcomes.has('conflict') ? 'conflict' : 'synced';
};
