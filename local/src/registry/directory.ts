import { fraction, hyphenate, makeKennitalaTable } from './kennitalas.ts';
import { makeMember } from './make-member.ts';
import { type MemberPatch, patchMember, type WireMember } from './wire-member.ts';

/** What decides every generated member. Two registries with equal generations and no changes are equal. */
export interface Generation {
  readonly seed: number;
  /** Distinct members at the start, all of them publishable. */
  readonly members: number;
  /** 9999… rows besides the members. */
  readonly placeholders: number;
  /** Share of rows whose number is spelled with a hyphen, 0 to 1. */
  readonly hyphenated: number;
}

/** When every generated row was last changed, for `modified_since`. */
const GENERATED_AT = '2026-01-01T00:00:00.000Z';

export type Directory = ReturnType<typeof makeDirectory>;

/** The rows of the registry as they are now. A row keeps its index for ever; `id` on the wire is index + 1. */
export const makeDirectory = ({ seed, members, placeholders, hyphenated }: Generation) => {
  const table = makeKennitalaTable(seed, { from: members, count: placeholders });
  table.growTo(members + placeholders);
  const changed = new Map<number, { readonly member: WireMember; readonly at: string; revision: number }>();
  const deleted = new Set<number>();
  let listRevision = 0;
  let live: { readonly revision: number; readonly indices: Int32Array } | null = null;

  const ssn = (index: number): string => {
    const digits = table.at(index);
    return fraction(seed, index, 200) < hyphenated ? hyphenate(digits) : digits;
  };
  const generated = (index: number): WireMember => makeMember(seed, index, table.at(index), ssn(index));
  const member = (index: number): WireMember => changed.get(index)?.member ?? generated(index);

  return {
    /** All rows there ever were: the index of the next one. */
    get rows(): number {
      return table.size;
    },
    /** Rows that are not deleted. */
    get size(): number {
      return table.size - deleted.size;
    },
    /** Moves whenever a row appears, disappears or comes back: what a cached list of rows was made for. */
    get listRevision(): number {
      return listRevision;
    },
    /** Indices of the rows that are not deleted, in order. A fresh or shared array: do not write into it. */
    live: (): Int32Array => {
      if (live?.revision !== listRevision) {
        const indices = Int32Array.from({ length: table.size }, (_, index) => index);
        live = { revision: listRevision, indices: indices.filter((index) => !deleted.has(index)) };
      }
      return live.indices;
    },
    has: (index: number): boolean => index >= 0 && index < table.size,
    isLive: (index: number): boolean => index >= 0 && index < table.size && !deleted.has(index),
    member,
    /** The member as it was generated, whatever has changed since. */
    generated,
    /** The number as the registry spells it, without making the whole member. */
    ssn,
    /** The row of a kennitala in either spelling, deleted or not; null when there never was one. */
    find: (kennitala: string): number | null => table.find(kennitala),
    modifiedAt: (index: number): string => changed.get(index)?.at ?? GENERATED_AT,
    /** Counts the changes of a row, from 0. */
    revision: (index: number): number => changed.get(index)?.revision ?? 0,
    /** Adds a row and answers its index. */
    add: (): number => {
      table.growTo(table.size + 1);
      listRevision += 1;
      return table.size - 1;
    },
    patch: (index: number, patch: MemberPatch, version: number, at: string): void => {
      const revision = (changed.get(index)?.revision ?? 0) + 1;
      changed.set(index, { member: { ...patchMember(member(index), patch), version }, at, revision });
    },
    setDeleted: (index: number, isDeleted: boolean): void => {
      if (isDeleted) deleted.add(index);
      else deleted.delete(index);
      listRevision += 1;
    },
  };
};

/** Rows with so many of them left out, spread evenly, as an export with holes would. */
export const dropEvenly = (indices: Int32Array, drop: number): Int32Array => {
  const count = Math.min(drop, indices.length);
  if (count === 0) return indices;
  const holesUpTo = (position: number): number => Math.floor((position * count) / indices.length);
  return indices.filter((_, position) => holesUpTo(position + 1) === holesUpTo(position));
};

/** The body of the list export as UTF-8 JSON; the honest list is kept ready until a row appears or disappears. */
export const makeListExport = (directory: Directory) => {
  let ready: { readonly revision: number; readonly list: Buffer } | null = null;
  return (drop: number, exportedAt: Date): Uint8Array<ArrayBuffer> => {
    const revision = directory.listRevision;
    const indices = dropEvenly(directory.live(), drop);
    const list =
      drop === 0 && ready?.revision === revision
        ? ready.list
        : Buffer.from(Array.from(indices, (index) => `"${directory.ssn(index)}"`).join(','));
    if (drop === 0) ready = { revision, list };
    const head = `{"count":${indices.length},"kennitalas":[`;
    return Buffer.concat([
      Buffer.from(head),
      list,
      Buffer.from(`],"exported_at":"${exportedAt.toISOString()}"}`),
    ]);
  };
};
