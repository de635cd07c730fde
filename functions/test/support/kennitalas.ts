import * as fc from 'fast-check';
import type { Kennitala } from '../../src/domain/kennitala.ts';

const twoDigits = (least: number, most: number) =>
  fc.integer({ min: least, max: most }).map((n) => String(n).padStart(2, '0'));

/**
 * A person's number as nobody has it: a date, two digits below 20, where the registry's own begin, no computed check digit,
 * a century.
 */
const personKennitala = fc
  .tuple(
    twoDigits(1, 28),
    twoDigits(1, 12),
    twoDigits(0, 99),
    fc.integer({ min: 0, max: 199 }).map((n) => String(n).padStart(3, '0')),
    fc.constantFrom('9', '0'),
  )
  .map(([day, month, year, serial, century]) => `${day}${month}${year}${serial}${century}` as Kennitala);

const systemNumber = fc
  .integer({ min: 8_000_000_000, max: 9_998_999_999 })
  .map((n) => String(n) as Kennitala);

/** Generated numbers of members: people's, with and without a valid check digit, and system numbers. */
export const anyKennitala = fc.oneof(
  { weight: 9, arbitrary: personKennitala },
  { weight: 1, arbitrary: systemNumber },
);

/** `count` different numbers, ascending, the same at every call: DDMM and a serial that counts, of those that nobody has. */
export const makeKennitalas = (count: number, from = 0): Kennitala[] =>
  Array.from({ length: count }, (_, n) => numbered(from + n)).sort();

const numbered = (n: number): Kennitala => {
  const day = String((n % 28) + 1).padStart(2, '0');
  const month = String((Math.floor(n / 28) % 12) + 1).padStart(2, '0');
  const year = String(Math.floor(n / 336) % 100).padStart(2, '0');
  const serial = String(Math.floor(n / 33_600) % 200).padStart(3, '0');
  return `${day}${month}${year}${serial}9` as Kennitala;
};

/** One a line, every line ended. */
export const linesOf = (kennitalas: readonly string[]): string => kennitalas.map((k) => `${k}\n`).join('');
