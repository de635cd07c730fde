import { hash } from 'node:crypto';
import { type Kennitala, toNumber } from '../../domain/kennitala.ts';
import { type KennitalaList, listOfNumbers } from '../../domain/kennitala-list.ts';
import type { Withdrawals } from '../../domain/member/kept-values.ts';
import { sourceHash } from '../../domain/member/patch.ts';
import type { DocumentState, MemberToDecide, MemberWrite } from '../ports.ts';
import { grown, kennitalaOf, makeStateColumn, withRoom } from './compact.ts';
import type { MemberVerdict } from './decide-member.ts';

const KINDS = ['create', 'revive', 'update', 'remove'] as const;
export type DifferenceKind = (typeof KINDS)[number];

/** One member whose document has to be written. */
export interface Difference {
  readonly kennitala: Kennitala;
  readonly kind: DifferenceKind;
  /** Of what is to be written, so that a second reading of the registry can tell whether it is still that. */
  readonly digest: string;
  /** What the document was when it was compared. */
  readonly ifState: DocumentState;
  /** The registry made a change of which the portal had not heard. */
  readonly isMissed: boolean;
  /** What the person withdrew under another number; there only where they have had one. */
  readonly former?: Withdrawals;
}

export interface PlannedWrite extends MemberWrite {
  readonly difference: Difference;
}

type Write = Extract<MemberVerdict, { readonly member: unknown }>;

export const toPlannedWrite = (
  kennitala: Kennitala,
  verdict: Write,
  { state: ifState, former }: Pick<MemberToDecide, 'state' | 'former'>,
): PlannedWrite => {
  const { kind, member, meta, isMissed } = verdict;
  const text = JSON.stringify([
    sourceHash(member),
    meta.source_hash,
    meta.source_version,
    meta.django_id,
    meta.digest,
  ]);
  const digest = hash('sha256', text, 'buffer').toString('base64url', 0, DIGEST_BYTES);
  return {
    kennitala,
    member,
    meta,
    ifState,
    former,
    difference: { kennitala, kind, digest, ifState, isMissed, ...(former && { former }) },
  };
};

/** 128 bits: nobody chooses what is hashed here to meet another one. */
const DIGEST_BYTES = 16;
const MISSED = 8;

/** Differences of different members, ascending by kennitala, each made when it is asked for. */
export interface Differences extends Iterable<Difference> {
  readonly length: number;
  /** Null for a member who has none. */
  find(kennitala: Kennitala): number | null;
  at(place: number): Difference;
  /** Of these kinds, ascending. */
  kennitalas(kinds: readonly DifferenceKind[]): KennitalaList;
  count(kinds: readonly DifferenceKind[]): number;
  /** Whether the registry made any of the changes without the portal hearing of it. */
  hasMissed(): boolean;
}

/**
 * Collects differences in any order, in 25 bytes each, and 8 more for the states of documents: a first load of a million has
 * as many.
 */
export const makeDifferences = () => {
  let kennitalas = new Float64Array(0);
  let kinds = new Uint8Array(0);
  let digests = Buffer.alloc(0);
  const states = makeStateColumn();
  const former = new Map<number, Withdrawals>();
  let length = 0;

  const add = (difference: Difference): void => {
    const row = length;
    if (row === kinds.length) {
      const rows = grown(row + 1);
      kennitalas = withRoom(kennitalas, rows, Float64Array);
      kinds = withRoom(kinds, rows, Uint8Array);
      const larger = Buffer.alloc(rows * DIGEST_BYTES);
      larger.set(digests);
      digests = larger;
    }
    kennitalas[row] = toNumber(difference.kennitala);
    kinds[row] = KINDS.indexOf(difference.kind) | (difference.isMissed ? MISSED : 0);
    digests.write(difference.digest, row * DIGEST_BYTES, DIGEST_BYTES, 'base64url');
    states.set(row, difference.ifState);
    if (difference.former !== undefined) former.set(row, difference.former);
    length += 1;
  };

  const atRow = (row: number): Difference => {
    const mark = kinds[row] ?? 0;
    const kind = kindOf(mark);
    const withdrawn = former.get(row);
    return {
      kennitala: kennitalaOf(kennitalas[row] ?? 0),
      kind,
      digest:
        kind === 'remove' ? '' : digests.toString('base64url', row * DIGEST_BYTES, (row + 1) * DIGEST_BYTES),
      ifState: states.get(row),
      isMissed: (mark & MISSED) !== 0,
      ...(withdrawn && { former: withdrawn }),
    };
  };

  return {
    add,
    /** Ends the collecting. */
    finish: (): Differences => {
      const order = ascending(kennitalas.subarray(0, length));
      const rowAt = (place: number): number => order?.[place] ?? place;
      const numberAt = (place: number): number => kennitalas[rowAt(place)] ?? 0;
      return {
        length,
        at: (place) => atRow(rowAt(place)),
        find: (kennitala) => {
          const sought = toNumber(kennitala);
          let low = 0;
          let high = length - 1;
          while (low <= high) {
            const middle = (low + high) >>> 1;
            const held = numberAt(middle);
            if (held === sought) return middle;
            if (held < sought) low = middle + 1;
            else high = middle - 1;
          }
          return null;
        },
        kennitalas: (wanted) => {
          const numbers = new Float64Array(countIn(kinds, length, wanted));
          let found = 0;
          for (let place = 0; place < length; place += 1) {
            if (!wanted.includes(kindOf(kinds[rowAt(place)] ?? 0))) continue;
            numbers[found] = numberAt(place);
            found += 1;
          }
          return listOfNumbers(numbers);
        },
        count: (wanted) => countIn(kinds, length, wanted),
        hasMissed: () => kinds.subarray(0, length).some((mark) => (mark & MISSED) !== 0),
        *[Symbol.iterator]() {
          for (let place = 0; place < length; place += 1) yield atRow(rowAt(place));
        },
      };
    },
  };
};

export const differencesOf = (...parts: readonly Iterable<Difference>[]): Differences => {
  const all = makeDifferences();
  for (const part of parts) for (const difference of part) all.add(difference);
  return all.finish();
};

const kindOf = (mark: number): DifferenceKind => KINDS[mark & 3] ?? 'update';

const countIn = (kinds: Uint8Array, length: number, wanted: readonly DifferenceKind[]): number => {
  let count = 0;
  for (let row = 0; row < length; row += 1) if (wanted.includes(kindOf(kinds[row] ?? 0))) count += 1;
  return count;
};

/** The rows in the order of their numbers; null when they stand in it. */
const ascending = (numbers: Float64Array): Uint32Array | null => {
  if (numbers.every((number, row) => row === 0 || (numbers[row - 1] ?? 0) <= number)) return null;
  return Uint32Array.from(numbers.keys()).sort((a, b) => (numbers[a] ?? 0) - (numbers[b] ?? 0));
};
