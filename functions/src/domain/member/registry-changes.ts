import { isStorable } from '../storable.ts';
import { FIELD_PATHS, isTwoWayPath, rowOf } from './field-table.ts';
import { type FieldPath, type FieldValue, type FieldValues, fieldOf, type Json } from './fields.ts';
import { type Member, memberFault } from './member.ts';
import type { FieldDifference } from './patch.ts';

/** `changes`, `expected` and `current` of the registry's apply call: portal paths and their values. */
export type RegistryFields = Readonly<Record<string, Json>>;

/** One value as the apply call spells it. */
export const toRegistryValue = <P extends FieldPath>(path: P, value: FieldValue<P>): Json =>
  rowOf(path).toRegistry(value);

/** What a member's edit asks of the registry, and what it expects to find there. Fields of one direction stay out. */
export const toRegistryChanges = (
  differences: readonly FieldDifference[],
): { readonly changes: RegistryFields; readonly expected: RegistryFields } => {
  const twoWay = differences.filter(({ path }) => isTwoWayPath(path));
  return {
    changes: Object.fromEntries(twoWay.map((it) => [it.path, toRegistryValue(it.path, it.newValue)])),
    expected: Object.fromEntries(twoWay.map((it) => [it.path, toRegistryValue(it.path, it.oldValue)])),
  };
};

/**
 * A member who registered in the portal, for a `create`: their whole profile. What membership is made of is the
 * registry's to say, and comes back with the new member.
 */
export const toRegistryCreate = (member: Member): RegistryFields =>
  Object.fromEntries(
    FIELD_PATHS.filter((path) => path.startsWith('profile.')).map((path) => [
      path,
      toRegistryValue(path, fieldOf(member, path)),
    ]),
  );

/**
 * Fields as the registry answers them (`current` of a conflict), in the portal's form.
 * @throws SyncError `member_invalid` for a path that does not go both ways, or a value that cannot be read: a guess
 *   here would decide a conflict.
 */
export const fromRegistryFields = (fields: Readonly<Record<string, unknown>>): Partial<FieldValues> => {
  const values: Partial<Record<FieldPath, unknown>> = {};
  for (const [path, value] of Object.entries(fields)) {
    if (!isTwoWayPath(path)) throw memberFault('current', 'names a field that is not mapped both ways');
    const read = rowOf(path).fromPortal(value);
    if (read === undefined || !isStorable(read)) throw memberFault(path, 'is not of the agreed form');
    values[path] = read;
  }
  return values as Partial<FieldValues>;
};
