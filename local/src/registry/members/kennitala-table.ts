import { makeKennitalaNumber, makePlaceholderNumber, spellKennitala } from './make-kennitala.ts';

/**
 * The kennitala of every row, unique, and the way back from a kennitala to its row. Rows are never removed.
 *
 * Numbers in typed arrays with an open-addressing hash: 1,000,000 rows take about 16 MB, where a Map of strings takes
 * well over 100.
 */
export interface KennitalaTable {
  readonly size: number;
  /** Ten digits. */
  at(index: number): string;
  /** The row of ten digits with or without a hyphen; null when no row has them. */
  find(kennitala: string): number | null;
  /** Adds rows until there are `size`. */
  growTo(size: number): void;
}

export interface KennitalaTableOptions {
  readonly seed: number;
  /** Rows from `placeholders.from` on, so many of them, are 9999… placeholders instead of members. */
  readonly placeholders: { readonly from: number; readonly count: number };
}

const EMPTY = -1;

export const makeKennitalaTable = ({ seed, placeholders }: KennitalaTableOptions): KennitalaTable => {
  let numbers = new Float64Array(64);
  let slots = new Int32Array(256).fill(EMPTY);
  let size = 0;

  /** The slot that holds `number`, or the free one where it belongs. */
  const slotOf = (number: number): number => {
    const mask = slots.length - 1;
    let slot = Math.imul((number % 0x1_0000_0000) ^ (number / 0x1_0000), 0x9e3779b1) >>> 7;
    for (slot &= mask; ; slot = (slot + 1) & mask) {
      const index = slots[slot] ?? EMPTY;
      if (index === EMPTY || numbers[index] === number) return slot;
    }
  };

  const reserve = (rows: number): void => {
    if (rows > numbers.length) {
      const larger = new Float64Array(Math.max(rows, numbers.length * 2));
      larger.set(numbers);
      numbers = larger;
    }
    if (rows * 2 <= slots.length) return;
    slots = new Int32Array(2 ** Math.ceil(Math.log2(rows * 2))).fill(EMPTY);
    for (let index = 0; index < size; index += 1) slots[slotOf(numbers[index] ?? 0)] = index;
  };

  const add = (): void => {
    const placeholder = size - placeholders.from;
    for (let attempt = 0; ; attempt += 1) {
      const number =
        placeholder >= 0 && placeholder < placeholders.count
          ? makePlaceholderNumber(placeholder + 1)
          : makeKennitalaNumber(seed, size, attempt);
      const slot = slotOf(number);
      if (slots[slot] !== EMPTY) continue;
      numbers[size] = number;
      slots[slot] = size;
      size += 1;
      return;
    }
  };

  return {
    get size() {
      return size;
    },
    at: (index) => {
      if (index < 0 || index >= size)
        throw new RangeError(`The registry has ${size} rows; there is no row ${index}.`);
      return spellKennitala(numbers[index] ?? 0);
    },
    find: (kennitala) => {
      const digits = /^(\d{6})-?(\d{4})$/.exec(kennitala);
      if (digits === null) return null;
      const index = slots[slotOf(Number(`${digits[1]}${digits[2]}`))] ?? EMPTY;
      return index === EMPTY ? null : index;
    },
    growTo: (rows) => {
      reserve(rows);
      while (size < rows) add();
    },
  };
};
