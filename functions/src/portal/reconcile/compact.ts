import { hash } from 'node:crypto';
import type { Kennitala } from '../../domain/kennitala.ts';

/** A run of the portal may hold a million members in 256 MiB: so what it knows of each stands in columns, not in objects. */

/** A bit less than doubling: a column that has just grown holds the least for nothing. */
export const grown = (length: number): number => Math.max(FIRST_CAPACITY, Math.ceil(length * 1.5));
const FIRST_CAPACITY = 4_096;

export const withRoom = <T extends Float64Array | Uint32Array | Uint8Array>(
  column: T,
  length: number,
  make: new (length: number) => T,
): T => {
  const larger = new make(length);
  larger.set(column);
  return larger;
};

export const kennitalaOf = (number: number): Kennitala => String(number).padStart(10, '0') as Kennitala;

/** Bytes a text. The first says how many the text has, so that null and "" differ. */
const WIDTH = 24;
const LONG = 255;

/** Short texts, a row each; longer ones, and what is not Latin, are kept beside it. Nothing is taken before the first text. */
export const makeTextColumn = () => {
  let bytes = Buffer.alloc(0);
  const long = new Map<number, string>();
  return {
    set: (row: number, text: string | null): void => {
      if (text === null && row * WIDTH >= bytes.length) return;
      if ((row + 1) * WIDTH > bytes.length) {
        const larger = Buffer.alloc(grown(row + 1) * WIDTH);
        larger.set(bytes);
        bytes = larger;
      }
      const at = row * WIDTH;
      if (text === null) bytes[at] = 0;
      else if (text.length < WIDTH && isLatin(text)) {
        bytes[at] = text.length + 1;
        bytes.write(text, at + 1, 'latin1');
      } else {
        bytes[at] = LONG;
        long.set(row, text);
      }
    },
    get: (row: number): string | null => {
      const at = row * WIDTH;
      const length = bytes[at] ?? 0;
      if (length === 0) return null;
      return length === LONG ? (long.get(row) ?? null) : bytes.toString('latin1', at + 1, at + length);
    },
  };
};

const isLatin = (text: string): boolean => Buffer.from(text, 'latin1').toString('latin1') === text;

/** A set of kennitalas: 16 bytes each, where a Set of texts takes some 80. */
export const makeKennitalaSet = () => {
  let slots = new Float64Array(FIRST_CAPACITY).fill(EMPTY);
  let size = 0;

  const slotOf = (number: number, among: Float64Array): number => {
    // The lower 32 bits are mixed, since neighbours differ in the last digits alone.
    let slot = (Math.imul(number % 4_294_967_296, 0x9e37_79b1) >>> 7) & (among.length - 1);
    while (among[slot] !== EMPTY && among[slot] !== number) slot = (slot + 1) & (among.length - 1);
    return slot;
  };

  return {
    /** False when it was there. */
    add: (kennitala: Kennitala): boolean => {
      const number = Number(kennitala);
      const slot = slotOf(number, slots);
      if (slots[slot] === number) return false;
      slots[slot] = number;
      size += 1;
      if (size * 4 > slots.length * 3) {
        const larger = new Float64Array(slots.length * 2).fill(EMPTY);
        for (const held of slots) if (held !== EMPTY) larger[slotOf(held, larger)] = held;
        slots = larger;
      }
      return true;
    },
  };
};

const EMPTY = -1;

const BYTES = 32;

/**
 * A digest of a set of different texts that does not depend on their order: the registry may sort its pages
 * otherwise without having changed. The sum of the texts' SHA-256 as numbers of 256 bits, digested once more.
 *
 * @param from Goes on where another one was.
 */
export const makeSetDigest = (from?: string) => {
  const sum = from === undefined ? new Uint8Array(BYTES) : Buffer.from(from, 'hex');
  return {
    add: (text: string): void => {
      const added = hash('sha256', text, 'buffer');
      let carry = 0;
      for (let at = BYTES - 1; at >= 0; at -= 1) {
        carry += (sum[at] ?? 0) + (added[at] ?? 0);
        sum[at] = carry & 0xff;
        carry >>= 8;
      }
    },
    /** How far it is (hex): to go on from. */
    sum: (): string => Buffer.from(sum).toString('hex'),
    finish: (): string => hash('sha256', sum),
  };
};
