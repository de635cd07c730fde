import { z } from 'zod';
import { holdsKennitala } from './kennitala.ts';

/**
 * What every store holds, and every reader may be shown. PostgreSQL refuses NUL and half characters, Firestore half
 * characters, documents over 1 MiB and times outside the years 1 to 9999; a terminal, a mail program or a browser may
 * obey the other controls, and marks of direction or of no width make one text look like another. A value that is
 * refused here by the parsers never reaches a store that would refuse it, where one member would hold up all others.
 *
 * | refused                                                        | why                                          |
 * |----------------------------------------------------------------|----------------------------------------------|
 * | half of a surrogate pair                                       | is no text: Firestore, PostgreSQL            |
 * | U+0000–001F and U+007F–009F but tab, line feed, carriage return | PostgreSQL (NUL), terminals                  |
 * | marks, embeddings, overrides and isolates of direction         | the text reads otherwise than it is          |
 * | characters of no width                                         | two texts that differ look the same          |
 * | more than 1,000 UTF-16 units, or 50 entries of a list          | a member of the longest texts stays below 1 MiB |
 *
 * U+200C and U+200D stay where they spell something: within an emoji, and in scripts that join their letters.
 */
export const MAX_TEXT_LENGTH = 1_000;
export const MAX_LIST_LENGTH = 50;

const CONTROLS = '\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f';
const DIRECTION = '\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u206f';
const NO_WIDTH = '\\u180e\\u200b\\u2060-\\u2065\\ufeff\\ufff9-\\ufffb\\u{e0001}';
const BEFORE_EMOJI_JOINER = '[\\p{Extended_Pictographic}\\p{Emoji_Modifier}\\ufe0f]';
const JOINED_SCRIPT = '(?![\\p{sc=Latin}\\p{sc=Greek}\\p{sc=Cyrillic}\\p{sc=Inherited}])[\\p{L}\\p{M}]';
const UNSTORABLE = new RegExp(
  `[${CONTROLS}${DIRECTION}${NO_WIDTH}]|(?<!${BEFORE_EMOJI_JOINER}|${JOINED_SCRIPT})[\\u200c\\u200d]`,
  'u',
);

/** Whether the text may be kept and shown as it is. Says nothing about what it means. */
export const isStorableText = (text: string): boolean =>
  text.length <= MAX_TEXT_LENGTH && text.isWellFormed() && !UNSTORABLE.test(text);

const FIRST_INSTANT = Date.parse('0001-01-01T00:00:00Z');
const LAST_INSTANT = Date.parse('9999-12-31T23:59:59.999Z');

/** Years 1 to 9999 in UTC: what a Firestore Timestamp holds, and what every client can write with four digits. */
export const isStorableTime = (time: Date): boolean =>
  time.getTime() >= FIRST_INSTANT && time.getTime() <= LAST_INSTANT;

/**
 * Whether a whole value may be kept: every text and key in it, every time, every list. For values that were put together
 * elsewhere, such as an edit that a member's client wrote.
 */
export const isStorable = (value: unknown): boolean => {
  if (typeof value === 'string') return isStorableText(value);
  if (typeof value === 'number') return Number.isFinite(value);
  if (value instanceof Date) return isStorableTime(value);
  if (Array.isArray(value)) return value.length <= MAX_LIST_LENGTH && value.every(isStorable);
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, inner]) => isStorableText(key) && isStorable(inner));
};

/** Text as the registry or a client sends it, refused unless storable. */
export const storableText = z.string().refine(isStorableText, { error: 'cannot be stored as it is written' });

/** A time on the wire that is not storable, though its form is right. */
export const storableTime = <T extends z.ZodType<Date>>(schema: T) =>
  schema.refine(isStorableTime, { error: 'lies outside the years 1 to 9999' });

/** Begins the identity of whoever called with a key, which several people may hold: it proves no person. */
export const SHARED_KEY = 'api-key ';

/**
 * Texts that an operator types: reasons, and the name under which something is approved. They stand in records for a year,
 * in alerts and on screens; so nobody's number gets in. Another person's name cannot be told from other words: that none
 * belongs there is said where the text is asked for.
 *
 * @param what Said of a text that is refused: `a reason in words`.
 */
export const operatorText = (what: string, max: number) =>
  z
    .string()
    .trim()
    .min(1, { error: what })
    .max(max, { error: `${what}, of at most ${max} characters` })
    .refine((text) => isStorableText(text) && !/[\r\n]/.test(text), { error: `${what}, on one line` })
    .refine((text) => !holdsKennitala(text), { error: `${what}, without anybody's number` });
