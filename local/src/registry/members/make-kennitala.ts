import { below, fraction } from './random.ts';

const WEIGHTS = [3, 2, 7, 6, 5, 4, 3, 2] as const;
const FIRST_BIRTH = Date.UTC(1925, 0, 1);
const BIRTH_DAYS = Math.floor((Date.UTC(2010, 11, 31) - FIRST_BIRTH) / 86_400_000) + 1;

/** Share of members with a system number (kerfiskennitala), which starts with 8 or 9 and carries no date. */
const SYSTEM_SHARE = 0.005;
/** Share whose ninth digit is not a mod-11 check digit, as Registers Iceland issues them since 2026-02-18. */
const UNCHECKED_SHARE = 0.3;
/** After so many collisions the check digit is given up: that space is ten times larger, so the search ends. */
const CHECKED_ATTEMPTS = 6;

/**
 * A made-up kennitala as a number below 10^10 (leading zeros are lost; `spellKennitala` restores them).
 *
 * It cannot be a living person's: Registers Iceland numbers the people of one day from 20 up, and digits seven and
 * eight here stay below 20. 1930-01-01 is left out, since the registry's own test persons were "born" on it.
 */
export const makeKennitalaNumber = (seed: number, index: number, attempt: number): number => {
  const position = index * 64 + attempt;
  if (fraction(seed, index, 1) < SYSTEM_SHARE) return makeSystemNumber(seed, position);
  const checked = attempt < CHECKED_ATTEMPTS && fraction(seed, index, 2) >= UNCHECKED_SHARE;
  for (let retry = 0; ; retry += 1) {
    const salt = 10 + retry * 4;
    const born = new Date(FIRST_BIRTH + below(BIRTH_DAYS, seed, position, salt) * 86_400_000);
    const day = born.getUTCDate();
    const month = born.getUTCMonth() + 1;
    const year = born.getUTCFullYear();
    if (year === 1930 && month === 1 && day === 1) continue;
    const sequence = below(20, seed, position, salt + 1);
    const eight = ((day * 100 + month) * 100 + (year % 100)) * 100 + sequence;
    const ninth = checked ? checkDigit(eight) : below(10, seed, position, salt + 2);
    if (ninth === null) continue;
    return (eight * 10 + ninth) * 10 + (year < 2000 ? 9 : 0);
  }
};

/** Ten digits. */
export const spellKennitala = (number: number): string => String(number).padStart(10, '0');

/** Ten digits with a hyphen after the sixth, the other spelling in use. */
export const hyphenate = (kennitala: string): string => `${kennitala.slice(0, 6)}-${kennitala.slice(6)}`;

/** A number that marks a duplicate in the registry and is no member. */
export const makePlaceholderNumber = (n: number): number => 9_999_000_000 + n;

/** The birth date that a person's number carries, "YYYY-MM-DD"; null for a system number. */
export const birthdayOf = (kennitala: string): string | null => {
  if (kennitala >= '8') return null;
  const century = kennitala.endsWith('9') ? '19' : '20';
  return `${century}${kennitala.slice(4, 6)}-${kennitala.slice(2, 4)}-${kennitala.slice(0, 2)}`;
};

const makeSystemNumber = (seed: number, position: number): number => {
  const number = 8_000_000_000 + below(2_000_000_000, seed, position, 3);
  // 9999… would read as a placeholder.
  return number >= 9_999_000_000 ? number - 1_000_000_000 : number;
};

/** The mod-11 digit for the first eight; null when none exists (remainder 1), and such a number was never issued. */
const checkDigit = (eight: number): number | null => {
  let sum = 0;
  let rest = eight;
  for (let place = 7; place >= 0; place -= 1) {
    sum += (rest % 10) * (WEIGHTS[place] ?? 0);
    rest = Math.floor(rest / 10);
  }
  const digit = (11 - (sum % 11)) % 11;
  return digit === 10 ? null : digit;
};
