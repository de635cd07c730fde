/**
 * Randomness by position instead of by sequence: the same (seed, position, salt) always gives the same number, so any
 * one of a million members can be made alone, in any order. The mixing is MurmurHash3's 32-bit finaliser.
 */
const mix = (seed: number, position: number, salt: number): number => {
  let hash = seed ^ Math.imul(position + 1, 0x9e3779b1) ^ Math.imul(salt + 1, 0x85ebca77);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  // A second round: with one, neighbouring positions under the same salt stay visibly related.
  hash = Math.imul(hash ^ (hash >>> 16) ^ salt, 0x7feb352d);
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
  return (hash ^ (hash >>> 16)) >>> 0;
};

/** A fraction in [0, 1). */
export const fraction = (seed: number, position: number, salt: number): number =>
  mix(seed, position, salt) / 0x1_0000_0000;

/** A whole number in [0, limit). */
export const below = (limit: number, seed: number, position: number, salt: number): number =>
  Math.floor(fraction(seed, position, salt) * limit);

/** One entry of a list that is known not to be empty. */
export const pick = <T>(list: readonly [T, ...T[]], seed: number, position: number, salt: number): T =>
  list[below(list.length, seed, position, salt)] ?? list[0];

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

const makeSystemNumber = (seed: number, position: number): number => {
  const number = 8_000_000_000 + below(2_000_000_000, seed, position, 3);
  // 9999… would read as a placeholder.
  return number >= 9_999_000_000 ? number - 1_000_000_000 : number;
};

/** The mod-11 digit for the first eight; null when none exists (remainder 1), and such a number was never issued. */
const checkDigit = (eight: number): number | null => {
  const digits = [...String(eight).padStart(8, '0')].map(Number);
  const sum = WEIGHTS.reduce((total, weight, place) => total + weight * (digits[place] ?? 0), 0);
  const digit = (11 - (sum % 11)) % 11;
  return digit === 10 ? null : digit;
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

/**
 * The kennitala of every row, unique, and the way back from a kennitala to its row. Rows are never removed.
 * @param placeholders rows from `from` on, so many of them, are 9999… placeholders instead of members
 */
export const makeKennitalaTable = (
  seed: number,
  placeholders: { readonly from: number; readonly count: number },
) => {
  // Numbers and not texts: a million rows take a third of the memory.
  const numbers: number[] = [];
  const rows = new Map<number, number>();

  const numberAt = (index: number, attempt: number): number => {
    const placeholder = index - placeholders.from;
    return placeholder >= 0 && placeholder < placeholders.count
      ? makePlaceholderNumber(placeholder + 1)
      : makeKennitalaNumber(seed, index, attempt);
  };
  const add = (): void => {
    let attempt = 0;
    while (rows.has(numberAt(numbers.length, attempt))) attempt += 1;
    rows.set(numberAt(numbers.length, attempt), numbers.length);
    numbers.push(numberAt(numbers.length, attempt));
  };

  return {
    get size() {
      return numbers.length;
    },
    /** Ten digits. */
    at: (index: number): string => {
      const number = numbers[index];
      if (number === undefined) throw new RangeError(`There is no row ${index} in ${numbers.length}.`);
      return spellKennitala(number);
    },
    /** The row of ten digits with or without a hyphen; null when no row has them. */
    find: (kennitala: string): number | null => {
      const digits = /^(\d{6})-?(\d{4})$/.exec(kennitala);
      return digits === null ? null : (rows.get(Number(`${digits[1]}${digits[2]}`)) ?? null);
    },
    /** Adds rows until there are `size`. */
    growTo: (size: number): void => {
      while (numbers.length < size) add();
    },
  };
};
