import { badRequest } from './errors.ts';

/** What a request to a resumable session carries. Offsets in bytes; `null` is not known yet (`*`). */
export interface ContentRange {
  /** Offset of the first byte in this request; `null` if it only asks how far the upload is. */
  readonly first: number | null;
  /** Size of the whole object. */
  readonly total: number | null;
}

/**
 * `bytes 0-524287/2000000`, `bytes 0-*` + `/*`, `bytes *` + `/2000000`, `bytes *` + `/*`; without the header
 * the request is the whole object. `0-*` is what clients stream with; like a total of `*` on a plain range
 * it leaves the total open.
 * @throws ApiError 400
 */
export function parseContentRange(header: string | undefined): ContentRange & { readonly open: boolean } {
  if (header === undefined) return { first: 0, total: null, open: true };
  const match = /^bytes (?:\*|(\d+)-(\d+|\*))\/(\d+|\*)$/.exec(header.trim());
  if (!match) throw badRequest('Failed to parse Content-Range header.');
  const [, first, last, total] = match;
  return {
    first: first === undefined ? null : Number(first),
    total: total === undefined || total === '*' ? null : Number(total),
    open: last === '*',
  };
}
