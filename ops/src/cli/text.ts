const number = new Intl.NumberFormat('en-GB');

export const shownNumber = (count: number | null | undefined): string =>
  count === null || count === undefined ? '-' : number.format(count);

/** `1 read`, `2,216 reads`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${shownNumber(count)} ${count === 1 ? one : many}`;

/** `2026-11-20 03:00`, UTC, which is Iceland's time all year. */
export const shownTime = (iso: string | null | undefined): string =>
  iso ? new Date(iso).toISOString().slice(0, 16).replace('T', ' ') : '-';

const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
] as const;

/** One unit, rounded down: `3 d`, `5 h`, `12 min`, `40 s`. */
export const shownAge = (seconds: number | null): string => {
  if (seconds === null) return '-';
  const unit = UNITS.find(([, size]) => seconds >= size);
  return unit === undefined ? `${Math.floor(seconds)} s` : `${Math.floor(seconds / unit[1])} ${unit[0]}`;
};

/** A code such as `last_run_failed` as words. */
export const asWords = (code: string): string => code.replaceAll('_', ' ').replaceAll('-', ' ');

/** As a shell reads it back. */
export const quoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/**
 * What a terminal obeys instead of showing: controls, line breaks too, marks of direction, characters of no width. A
 * reason, a name or a value with them could move the cursor, forge a line or hide one.
 */
const OBEYED = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * A text from outside as it may be printed: what would be obeyed stands as `\u001b`, as JSON writes it. Answers of the API,
 * of gcloud and messages of failures all pass through here.
 */
export const printable = (text: string): string =>
  text.replace(OBEYED, (obeyed) =>
    Array.from(
      { length: obeyed.length },
      (_, n) => `\\u${obeyed.charCodeAt(n).toString(16).padStart(4, '0')}`,
    ).join(''),
  );

/** The same for lines that we broke ourselves. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n');

/**
 * A file's text as it was sent: what comes from outside is escaped for the terminal, its line breaks too. Keys and lists hold no
 * other character that is.
 */
export const toFileText = (text: string): string => text.replaceAll('\\u000a', '\n');

/** Every text and key of an answer, printable. */
export const printableIn = <T>(value: T): T => {
  if (typeof value === 'string') return printable(value) as T;
  if (Array.isArray(value)) return value.map(printableIn) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [printable(key), printableIn(inner)]),
  ) as T;
};
