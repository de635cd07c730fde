import { type Kennitala, toNumber } from './kennitala.ts';

/** What an array of kennitalas and a compact list of them have in common. */
export interface KennitalaSequence extends Iterable<Kennitala> {
  readonly length: number;
  slice(from: number, until: number): readonly Kennitala[];
}

/**
 * Kennitalas held as numbers: 8 bytes each, where a string and its place in an array take 40. A function of 256 MiB
 * can hold the registry's list and the published one of a million members only so. Their order is that of the text,
 * since all have ten digits.
 */
export interface KennitalaList extends KennitalaSequence {
  readonly numbers: ArrayLike<number> & Iterable<number>;
}

/** Ten digits and LF. */
export const LINE_BYTES = 11;

/** The list of these numbers, which must have been made from kennitalas; they are not copied. */
export const listOfNumbers = (numbers: Float64Array | readonly number[]): KennitalaList => {
  const slice = (from: number, until: number): Kennitala[] => {
    const count = Math.max(0, Math.min(until, numbers.length) - from);
    const lines = Buffer.allocUnsafe(count * LINE_BYTES);
    writeLines(numbers, from, lines);
    const text = lines.toString('latin1');
    return Array.from(
      { length: count },
      (_, n) => text.slice(n * LINE_BYTES, n * LINE_BYTES + 10) as Kennitala,
    );
  };
  return {
    numbers,
    length: numbers.length,
    slice,
    *[Symbol.iterator]() {
      for (let from = 0; from < numbers.length; from += STRIDE) yield* slice(from, from + STRIDE);
    },
  };
};

/**
 * Fills `lines` with the numbers from `from` on, one a line: a twentieth of the time that a string for each takes.
 * Each is split in two, so that the digits are counted off in 32-bit integers.
 */
export const writeLines = (numbers: ArrayLike<number>, from: number, lines: Uint8Array): void => {
  for (let start = 0, n = from; start < lines.length; start += LINE_BYTES, n += 1) {
    const number = numbers[n] ?? 0;
    const upper = Math.floor(number / 100_000);
    writeFiveDigits(lines, start, upper);
    writeFiveDigits(lines, start + 5, number - upper * 100_000);
    lines[start + 10] = LF;
  }
};

/** Collects up to `capacity` kennitalas in any order and with repeats. */
export const makeKennitalaCollector = (capacity: number) => {
  const numbers = new Float64Array(capacity);
  let length = 0;
  let isAscending = true;
  return {
    add: (kennitala: Kennitala): void => {
      const number = toNumber(kennitala);
      if (length > 0 && number <= (numbers[length - 1] ?? 0)) isAscending = false;
      numbers[length] = number;
      length += 1;
    },
    /** What was added, ascending and without repeats. Ends the collecting. */
    finish: (): KennitalaList => {
      const added = numbers.subarray(0, length);
      return listOfNumbers(isAscending ? added : sortedUnique(added));
    },
  };
};

const STRIDE = 8_192;
const LF = 0x0a;
const ZERO = 0x30;

const writeFiveDigits = (bytes: Uint8Array, start: number, value: number): void => {
  let rest = value | 0;
  for (let position = start + 4; position >= start; position -= 1) {
    const tenth = (rest / 10) | 0;
    bytes[position] = ZERO + rest - tenth * 10;
    rest = tenth;
  }
};

/** Works in place. */
const sortedUnique = (numbers: Float64Array): Float64Array => {
  numbers.sort();
  let length = 0;
  for (const number of numbers) {
    if (length === 0 || numbers[length - 1] !== number) numbers[length++] = number;
  }
  return numbers.subarray(0, length);
};
