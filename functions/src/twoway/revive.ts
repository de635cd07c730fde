import { isEarlier } from './edit-time.ts';
import type { PathEdit, QueueItem, SettledEdit } from './queue-item.ts';
import { settlePaths } from './settle-paths.ts';

/**
 * A dead letter, to be delivered again: the paths that had failed wait once more, the others stay as they ended. Where
 * the member has said something later that did not fail, that stands.
 * @param later The member's items that were edited after some dead letter.
 */
export const reviveItem = (
  item: QueueItem,
  later: readonly QueueItem[],
  now: Date,
  retryUntil: Date,
): QueueItem => {
  const changes: Record<string, PathEdit> = {};
  const settled: Record<string, SettledEdit> = {};
  for (const [path, edit] of Object.entries(item.settled)) {
    if (edit.outcome === 'failed') changes[path] = { oldValue: edit.oldValue, newValue: edit.newValue };
    else settled[path] = edit;
  }
  const revived: QueueItem = {
    ...item,
    changes,
    settled,
    status: 'pending',
    errorMessage: null,
    syncedAt: null,
    retryCount: 0,
    nextAttemptAt: now,
    retryUntil,
  };
  const hasLaterWord = (path: string): boolean =>
    later.some((other) => isEarlier(item.editedAt, other.editedAt) && hasWord(other, path));
  return settlePaths(revived, (path) => (hasLaterWord(path) ? { outcome: 'superseded' } : null), now);
};

const hasWord = ({ changes, settled }: QueueItem, path: string): boolean =>
  Object.hasOwn(changes, path) || (settled[path] !== undefined && settled[path].outcome !== 'failed');
