import type { Json } from '../domain/member/field-row.ts';
import { isEarlier } from './edit-time.ts';
import { type PathEdit, type QueueItem, RETRIED_FOR_MS, type SettledEdit } from './queue-item.ts';
import { settlePaths } from './settle-paths.ts';

export interface ReviveOptions {
  readonly now: Date;
  /** The member's items that were edited after some dead letter. */
  readonly later: readonly QueueItem[];
  /** Instead of what had failed: these paths that had lost a conflict, and what the registry holds there. */
  readonly from?: Readonly<Record<string, Json>>;
}

/**
 * An edit to be delivered again for another three days: the paths that had failed wait once more, the others stay as
 * they ended. Where the member has said something later that did not fail, that stands.
 */
export const reviveItem = (item: QueueItem, { now, later, from }: ReviveOptions): QueueItem => {
  const changes: Record<string, PathEdit> = { ...item.changes };
  const settled: Record<string, SettledEdit> = {};
  for (const [path, edit] of Object.entries(item.settled)) {
    const isRevived = from === undefined ? edit.outcome === 'failed' : Object.hasOwn(from, path);
    const oldValue = from?.[path] === undefined ? edit.oldValue : from[path];
    if (isRevived) changes[path] = { oldValue, newValue: edit.newValue };
    else settled[path] = edit;
  }
  const revived: QueueItem = {
    ...item,
    changes,
    settled,
    status: 'pending',
    // Nothing may still come before it: what it starts from is known.
    isContinuation: from === undefined && item.isContinuation,
    errorMessage: null,
    syncedAt: null,
    retryCount: 0,
    nextAttemptAt: now,
    retryUntil: new Date(now.getTime() + RETRIED_FOR_MS),
  };
  const hasLaterWord = (path: string): boolean =>
    later.some((other) => isEarlier(item.editedAt, other.editedAt) && hasWord(other, path));
  return settlePaths(revived, (path) => (hasLaterWord(path) ? { outcome: 'superseded' } : null), now);
};

const hasWord = ({ changes, settled }: QueueItem, path: string): boolean =>
  Object.hasOwn(changes, path) || (settled[path] !== undefined && settled[path].outcome !== 'failed');
