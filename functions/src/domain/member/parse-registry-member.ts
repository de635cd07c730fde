import { z } from 'zod';
import { isSyncError } from '../../lib/errors.ts';
import { type Kennitala, tryKennitala } from '../kennitala.ts';
import { isStorable } from '../storable.ts';
import { type DigestNumbers, tryDigest } from './digest.ts';
import { FIELD_PATHS, isTwoWayPath, rowOf } from './field-table.ts';
import {
  type FieldDifference,
  type FieldPath,
  type FieldValue,
  type FieldValues,
  fieldOf,
  type Json,
  type MemberPatch,
} from './fields.ts';
import { type Member, memberFault, memberVersion } from './member.ts';
import { isWire, readAt, sayingAt, type Wire } from './wire.ts';

export interface ParsedMember {
  /** May be a placeholder (9999…): whoever reads members decides what to do with those. */
  readonly kennitala: Kennitala;
  /** The registry's own row number; null when the message has none. */
  readonly djangoId: number | null;
  /** Grows with every change of the member; null from a registry that counts none. */
  readonly version: number | null;
  readonly content: MemberPatch;
  /** Of the member as it was sent; missing from a registry that makes none. */
  readonly digest?: DigestNumbers;
}

const KENNITALA_PATHS = ['ssn', 'kennitala'];

// Made once: making a schema costs more than a whole member's reading.
const rowNumber = z.int().nonnegative();

/**
 * Reads a member as the registry sends it, in either spelling and with or without a hyphen in the number. The content
 * is what the registry said and nothing else: a missing key gives no entry, null and "" give the empty value. Unknown
 * keys are left out.
 * @throws SyncError `member_invalid` naming the path of the first fault, never a value.
 */
export const parseRegistryMember = (json: unknown): ParsedMember => {
  if (!isWire(json)) throw memberFault('member', 'is not an object');
  const digest = readDigest(json);
  return {
    kennitala: parseKennitala(json),
    djangoId: readNumber(json, 'id', rowNumber),
    version: readNumber(json, 'version', memberVersion),
    content: parseContent(json),
    ...(digest !== null && { digest }),
  };
};

/** Null for what cannot be read as a member. */
export const tryParseRegistryMember = (json: unknown): ParsedMember | null => {
  try {
    return parseRegistryMember(json);
  } catch (cause) {
    if (isSyncError(cause, 'member_invalid')) return null;
    throw cause;
  }
};

const parseContent = (wire: Wire): MemberPatch => {
  const content: Partial<Record<FieldPath, unknown>> = {};
  for (const path of FIELD_PATHS) {
    const value = rowOf(path).toPortal(wire);
    if (value !== undefined) content[path] = value;
  }
  return content as MemberPatch;
};

const parseKennitala = (wire: Wire): Kennitala => {
  const [first, ...others] = KENNITALA_PATHS.flatMap((path) => {
    const said = sayingAt(wire, path);
    return said.is === 'value' ? [toKennitala(said.value, path)] : [];
  });
  if (first === undefined) throw memberFault('ssn', 'is missing');
  if (others.some((other) => other !== first)) throw memberFault('kennitala', 'is not the same as ssn');
  return first;
};

/** Only text is read: a JSON number has lost its leading zeros, and they are not guessed. */
const toKennitala = (value: unknown, path: string): Kennitala => {
  const kennitala = typeof value === 'string' ? tryKennitala(value) : null;
  if (kennitala === null) throw memberFault(path, 'is not a kennitala');
  return kennitala;
};

const readDigest = (wire: Wire): DigestNumbers | null => {
  const said = sayingAt(wire, 'digest');
  if (said.is !== 'value') return null;
  const digest = tryDigest(said.value);
  if (digest === null) throw memberFault('digest', 'is not of the agreed form');
  return digest;
};

const readNumber = (wire: Wire, path: string, schema: z.ZodType<number>): number | null =>
  readAt<number | null>(wire, [path], schema, null) ?? null;

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
