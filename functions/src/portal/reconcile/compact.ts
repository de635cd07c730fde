import { hash } from 'node:crypto';
import type { Kennitala } from '../../domain/kennitala.ts';
import type { DocumentState } from '../ports.ts';

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

/** What a place holds that no state was put into; and one whose state stands beside the column. */
const NO_STATE = 0;
const BESIDE = -1;

/**
 * Documents' states, 8 bytes each: `seconds.nanoseconds` of an update as its microsecond, which is as fine as Firestore's times are
 * (https://firebase.google.com/docs/firestore/manage-data/data-types). Any other text is kept beside them. Nothing is taken before
 * the first state.
 */
export const makeStateColumn = () => {
  let micros = new Float64Array(0);
  const beside = new Map<number, string>();
  return {
    set: (row: number, state: DocumentState): void => {
      if (row >= micros.length) {
        if (state === null) return;
        micros = withRoom(micros, grown(row + 1), Float64Array);
      }
      const held = state === null ? NO_STATE : microsOf(state);
      micros[row] = held;
      if (held === BESIDE && state !== null) beside.set(row, state);
    },
    get: (row: number): DocumentState => {
      const held = micros[row] ?? NO_STATE;
      if (held === NO_STATE) return null;
      return held === BESIDE ? (beside.get(row) ?? null) : textOf(held);
    },
  };
};

const microsOf = (state: string): number => {
  const [seconds, nanos] = state.split('.');
  const micros = Number(seconds) * 1_000_000 + Number(nanos) / 1_000;
  return micros > 0 && textOf(micros) === state ? micros : BESIDE;
};

const textOf = (micros: number): string =>
  `${Math.floor(micros / 1_000_000)}.${(micros % 1_000_000) * 1_000}`;

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
