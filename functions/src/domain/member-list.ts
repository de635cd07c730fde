import { createHash } from 'node:crypto';
import { isLegalEntity, isPlaceholder, isSystemNumber, type Kennitala, tryKennitala } from './kennitala.ts';

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
}

export interface MemberList {
  /** Sorted, unique, canonical. */
  readonly kennitalas: readonly Kennitala[];
  readonly findings: ListFindings;
}

const POSITIONS_KEPT = 20;

/** Brings a raw export into canonical form: sorted, unique, ten digits. Pure; never throws. */
export const makeMemberList = (raw: readonly string[]): MemberList => {
  const kept: Kennitala[] = [];
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
    else kept.push(kennitala);
  }
  const kennitalas = sortedUnique(kept);
  return {
    kennitalas,
    findings: {
      received: raw.length,
      duplicates: raw.length - quarantined - placeholders - kennitalas.length,
      reformatted,
      placeholders,
      quarantined,
      quarantinedAt,
      systemNumbers: count(kennitalas, isSystemNumber),
      legalEntities: count(kennitalas, isLegalEntity),
    },
  };
};

/** Sorts in place and drops repeats. Kennitalas are ASCII digits, so code-unit order is byte order. */
export const sortedUnique = (kennitalas: Kennitala[]): Kennitala[] => {
  kennitalas.sort();
  let length = 0;
  for (const kennitala of kennitalas) {
    if (length === 0 || kennitalas[length - 1] !== kennitala) kennitalas[length++] = kennitala;
  }
  kennitalas.length = length;
  return kennitalas;
};

/** SHA-256 (hex) over the kennitalas, one a line, every line ended: the hash of the published file's bytes. */
export const digestOf = (kennitalas: readonly Kennitala[]): string => {
  const hash = createHash('sha256');
  for (let from = 0; from < kennitalas.length; from += HASH_STRIDE) {
    hash.update(linesOf(kennitalas.slice(from, from + HASH_STRIDE)));
  }
  return hash.digest('hex');
};

/** One kennitala a line, every line ended with LF, so that `wc -l` is the member count. */
export const linesOf = (kennitalas: readonly Kennitala[]): string =>
  kennitalas.length === 0 ? '' : `${kennitalas.join('\n')}\n`;

/** Bounds the memory of hashing a long list: about 90 kB of text at a time. */
const HASH_STRIDE = 8_192;

const count = <T>(items: readonly T[], test: (item: T) => boolean): number => {
  let matches = 0;
  for (const item of items) if (test(item)) matches += 1;
  return matches;
};
