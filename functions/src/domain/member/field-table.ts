import { z } from 'zod';
import { isStorableText, MAX_LIST_LENGTH, storableText, storableTime } from '../storable.ts';
import { normaliseAddresses, portalAddresses, readAddresses } from './addresses.ts';
import { type FieldKind, type FieldPath, type FieldRow, plainRow } from './fields.ts';
import { GENDERS, type Gender, HOUSING_SITUATIONS, type HousingSituation } from './member.ts';

/** With the invisible marks (`Cf`) that come along when a number is copied from a telephone. */
const SEPARATORS = /[\s\p{Pd}\p{Cf}()./]/gu;
const ICELANDIC = /^(?:(?:\+|00)?354)?(\d{7})$/;
const FOREIGN = /^(?:\+|00)([1-9]\d{4,14})$/;

/**
 * A telephone number in the portal's spelling:
 *
 * | written                                                     | becomes                                  |
 * |-------------------------------------------------------------|------------------------------------------|
 * | seven digits, behind `+354`, `00354`, `354` or nothing      | the seven digits                         |
 * | `+` or `00` and another country's number, of 5 to 15 digits | `+` and the digits                       |
 * | anything else                                               | as it stands: a person can still read it |
 *
 * Spaces, dashes, dots, slashes, brackets and invisible marks between the digits do not count.
 */
export const normalisePhone = (text: string): string => {
  const bare = text.replace(SEPARATORS, '');
  const icelandic = ICELANDIC.exec(bare)?.[1];
  if (icelandic !== undefined) return icelandic;
  const foreign = FOREIGN.exec(bare)?.[1];
  return foreign === undefined ? text : `+${foreign}`;
};

const nfc = (text: string): string => text.normalize('NFC');
const text = z.string();

/**
 * Text belongs to the registry and stands as it was written, byte for byte; only its comparison is in NFC. What the
 * portal holds is read whatever it is, since to read it as empty would look like an edit.
 */
const TEXT: FieldKind<string> = {
  empty: '',
  registry: storableText,
  portal: text,
  toRegistry: (value) => value,
  normalise: nfc,
};

/** Judged after the reading, which leaves out the marks of direction that telephones copy along. */
const storablePhone = text.transform(normalisePhone).pipe(storableText);

const PHONE: FieldKind<string> = {
  empty: '',
  registry: storablePhone,
  portal: text.transform(normalisePhone),
  toRegistry: (value) => value,
  normalise: (value) => normalisePhone(nfc(value)),
};

/** Stands as it was written, but a space or a 00 for the plus is no difference. */
const FOREIGN_PHONE: FieldKind<string> = {
  ...TEXT,
  registry: text
    .transform((written) => (isStorableText(written) ? written : normalisePhone(written)))
    .pipe(storableText),
  normalise: (value) => normalisePhone(nfc(value)),
};

/** Only true is consent: what is missing or cleared is none. */
const CONSENT: FieldKind<boolean> = {
  empty: false,
  registry: z.boolean(),
  portal: z.boolean(),
  toRegistry: (value) => value,
  normalise: (value) => value,
};

const BIRTHDAY: FieldKind<string | null> = {
  empty: null,
  registry: z.iso
    .date()
    .refine((date) => !date.startsWith('0000'), { error: 'lies outside the years 1 to 9999' }),
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

const INSTANT: FieldKind<Date | null> = {
  empty: null,
  registry: storableTime(instant),
  portal: z.union([z.date(), instant]),
  toRegistry: (value) => value?.toISOString() ?? null,
  normalise: (value) => value?.getTime() ?? null,
};

/** An empty name is no union and no title, and a name that comes twice is one. The registry's order is kept. */
const uniqueNames = (names: readonly (string | null | undefined)[]): string[] => [
  ...new Set(names.filter((name): name is string => typeof name === 'string' && name.trim() !== '')),
];

const NAMES: FieldKind<readonly string[]> = {
  empty: [],
  registry: z
    .array(z.looseObject({ name: storableText.nullable() }))
    .max(MAX_LIST_LENGTH)
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

const GENDER: FieldKind<Gender> = coded(GENDERS);
const HOUSING_SITUATION: FieldKind<HousingSituation> = coded(HOUSING_SITUATIONS);

/**
 * The one table that maps registry and portal, in both directions. The parser, differences, hashes and changes sent
 * to the registry are all read from it, so that a field can be mapped one way only by saying so here.
 *
 * The kennitala is no row: it is the document's key, read before everything else.
 */
export const FIELD_TABLE: { readonly [P in FieldPath]: FieldRow<P> } = {
  'profile.name': plainRow('profile.name', 'from-registry', ['name'], TEXT),
  'profile.birthday': plainRow('profile.birthday', 'from-registry', ['birthday'], BIRTHDAY),
  'profile.email': plainRow('profile.email', 'both', ['contact_info.email', 'email'], TEXT),
  'profile.phone': plainRow('profile.phone', 'both', ['contact_info.phone', 'phone'], PHONE),
  'profile.foreign_phone': plainRow(
    'profile.foreign_phone',
    'both',
    ['contact_info.foreign_phone', 'foreign_phone'],
    FOREIGN_PHONE,
  ),
  'profile.facebook': plainRow('profile.facebook', 'both', ['contact_info.facebook', 'facebook'], TEXT),
  'profile.gender': plainRow('profile.gender', 'from-registry', ['gender'], GENDER),
  'profile.housing_situation': plainRow(
    'profile.housing_situation',
    'from-registry',
    ['housing_situation'],
    HOUSING_SITUATION,
  ),
  'profile.reachable': plainRow('profile.reachable', 'both', ['reachable'], CONSENT),
  'profile.groupable': plainRow('profile.groupable', 'both', ['groupable'], CONSENT),
  // A change carries the portal's own list: the registry's address columns are not the portal's business.
  'profile.addresses': {
    portalPath: 'profile.addresses',
    direction: 'both',
    empty: [],
    toPortal: readAddresses,
    toRegistry: (addresses) => addresses.map((address) => ({ ...address })),
    fromPortal: (value) => (value === null ? [] : portalAddresses.safeParse(value).data),
    normalise: normaliseAddresses,
  },
  // Said by the action of a change, not by a value: whoever the registry lists is active.
  'membership.status': {
    portalPath: 'membership.status',
    direction: 'from-registry',
    empty: 'active',
    toPortal: () => undefined,
    toRegistry: (status) => status,
    fromPortal: (value) => (value === 'active' ? 'active' : 'inactive'),
    normalise: (status) => status,
  },
  'membership.date_joined': plainRow('membership.date_joined', 'from-registry', ['date_joined'], INSTANT),
  'membership.unions': plainRow('membership.unions', 'from-registry', ['unions'], NAMES),
  'membership.titles': plainRow('membership.titles', 'from-registry', ['titles'], NAMES),
};

/** In the table's order, which is the order of differences and of what is hashed. */
export const FIELD_PATHS = Object.keys(FIELD_TABLE) as readonly FieldPath[];

/** Whether a member may edit the field, so that its value also goes back to the registry. */
export const isTwoWayPath = (path: string): path is FieldPath =>
  Object.hasOwn(FIELD_TABLE, path) && FIELD_TABLE[path as FieldPath].direction === 'both';

/** The paths that the rules let a member's client write. */
export const portalEditPaths: readonly FieldPath[] = FIELD_PATHS.filter(isTwoWayPath);

export const rowOf = <P extends FieldPath>(path: P): FieldRow<P> => FIELD_TABLE[path];
