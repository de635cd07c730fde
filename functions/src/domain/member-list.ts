import { createHash } from 'node:crypto';
import {
  hasImpossibleDate,
  isLegalEntity,
  isPlaceholder,
  isSystemNumber,
  tryKennitala,
} from './kennitala.ts';
import { type KennitalaList, LINE_BYTES, makeKennitalaCollector, writeLines } from './kennitala-list.ts';

/** What was found while an export was brought into canonical form. Counts only: safe to log and to record. */
export interface ListFindings {
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
  for (const [position, text] of raw.entries()) {
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
  for (const kennitala of kennitalas) {
    if (isSystemNumber(kennitala)) systemNumbers += 1;
    else if (isLegalEntity(kennitala)) legalEntities += 1;
    if (hasImpossibleDate(kennitala)) impossibleDates += 1;
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
  const lines = new Uint8Array(Math.min(length, STRIDE) * LINE_BYTES);
  for (let from = 0; from < length; from += STRIDE) {
    const part = lines.subarray(0, Math.min(STRIDE, length - from) * LINE_BYTES);
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
const STRIDE = 8_192;
