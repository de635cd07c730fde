export type Language = 'is' | 'en';
export interface Format {
  number(value: number | null | undefined): string;
  /** An amount of which the first two digits say enough, such as 0.00013. */
  roughly(value: number): string;
  time(iso: string | null | undefined): string;
  /** A day of a chart: `20 Nov`. */
  day(date: Date): string;
  duration(milliseconds: number | null | undefined): string;
  /** How long ago, roughly, in one unit: `3 days ago`. */
  ago(seconds: number): string;
}

type Unit = 'millisecond' | 'second' | 'minute' | 'hour' | 'day';

const ENGLISH = 'en-GB';

/** Icelandic time, which is UTC all the year, wherever the operator sits: the schedules are in it. */
export const makeFormat = (language: Language): Format => {
  const isIcelandic = language === 'is';
  const numbers = new Intl.NumberFormat(isIcelandic ? NUMBERS_LIKE : ENGLISH, { maximumFractionDigits: 1 });
  const rough = new Intl.NumberFormat(isIcelandic ? NUMBERS_LIKE : ENGLISH, { maximumSignificantDigits: 2 });
  const times = new Intl.DateTimeFormat(ENGLISH, {
    dateStyle: 'medium',
    timeStyle: 'short',
    timeZone: 'UTC',
  });
  const days = new Intl.DateTimeFormat(ENGLISH, { day: 'numeric', month: 'short', timeZone: 'UTC' });
  const timeOf = isIcelandic ? icelandicTime : (date: Date) => times.format(date);
  const inUnit = (value: number, unit: Unit): string =>
    isIcelandic
      ? `${numbers.format(value)} ${icelandicUnit(value, unit)}`
      : new Intl.NumberFormat(ENGLISH, {
          style: 'unit',
          unit,
          unitDisplay: 'long',
          maximumFractionDigits: 1,
        }).format(value);
  return {
    number: (value) => (value === null || value === undefined ? '–' : numbers.format(value)),
    roughly: (value) => rough.format(value),
    time: (iso) => (iso === null || iso === undefined ? '–' : timeOf(new Date(iso))),
    day: isIcelandic ? icelandicDay : (date) => days.format(date),
    duration: (ms) => {
      if (ms === null || ms === undefined) return '–';
      return ms < 1_000 ? inUnit(Math.round(ms), 'millisecond') : inUnit(ms / 1_000, 'second');
    },
    ago: (seconds) => {
      const [value, unit] = roughAge(seconds);
      return isIcelandic
        ? `fyrir ${numbers.format(value)} ${icelandicAgo(value, unit)}`
        : `${inUnit(value, unit)} ago`;
    },
  };
};

/**
 * Chromium carries no Icelandic names of months and units ("2026 M11 20"), so they stand here. Numbers are written as in
 * German: 2.216,5.
 */
const NUMBERS_LIKE = 'de-DE';

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

const roughAge = (seconds: number): [number, Unit] => {
  if (seconds < 60) return [Math.round(seconds), 'second'];
  if (seconds < 3_600) return [Math.round(seconds / 60), 'minute'];
  if (seconds < 2 * 86_400) return [Math.round(seconds / 3_600), 'hour'];
  return [Math.round(seconds / 86_400), 'day'];
};

/** In the dative, which follows "fyrir". */
const AGO = {
  millisecond: ['millisekúndu', 'millisekúndum'],
  second: ['sekúndu', 'sekúndum'],
  minute: ['mínútu', 'mínútum'],
  hour: ['klukkustund', 'klukkustundum'],
  day: ['degi', 'dögum'],
} as const;

const UNITS = {
  millisecond: ['millisekúnda', 'millisekúndur'],
  second: ['sekúnda', 'sekúndur'],
  minute: ['mínúta', 'mínútur'],
  hour: ['klukkustund', 'klukkustundir'],
  day: ['dagur', 'dagar'],
} as const;

/** `20. nóv.`, in UTC, which Iceland keeps all the year. */
const icelandicDay = (date: Date): string => `${date.getUTCDate()}. ${MONTHS[date.getUTCMonth()]}`;

/** `20. nóv. 2026 16:20` */
const icelandicTime = (date: Date): string =>
  `${icelandicDay(date)} ${date.getUTCFullYear()} ${date.toISOString().slice(11, 16)}`;

/** One, twenty-one, … take the singular; eleven does not. */
const isSingular = (value: number): boolean =>
  Number.isInteger(value) && value % 10 === 1 && value % 100 !== 11;

const icelandicUnit = (value: number, unit: Unit): string => UNITS[unit][isSingular(value) ? 0 : 1];

const icelandicAgo = (value: number, unit: Unit): string => AGO[unit][isSingular(value) ? 0 : 1];

/** Rows for a spreadsheet, which takes what begins with = + - or @ for a formula: such a cell begins with an apostrophe. */
export const toCsv = (rows: readonly (readonly string[])[]): string =>
  rows.map((cells) => cells.map(toCell).join(';')).join('\r\n');

const toCell = (text: string): string =>
  `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
