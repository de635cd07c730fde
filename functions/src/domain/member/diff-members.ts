import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Json } from './field-row.ts';
import { FIELD_PATHS, rowOf } from './field-table.ts';
import { type FieldPath, type FieldValue, fieldOf } from './fields.ts';
import type { Member } from './member.ts';

/**
 * One field that differs. The path may be logged and counted; **the values are personal**: they go to the member's own
 * document, the queue and an operator's screen, never into a log line, an error or a metric.
 */
export interface FieldDifference<P extends FieldPath = FieldPath> {
  readonly path: P;
  readonly oldValue: FieldValue<P>;
  readonly newValue: FieldValue<P>;
}

/** What differs in meaning, in the field table's order. Two spellings of one phone, or another order of titles, do not. */
export const diffMembers = (before: Member, after: Member): FieldDifference[] =>
  FIELD_PATHS.map((path) => ({
    path,
    oldValue: fieldOf(before, path),
    newValue: fieldOf(after, path),
  })).filter(({ path, oldValue, newValue }) => !isSameValue(path, oldValue, newValue));

/** Whether two values of a field mean the same: by this a conflict is told from another spelling. */
export const isSameValue = <P extends FieldPath>(
  path: P,
  one: FieldValue<P>,
  other: FieldValue<P>,
): boolean => isDeepStrictEqual(rowOf(path).normalise(one), rowOf(path).normalise(other));

/** Every field's normal form, in the table's order. */
export const normalisedFields = (member: Member): Json[] =>
  FIELD_PATHS.map((path) => rowOf(path).normalise(fieldOf(member, path)));

/** Changes when the meaning of the hash does, so that an old hash never passes for a new one. */
const SCHEME = 'member/1';

/**
 * SHA-256 (hex) over everything that is mapped, in the field table's order and normal form: two members have the same
 * hash exactly when `diffMembers` finds nothing between them.
 */
export const sourceHash = (member: Member): string =>
  createHash('sha256')
    .update(JSON.stringify([SCHEME, member.profile.kennitala, normalisedFields(member)]))
    .digest('hex');
