/**
 * Chromium carries no Icelandic names of months and units ("2026 M11 20"), so they stand here. Numbers are written as in
 * German: 2.216,5.
 */
export const NUMBERS_LIKE = 'de-DE';

const MONTHS = [
  'jan.',
  'feb.',
  'mars',
  'apríl',
  'maí',
  'júní',
  'júlí',
  'ágúst',
  'sept.',
  'okt.',
  'nóv.',
  'des.',
] as const;

const UNITS = {
  millisecond: ['millisekúnda', 'millisekúndur'],
  second: ['sekúnda', 'sekúndur'],
  minute: ['mínúta', 'mínútur'],
  hour: ['klukkustund', 'klukkustundir'],
  day: ['dagur', 'dagar'],
} as const;

/** `20. nóv.`, in UTC, which Iceland keeps all the year. */
export const icelandicDay = (date: Date): string => `${date.getUTCDate()}. ${MONTHS[date.getUTCMonth()]}`;

/** `20. nóv. 2026 16:20` */
export const icelandicTime = (date: Date): string =>
  `${icelandicDay(date)} ${date.getUTCFullYear()} ${date.toISOString().slice(11, 16)}`;

/** One, twenty-one, … take the singular; eleven does not. */
export const icelandicUnit = (value: number, unit: keyof typeof UNITS): string => {
  const isOne = Number.isInteger(value) && value % 10 === 1 && value % 100 !== 11;
  return UNITS[unit][isOne ? 0 : 1];
};
