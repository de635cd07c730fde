import type { Json } from '../domain/member/field-row.ts';
import { compareEditTimes, type EditTime } from './edit-time.ts';
import { isSameJson } from './field-json.ts';
import type { QueueItem } from './queue-item.ts';

/** A member's waiting edits of one field, as one. */
export interface MergedEdit {
  /** The first old value: what the registry is expected to hold. */
  readonly expected: Json;
  /** The last new value. */
  readonly newValue: Json;
  /** Of the last edit. */
  readonly editedAt: EditTime;
  /** Of the edit that `expected` comes from, and whether another may have gone before it. */
  readonly firstEditedAt: EditTime;
  readonly isContinuation: boolean;
  /** Every value that the member has had here meanwhile, the last included. */
  readonly ownValues: readonly Json[];
}

export type MergedEdits = ReadonlyMap<string, MergedEdit>;

/** In the order of the writes that they were, whatever order they arrived in. */
export const inEditOrder = (items: readonly QueueItem[]): QueueItem[] =>
  items.toSorted((a, b) => compareEditTimes(a.editedAt, b.editedAt));

/**
 * Several edits before a delivery are one: from the first old value to the last new one. Where an edit starts from a
 * value that none of the edits before it knew, the registry's word came between: the member saw it and wrote over it,
 * so it is what the registry is expected to hold, and the edits before it are superseded.
 */
export const mergeEdits = (items: readonly QueueItem[]): MergedEdits => {
  const merged = new Map<string, MergedEdit>();
  for (const item of inEditOrder(items)) {
    for (const [path, { oldValue, newValue }] of Object.entries(item.changes)) {
      const before = merged.get(path);
      const ownValues = [...(before?.ownValues ?? []), newValue];
      const latest = { newValue, editedAt: item.editedAt, ownValues };
      merged.set(
        path,
        before !== undefined && isFromChain(path, before, oldValue)
          ? { ...before, ...latest }
          : {
              ...latest,
              expected: oldValue,
              firstEditedAt: item.editedAt,
              isContinuation: item.isContinuation,
            },
      );
    }
  }
  return merged;
};

/** An event of the registry can have shown an earlier value of the chain again, when the last edit was not queued yet. */
const isFromChain = (path: string, { expected, ownValues }: MergedEdit, oldValue: Json): boolean =>
  [expected, ...ownValues].some((known) => isSameJson(path, known, oldValue));

/** Whether the member has gone back to where they came from, so that there is nothing to tell. */
export const isCancelled = (path: string, { expected, newValue }: MergedEdit): boolean =>
  isSameJson(path, expected, newValue);
