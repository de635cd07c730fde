import { createHash } from 'node:crypto';
import {
  hasImpossibleDate,
  isLegalEntity,
  isPlaceholder,
  isSystemNumber,
  type Kennitala,
  toNumber,
  tryKennitala,
} from './kennitala.ts';

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

/** Some kennitalas as one text, a line each, without the last line's end. */
export interface Lines {
  readonly count: number;
  readonly text: string;
}

/** Of a compact list without a string for each. */
export const linesOf = (sequence: KennitalaSequence, from: number, until: number): Lines => {
  if (!('numbers' in sequence)) {
    const kennitalas = sequence.slice(from, until);
    return { count: kennitalas.length, text: kennitalas.join('\n') };
  }
  const count = Math.max(0, Math.min(until, sequence.length) - from);
  const lines = Buffer.allocUnsafe(count * LINE_BYTES);
  writeLines((sequence as KennitalaList).numbers, from, lines);
  return { count, text: lines.toString('latin1', 0, Math.max(0, lines.length - 1)) };
};

/** Ten digits and LF. */
export const LINE_BYTES = 11;

/** The list of these numbers, which must have been made from kennitalas; they are not copied. */
export const listOfNumbers = (numbers: Float64Array | readonly number[]): KennitalaList => {
  const slice = (from: number, until: number): Kennitala[] => {
    const { count, text } = linesOf(list, from, until);
    const kennitalas = new Array<Kennitala>(count);
    for (let n = 0, start = 0; n < count; n += 1, start += LINE_BYTES) {
      kennitalas[n] = text.slice(start, start + 10) as Kennitala;
    }
    return kennitalas;
  };
  const list: KennitalaList = {
    numbers,
    length: numbers.length,
    slice,
    *[Symbol.iterator]() {
      for (let from = 0; from < numbers.length; from += STRIDE) yield* slice(from, from + STRIDE);
    },
  };
  return list;
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
  for (let n = 0; n < numbers.length; n += 1) {
    const number = numbers[n] ?? 0;
    if (length === 0 || numbers[length - 1] !== number) numbers[length++] = number;
  }
  return numbers.subarray(0, length);
};

/** What was found while an export was brought into canonical form. Counts only: safe to log and to record. */
interface ListFindings {
  /** Entries as sent. */
  readonly received: number;
  /** Entries that were the same kennitala as another one. */
  readonly duplicates: number;
  /** Readable entries that were not written as ten bare digits. */
  readonly reformatted: number;
  /** Entries that start with 9999: left out, since they are no members. */
  readonly placeholders: number;
  /** Entries that cannot be read: left out and counted, never guessed. */
  readonly quarantined: number;
  /** Where the first of them stand in the export (from 0), so that the registry's operator can find them. */
  readonly quarantinedAt: readonly number[];
  /** Members with a number that starts with 8 or 9. */
  readonly systemNumbers: number;
  /** Members whose number is a legal entity's: kept, and a person must look. */
  readonly legalEntities: number;
  /** Members whose number has a day that no month has, such as 00: kept, and a person must look. */
  readonly impossibleDates: number;
}

export interface MemberList {
  /** Sorted, unique, canonical. */
  readonly kennitalas: KennitalaList;
  readonly findings: ListFindings;
}

const POSITIONS_KEPT = 20;

/** Brings a raw export into canonical form: sorted, unique, ten digits. Pure; never throws. */
export const makeMemberList = (raw: readonly string[]): MemberList => {
  const kept = makeKennitalaCollector(raw.length);
  const quarantinedAt: number[] = [];
  let reformatted = 0;
  let placeholders = 0;
  let quarantined = 0;
  for (let position = 0; position < raw.length; position += 1) {
    const text = raw[position] as string;
    const kennitala = tryKennitala(text);
    if (kennitala === null) {
      quarantined += 1;
      if (quarantinedAt.length < POSITIONS_KEPT) quarantinedAt.push(position);
      continue;
    }
    if (kennitala !== text) reformatted += 1;
    if (isPlaceholder(kennitala)) placeholders += 1;
    else kept.add(kennitala);
  }
  const kennitalas = kept.finish();
  let systemNumbers = 0;
  let legalEntities = 0;
  let impossibleDates = 0;
  // As numbers, and by their places: neither a text nor an iterator's object is made of each.
  const { numbers } = kennitalas;
  for (let n = 0; n < numbers.length; n += 1) {
    const number = numbers[n] ?? 0;
    if (isSystemNumber(number)) systemNumbers += 1;
    else if (isLegalEntity(number)) legalEntities += 1;
    if (hasImpossibleDate(number)) impossibleDates += 1;
  }
  return {
    kennitalas,
    findings: {
      received: raw.length,
      duplicates: raw.length - quarantined - placeholders - kennitalas.length,
      reformatted,
      placeholders,
      quarantined,
      quarantinedAt,
      systemNumbers,
      legalEntities,
      impossibleDates,
    },
  };
};

/** SHA-256 (hex) over the kennitalas, one a line, every line ended: the hash of the published file's bytes. */
export const digestOf = ({ numbers, length }: KennitalaList): string => {
  const hash = createHash('sha256');
  const lines = new Uint8Array(Math.min(length, LINES_AT_ONCE) * LINE_BYTES);
  for (let from = 0; from < length; from += LINES_AT_ONCE) {
    const part = lines.subarray(0, Math.min(LINES_AT_ONCE, length - from) * LINE_BYTES);
    writeLines(numbers, from, part);
    hash.update(part);
  }
  return hash.digest('hex');
};

/** The published file: one kennitala a line, every line ended with LF, so that `wc -l` is the member count. */
export const bytesOf = ({ numbers, length }: KennitalaList): Uint8Array => {
  const lines = new Uint8Array(length * LINE_BYTES);
  writeLines(numbers, 0, lines);
  return lines;
};

/** Bounds the memory of hashing a long list: about 90 kB at a time. */
const LINES_AT_ONCE = 8_192;
