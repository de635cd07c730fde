import { isDeepStrictEqual } from 'node:util';
import { isSameValue } from '../domain/member/diff-members.ts';
import type { Json } from '../domain/member/field-row.ts';
import { FIELD_TABLE, rowOf } from '../domain/member/field-table.ts';
import type { FieldPath, FieldValue } from '../domain/member/fields.ts';

/** Values in the portal's spelling, by the field's path. Personal: they go to the queue and the registry alone. */
export type FieldJson = Readonly<Record<string, Json>>;

export const isFieldPath = (path: string): path is FieldPath => Object.hasOwn(FIELD_TABLE, path);

/** The value as the domain knows it; undefined when the path or the value cannot be read. */
export const tryFieldValue = (path: string, json: unknown): FieldValue<FieldPath> | undefined =>
  isFieldPath(path) ? rowOf(path).fromPortal(json) : undefined;

/** Whether two values of a field mean the same. Two that cannot be read are compared as they stand. */
export const isSameJson = (path: string, one: unknown, other: unknown): boolean => {
  const [a, b] = [tryFieldValue(path, one), tryFieldValue(path, other)];
  if (!isFieldPath(path) || a === undefined || b === undefined) return isDeepStrictEqual(one, other);
  return isSameValue(path, a, b);
};
