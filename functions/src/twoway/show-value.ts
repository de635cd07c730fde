import { isConsentPath, type Withdrawals } from '../domain/member/consents.ts';
import { isSameValue } from '../domain/member/diff-members.ts';
import type { Json } from '../domain/member/field-row.ts';
import { type FieldPath, type FieldValues, fieldOf } from '../domain/member/fields.ts';
import type { Member } from '../domain/member/member.ts';
import { isFieldPath, isSameJson, tryFieldValue } from './field-json.ts';
import type { QueueItem } from './queue-item.ts';

/**
 * The fields of a document that are to show another value now that the edits of them have ended. A field is left alone
 * while it holds something that none of those edits knew: then its own event, or the registry's, is on its way.
 *
 * @param ended The items whose edits have ended. @param values What is right now, by path.
 * @param withdrawn Consents that nothing switches on again.
 */
export const planShown = (
  member: Member,
  ended: readonly QueueItem[],
  values: Readonly<Record<string, Json>>,
  withdrawn: Withdrawals = {},
): Partial<FieldValues> => {
  const shown: Partial<Record<FieldPath, unknown>> = {};
  for (const [path, json] of Object.entries(values)) {
    const value = tryFieldValue(path, json);
    if (!isFieldPath(path) || value === undefined) continue;
    const held = fieldOf(member, path);
    if (isSameValue(path, held, value)) continue;
    if (value === true && isConsentPath(path) && withdrawn[path] !== undefined) continue;
    const isKnown = knownValues(ended, path).some((known) => isSameJson(path, known, held));
    if (isKnown) shown[path] = value;
  }
  return shown as Partial<FieldValues>;
};

/** Every value that these edits of a field started from or led to. */
const knownValues = (items: readonly QueueItem[], path: string): Json[] =>
  items.flatMap(({ changes, settled }) => {
    const edit = changes[path] ?? settled[path];
    return edit === undefined ? [] : [edit.oldValue, edit.newValue];
  });

/** The values without those of fields that still wait. */
export const withoutWaiting = (
  values: Readonly<Record<string, Json>>,
  waiting: readonly QueueItem[],
): Record<string, Json> =>
  Object.fromEntries(
    Object.entries(values).filter(([path]) => !waiting.some(({ changes }) => Object.hasOwn(changes, path))),
  );
