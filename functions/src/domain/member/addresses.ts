import { z } from 'zod';
import { MAX_LIST_LENGTH, storableText as text } from '../storable.ts';
import { type Address, ICELAND, memberFault } from './member.ts';
import { readAt, sayingAt, type Wire } from './wire.ts';

const part = z.union([z.string(), z.number().transform(String)]).nullish();
const numberOrText = z.union([z.int().nonnegative(), z.string()]).nullish();

/**
 * As members' clients and earlier versions of the portal write one: parts may be missing, and numbers and texts may
 * stand for each other.
 */
const portalAddress = z
  .looseObject({
    street: part,
    number: numberOrText,
    letter: part,
    postal_code: numberOrText,
    city: part,
    country: part,
    is_default: z.boolean().nullish(),
  })
  .transform(
    (written): Address => ({
      ...withHouseNumber(written.street ?? '', written.number ?? '', written.letter ?? ''),
      postal_code: String(written.postal_code ?? ''),
      city: written.city ?? '',
      country: written.country ?? ICELAND,
      is_default: written.is_default ?? false,
    }),
  );

export const portalAddresses = z.array(portalAddress);

/**
 * Equal for lists that mean the same: the order of addresses carries nothing, the default is marked. Texts are
 * compared in NFC.
 */
export const normaliseAddresses = (addresses: readonly Address[]): string[] =>
  addresses
    .map(({ street, number, letter, postal_code, city, country, is_default }) =>
      JSON.stringify([street, number, letter, postal_code, city, country, is_default]).normalize('NFC'),
    )
    .sort();

type Street = Pick<Address, 'street' | 'number' | 'letter'>;

/** Words without a digit, one house number, at most one letter. */
const SAFE = /^(\D*[^\d\s])\s+([1-9]\d{0,4})(?:\s?(\p{L}))?$/u;

/**
 * "Laugavegur 1" or "Laugavegur 1a" in its parts. A text that could be read in two ways ("Laugavegur 1-3",
 * "2. gata 5", a floor behind a comma) stays whole in `street`: nothing of it is lost.
 */
export const parseStreetAddress = (text: string): Street => {
  const parts = SAFE.exec(text.trim());
  const [, street, number, letter] = parts ?? [];
  if (street === undefined || number === undefined) return { street: text, number: null, letter: '' };
  return { street, number: Number(number), letter: letter ?? '' };
};

/**
 * A house number as the registry or a member's client writes it: a number, or its digits as text. Any other text
 * ("1-3") joins the street, so that it is neither lost nor guessed at.
 */
export const withHouseNumber = (street: string, number: number | string, letter: string): Street => {
  if (typeof number === 'number') return { street, number, letter };
  const text = number.trim();
  if (text === '') return { street, number: null, letter };
  if (/^(?:0|[1-9]\d{0,4})$/.test(text)) return { street, number: Number(text), letter };
  return { street: `${street} ${text}`.trim(), number: null, letter };
};

export type LocalAddress = Omit<Address, 'country' | 'is_default'>;

/** What the registry said about a member's addresses; a part that it did not mention is missing here. */
export interface AddressPatch {
  /** null: there is none any more. */
  readonly local?: Partial<LocalAddress> | null;
  /** The whole list; `is_default` marks the current one. */
  readonly foreign?: readonly Address[];
}

/** The registry's column is a number, and 0 stands for none in it. */
const postalCode = z
  .union([z.int().nonnegative(), text])
  .transform((code) => (code === 0 ? '' : String(code)));
const houseNumber = z.union([z.int().nonnegative(), text]);
const streetAddress = text.transform(parseStreetAddress);
const NO_STREET = parseStreetAddress('');

const foreignAddress = z
  .looseObject({
    country: z.union([z.int().nonnegative(), z.literal('')]).nullish(),
    // Listed without the mark: the registry keeps it, so it counts as current.
    current: z.boolean().nullable().default(true),
    municipality: text.nullish(),
    postal_code: postalCode.nullish(),
    address: text.nullish(),
  })
  .transform(
    (sent): Address => ({
      street: sent.address ?? '',
      number: null,
      letter: '',
      postal_code: sent.postal_code ?? '',
      city: sent.municipality ?? '',
      country: String(sent.country ?? ''),
      is_default: sent.current === true,
    }),
  );
const foreignAddresses = z.array(foreignAddress).max(MAX_LIST_LENGTH);

/**
 * Reads both spellings: `local_address` and `foreign_addresses`, or `street_address`, `postal_code` and `city`.
 * @throws SyncError `member_invalid`
 */
export const readAddresses = (wire: Wire): AddressPatch | undefined => {
  const local = readLocal(wire);
  const foreign = readAt(wire, ['foreign_addresses'], foreignAddresses, []);
  if (local === undefined && foreign === undefined) return undefined;
  return { ...(local !== undefined && { local }), ...(foreign !== undefined && { foreign }) };
};

const readLocal = (wire: Wire): Partial<LocalAddress> | null | undefined => {
  const said = sayingAt(wire, 'local_address');
  if (said.is === 'cleared') return null;
  return said.is === 'absent' ? readFlat(wire) : readNested(wire);
};

const readNested = (wire: Wire): Partial<LocalAddress> => {
  const street = readAt(wire, ['local_address.street'], text, '');
  const number = readAt<number | string>(wire, ['local_address.number'], houseNumber, '');
  const letter = readAt(wire, ['local_address.letter'], text, '');
  const placed = number === undefined ? undefined : withHouseNumber(street ?? '', number, letter ?? '');
  // A number such as "1-3" joins the street: without its street there is nowhere to keep it.
  if (street === undefined && placed !== undefined && placed.street !== '') {
    throw memberFault('local_address.number', 'is not a whole number and comes without its street');
  }
  return {
    ...(street !== undefined && { street: placed?.street ?? street }),
    ...(placed !== undefined && { number: placed.number }),
    ...(letter !== undefined && { letter }),
    ...readPlace(wire, 'local_address.'),
  };
};

const readFlat = (wire: Wire): Partial<LocalAddress> | undefined => {
  const street = readAt(wire, ['street_address'], streetAddress, NO_STREET);
  const place = readPlace(wire, '');
  return street === undefined && Object.keys(place).length === 0 ? undefined : { ...street, ...place };
};

const readPlace = (wire: Wire, prefix: string): Partial<LocalAddress> => {
  const code = readAt(wire, [`${prefix}postal_code`], postalCode, '');
  const city = readAt(wire, [`${prefix}city`], text, '');
  return { ...(code !== undefined && { postal_code: code }), ...(city !== undefined && { city }) };
};
