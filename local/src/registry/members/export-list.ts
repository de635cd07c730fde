import type { Directory } from './directory.ts';

/** Rows with so many of them left out, spread evenly, as an export with holes would. */
export const dropEvenly = (indices: Int32Array, drop: number): Int32Array => {
  const count = Math.min(drop, indices.length);
  if (count === 0) return indices;
  const holesUpTo = (position: number): number => Math.floor((position * count) / indices.length);
  return indices.filter((_, position) => holesUpTo(position + 1) === holesUpTo(position));
};

/** The body of the list export as UTF-8 JSON, kept ready for the next request until a row appears or disappears. */
export const makeListExport = (
  directory: Directory,
): ((drop: number, exportedAt: Date) => Uint8Array<ArrayBuffer>) => {
  let ready: { readonly revision: number; readonly list: Buffer<ArrayBuffer> } | null = null;
  const listOf = (indices: Int32Array): Buffer<ArrayBuffer> =>
    Buffer.from(
      indices.length === 0 ? '' : Array.from(indices, (index) => `"${directory.ssn(index)}"`).join(','),
    );

  return (drop, exportedAt) => {
    const indices = dropEvenly(directory.live(), drop);
    let list: Buffer<ArrayBuffer>;
    if (drop > 0) {
      list = listOf(indices);
    } else {
      if (ready?.revision !== directory.listRevision) {
        ready = { revision: directory.listRevision, list: listOf(indices) };
      }
      list = ready.list;
    }
    const head = `{"count":${indices.length},"kennitalas":[`;
    return Buffer.concat([
      Buffer.from(head),
      list,
      Buffer.from(`],"exported_at":"${exportedAt.toISOString()}"}`),
    ]);
  };
};
