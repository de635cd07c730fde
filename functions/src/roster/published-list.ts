import { createHash } from 'node:crypto';
import { tryKennitala } from '../domain/kennitala.ts';
import { type KennitalaList, makeKennitalaCollector } from '../domain/kennitala-list.ts';

/** The members that a published file holds, however it is written. */
export interface HeldList {
  readonly kennitalas: KennitalaList;
  /** Lines that are no kennitala: somebody wrote the file by hand. */
  readonly unreadable: number;
  /** SHA-256 (hex) of the bytes as they stand. */
  readonly sha256: string;
}

/**
 * Reads a published file. Our own files are sorted and canonical; one that a person edited may be anything, so
 * other line ends, hyphens, repeats and disorder are read too, and rubbish is counted. Never throws.
 */
export const readHeldList = (bytes: Uint8Array): HeldList => {
  const held = makeKennitalaCollector(Math.ceil(bytes.length / SHORTEST_LINE_BYTES));
  let unreadable = 0;
  for (const line of linesIn(bytes)) {
    if (line.length === 0) continue;
    const kennitala = tryKennitala(line);
    if (kennitala === null) unreadable += 1;
    else held.add(kennitala);
  }
  return {
    kennitalas: held.finish(),
    unreadable,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
};

/** Decodes a slice at a time: splitting an 11 MB text at once would hold it three times over. */
function* linesIn(bytes: Uint8Array): Generator<string> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let from = 0;
  while (from < buffer.length) {
    const limit = Math.min(from + SLICE_BYTES, buffer.length);
    const lastBreak = limit === buffer.length ? limit : buffer.lastIndexOf(0x0a, limit - 1) + 1;
    const until = lastBreak > from ? lastBreak : endOfLine(buffer, limit);
    for (const line of buffer.toString('latin1', from, until).split('\n')) {
      yield line.endsWith('\r') ? line.slice(0, -1) : line;
    }
    from = until;
  }
}

const SLICE_BYTES = 65_536;
/** The last line may lack its end. */
const SHORTEST_LINE_BYTES = 10;

const endOfLine = (buffer: Buffer, from: number): number => {
  const found = buffer.indexOf(0x0a, from);
  return found === -1 ? buffer.length : found + 1;
};
