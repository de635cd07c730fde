import { ApiError } from './errors.ts';

/** Inclusive offsets, as in HTTP. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * One range of RFC 9110 §14: `bytes=5-9`, `bytes=5-`, `bytes=-5`. Anything else is ignored, as HTTP allows.
 * @returns null when the whole object is wanted
 * @throws ApiError 416 when the range begins after the last byte
 */
export function parseByteRange(header: string | undefined, size: number): ByteRange | null {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return null;
  const [, first = '', last = ''] = match;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== '' && last !== '' && Number(last) < start) return null;
  if (start >= size) {
    throw new ApiError(416, 'requestedRangeNotSatisfiable', 'The requested range cannot be satisfied.');
  }
  return { start, end };
}
