import { type Kennitala, tryKennitala } from './kennitala.ts';

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
