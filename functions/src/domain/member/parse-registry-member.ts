import { z } from 'zod';
import { type Kennitala, tryKennitala } from '../kennitala.ts';
import { type DigestNumbers, tryDigest } from './digest.ts';
import { FIELD_PATHS, rowOf } from './field-table.ts';
import type { FieldPath, MemberPatch } from './fields.ts';
import { memberFault, memberVersion } from './member.ts';
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
