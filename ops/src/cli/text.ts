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
