import { z } from 'zod';
import type { FieldKind } from './field-row.ts';
import { GENDERS, type Gender, HOUSING_SITUATIONS, type HousingSituation } from './member.ts';
import { normalisePhone } from './phone.ts';

const nfc = (text: string): string => text.normalize('NFC');
const text = z.string();

/** Text belongs to the registry and stands as it was written, byte for byte; only its comparison is in NFC. */
export const TEXT: FieldKind<string> = {
  empty: '',
  registry: text,
  portal: text,
  toRegistry: (value) => value,
  normalise: nfc,
};

const normalisedPhone = text.transform(normalisePhone);

export const PHONE: FieldKind<string> = {
  empty: '',
  registry: normalisedPhone,
  portal: normalisedPhone,
  toRegistry: (value) => value,
  normalise: (value) => normalisePhone(nfc(value)),
};

/** Stands as it was written, but a space or a 00 for the plus is no difference. */
export const FOREIGN_PHONE: FieldKind<string> = { ...TEXT, normalise: (value) => normalisePhone(nfc(value)) };

/** Only true is consent: what is missing or cleared is none. */
export const CONSENT: FieldKind<boolean> = {
  empty: false,
  registry: z.boolean(),
  portal: z.boolean(),
  toRegistry: (value) => value,
  normalise: (value) => value,
};

export const BIRTHDAY: FieldKind<string | null> = {
  empty: null,
  registry: z.iso.date(),
  portal: z.union([z.iso.date(), z.literal('').transform(() => null)]),
  toRegistry: (value) => value,
  normalise: (value) => value,
};

/**
 * A date, or a date and time. A date alone is its midnight, and a time without an offset is Iceland's own: both are
 * UTC, which Iceland has kept all year since 1968.
 */
const instant = z
  .union([
    z.iso.date(),
    z.iso.datetime({ offset: true }),
    z.iso.datetime({ local: true }).transform((t) => `${t}Z`),
  ])
  .transform((written) => new Date(written));

export const INSTANT: FieldKind<Date | null> = {
  empty: null,
  registry: instant,
  portal: z.union([z.date(), instant]),
  toRegistry: (value) => value?.toISOString() ?? null,
  normalise: (value) => value?.getTime() ?? null,
};

/** An empty name is no union and no title, and a name that comes twice is one. The registry's order is kept. */
const uniqueNames = (names: readonly (string | null | undefined)[]): string[] => [
  ...new Set(names.filter((name): name is string => typeof name === 'string' && name.trim() !== '')),
];

export const NAMES: FieldKind<readonly string[]> = {
  empty: [],
  registry: z
    .array(z.looseObject({ name: text.nullable() }))
    .transform((rows) => uniqueNames(rows.map((row) => row.name))),
  portal: z.array(text).transform(uniqueNames),
  toRegistry: (names) => names,
  normalise: (names) => [...new Set(names.map(nfc))].sort(),
};

/** The registry's number is the name's index. One that is not in the table is a fault, never "unknown". */
const coded = <T extends string>(names: readonly [T, ...T[]]): FieldKind<T> => {
  const nameOf = (code: number): T => names[code] ?? names[0];
  return {
    empty: names[0],
    registry: z
      .int()
      .min(0)
      .max(names.length - 1)
      .transform(nameOf),
    portal: z.literal([...names]),
    toRegistry: (name) => name,
    normalise: (name) => name,
  };
};

export const GENDER: FieldKind<Gender> = coded(GENDERS);
export const HOUSING_SITUATION: FieldKind<HousingSituation> = coded(HOUSING_SITUATIONS);
