import { createHash } from 'node:crypto';
import { tryKennitala } from '../domain/kennitala.ts';
import { type KennitalaList, makeKennitalaCollector } from '../domain/kennitala-list.ts';
import type { RunContext } from '../mirror/mirror.ts';
import type { ListStore, PublishedList } from './ports.ts';

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

/** A longer list is read in its turn: beside the registry's answer it would cost memory, not time. */
const MOST_MEMBERS = 50_000;

/** What a plan is made against. */
interface Target {
  readonly published: PublishedList | null;
  /** Nobody has looked: only a write on that condition will show whether it is so. */
  readonly isPresumed: boolean;
}

export interface ReadAhead {
  /** The first call takes what was read ahead or presumed; each later one, after another writer came between, reads anew. */
  readonly read: (signal: AbortSignal) => Promise<Target>;
  /** Nobody will ask for it: ends it, and waits until nothing of it goes on. */
  readonly giveUp: () => Promise<void>;
}

type Before = Pick<RunContext, 'lastSuccess' | 'abandonedRunId' | 'mayPresume'>;

/**
 * Reads the published list while the registry is still answering, where the last run left a short one. What was read ahead
 * may be old by the time it is used: that shows when the list is replaced, on the condition that it is still this version.
 *
 * Where no run has left a list, none is presumed: that too is the condition of the write.
 */
export const readAhead = (
  store: Pick<ListStore, 'read'>,
  { lastSuccess, abandonedRunId, mayPresume }: Before,
  signal: AbortSignal,
): ReadAhead => {
  const controller = new AbortController();
  const isPresumed = mayPresume === true && lastSuccess === null && abandonedRunId === null;
  const isShort = lastSuccess === null || lastSuccess.memberCount <= MOST_MEMBERS;
  const reading = isShort && !isPresumed ? store.read(AbortSignal.any([signal, controller.signal])) : null;
  // A failure is told to whoever takes it; a run that ends before that has one of its own.
  const settled = reading?.then(nothing, nothing);
  let isTaken = false;
  return {
    read: async (now) => {
      const isFirst = !isTaken;
      isTaken = true;
      if (isFirst && isPresumed) return { published: null, isPresumed };
      return { published: await ((isFirst && reading) || store.read(now)), isPresumed: false };
    },
    giveUp: async () => {
      controller.abort();
      await settled;
    },
  };
};

const nothing = (): void => undefined;
