import { parseKennitala as readKennitala } from 'is-kennitala';

declare const kennitalaBrand: unique symbol;

/**
 * Ten digits, no hyphen. Made only by this file, and by `kennitala-list.ts` back from what it was given; a raw string
 * never reaches a store.
 */
export type Kennitala = string & { readonly [kennitalaBrand]: true };

const TEN_DIGITS = /^\d{10}$/;

/**
 * Ten bare digits that `is-kennitala` surely accepts as they are: a system number, or a date as loose as its own and
 * one of its centuries. It only spares the library's work on a list of a million; whatever does not match here is
 * judged by the library, so this may say no too often but never yes too often.
 */
const SURELY_READABLE = /^(?:[89]\d{9}|(?:[012456]\d|[37][01])(?:0\d|1[012])\d{5}[089])$/;

/**
 * Reads a kennitala as people and old systems write it: ten digits, with an optional hyphen or space after the
 * sixth and space around. Returns null when it cannot be read; it never guesses (nine digits are not padded).
 *
 * The check digit is not tested: since 2026-02-18 Registers Iceland issues numbers without a computed one. The date
 * is tested loosely, as numbers such as 31 February 1969 exist. The registry's published test persons are accepted.
 */
export const tryKennitala = (text: string): Kennitala | null => {
  if (SURELY_READABLE.test(text)) return text as Kennitala;
  const read = readKennitala(text, { robot: true });
  return read === undefined ? null : (read.value as string as Kennitala);
};

/** True for what is already in canonical form and readable: ten digits, nothing around. */
export const isKennitala = (text: string): text is Kennitala =>
  TEN_DIGITS.test(text) && readKennitala(text, { robot: true, clean: 'none' }) !== undefined;

/** The ten digits as a number, which is exact: far below 2^53. `kennitala-list.ts` holds and gives back such numbers. */
export const toNumber = (kennitala: Kennitala): number => Number(kennitala);

/** Placeholders start with 9999: the registry marks duplicates so. They are no members. */
export const isPlaceholder = (kennitala: Kennitala): boolean => kennitala.startsWith('9999');

/** System numbers (kerfiskennitala) start with 8 or 9 and carry no date. They belong to people: members. */
export const isSystemNumber = (kennitala: Kennitala | number): boolean => Number(kennitala) >= 8_000_000_000;

/** Legal entities have 40 added to the day. None should be a member: a person must look, no program drops one. */
export const isLegalEntity = (kennitala: Kennitala | number): boolean => {
  const number = Number(kennitala);
  return number >= 4_000_000_000 && number < 8_000_000_000;
};

/**
 * A number that reads as a date but is none: day 00, month 00, 31 April. The registry has some, people with them are
 * members, and a person must look. 29 February is a day in any year here, since the century may be misprinted too.
 */
export const hasImpossibleDate = (kennitala: Kennitala | number): boolean => {
  if (isSystemNumber(kennitala)) return false;
  const dayAndMonth = Math.floor(Number(kennitala) / 1_000_000);
  const day = Math.floor(dayAndMonth / 100) % 40;
  const longest = LONGEST_DAYS[(dayAndMonth % 100) - 1];
  return longest === undefined || day < 1 || day > longest;
};

const LONGEST_DAYS: readonly number[] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/** What is wrong with a text that `tryKennitala` refuses, for whoever typed it. */
export type KennitalaFault = 'digits' | 'date' | 'century' | 'other';

export const kennitalaFault = (text: string): KennitalaFault => {
  const digits = text.trim().replace(/^(\d{6})[- ](\d{4})$/, '$1$2');
  if (!TEN_DIGITS.test(digits)) return 'digits';
  const day = Number(digits.slice(0, 2)) % 40;
  const month = Number(digits.slice(2, 4));
  if (day < 1 || day > 31 || month < 1 || month > 12) return 'date';
  return /[890]$/.test(digits) ? 'other' : 'century';
};

/** Digits with at most three other marks between two of them, as a number is spelled: 010130-2989, 0101 302989. */
const DIGITS = /\d(?:[\s\p{Pd}\p{Cf}./_]{0,3}\d){9,}/gu;

const KENNITALA_DIGITS = 10;

/** Whether ten digits in the text are spelled as a kennitala, with hyphens or spaces or without, whoever's it is. */
export const holdsKennitala = (text: string): boolean =>
  [...text.normalize('NFKC').matchAll(DIGITS)].some(([found]) => {
    const digits = onlyDigits(found);
    return Array.from({ length: digits.length - KENNITALA_DIGITS + 1 }, (_, from) =>
      tryKennitala(digits.slice(from, from + KENNITALA_DIGITS)),
    ).some((kennitala) => kennitala !== null);
  });

/** Whether the text has this person's number, however spelled. */
export const namesKennitala = (text: string, kennitala: Kennitala): boolean =>
  onlyDigits(text.normalize('NFKC')).includes(kennitala);

/** Every way in which a document or a row may be keyed by a person: older systems wrote the hyphen. */
export const spellingsOf = (kennitala: Kennitala): string[] => [
  kennitala,
  ...['-', ' '].map((between) => `${kennitala.slice(0, 6)}${between}${kennitala.slice(6)}`),
];

const onlyDigits = (text: string): string => text.replaceAll(/\D/g, '');

/** One, within a line. */
const SPACE = '[^\\S\\r\\n]?';

/**
 * Whether a published file has the number anywhere: in each spelling that `readHeldList` reads, and also beside other
 * text in a line that it cannot read, since a file may have been edited by hand.
 */
export const holdsNumber = (bytes: Uint8Array, kennitala: Kennitala): boolean => {
  const separator = `${SPACE}[-–]?${SPACE}`;
  const number = new RegExp(`(?<!\\d)${kennitala.slice(0, 6)}${separator}${kennitala.slice(6)}(?!\\d)`);
  return number.test(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
};
