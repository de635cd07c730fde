import { type FieldValues, withFields } from '../domain/member/fields.ts';
import type { Member } from '../domain/member/member.ts';
import { tryFieldValue } from './field-json.ts';
import { mergeEdits } from './merge-edits.ts';
import type { QueueItem } from './queue-item.ts';

/** The member with the fields that still wait at what the registry is expected to hold there. */
export const asRegistryHasIt = (member: Member, waiting: readonly QueueItem[]): Member => {
  const values: Record<string, unknown> = {};
  for (const [path, { expected }] of mergeEdits(waiting)) {
    const value = tryFieldValue(path, expected);
    if (value !== undefined) values[path] = value;
  }
  return withFields(member, values as Partial<FieldValues>);
};
