import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Dispatcher } from 'undici';
import { invalidAnswer, tooLarge } from './failures.ts';

type Body = Dispatcher.ResponseData['body'];

const DISCARD_BYTES = 64 * 1024;
const DISCARD_MS = 1_000;

/** Codings that `accept-encoding` asks for, or that servers send unasked. */
const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/**
 * The whole body as text, decompressed; null when it is not UTF-8. Decoded as it comes: the bytes of a list of a million,
 * once more as a whole, would count against the function's memory. Bytes are counted as they leave the decompressor, so
 * that a few kilobytes which unpack to gigabytes end at the limit; the pool counts those on the wire.
 * @throws SyncError `registry_too_large`, `registry_invalid_response` (a coding that we do not know); otherwise what
 *   the socket or zlib threw.
 */
export const readBody = async (
  where: string,
  body: Body,
  encoding: string | undefined,
  maxBytes: number,
): Promise<string | null> => {
  const collect = async (chunks: AsyncIterable<Buffer>): Promise<string | null> => {
    const decode = makeTextDecoder();
    let text: string | null = '';
    let bytes = 0;
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw tooLarge(where, maxBytes);
      const decoded: string | null = text === null ? null : decode(chunk);
      text = decoded === null ? null : text + decoded;
    }
    const rest = text === null ? null : decode();
    return rest === null ? null : text + rest;
  };
  const coding = encoding?.trim().toLowerCase() ?? '';
  if (coding === '' || coding === 'identity') return await pipeline(body, collect);
  const makeDecoder = Object.hasOwn(DECODERS, coding) ? DECODERS[coding] : undefined;
  if (makeDecoder === undefined) {
    discardBody(body);
    throw invalidAnswer(where, 'the body has a content-encoding that was not asked for');
  }
  return await pipeline(body, makeDecoder(), collect);
};

/** Decodes piece by piece, and the rest without a piece; null once it is no UTF-8. */
const makeTextDecoder = (): ((chunk?: Buffer) => string | null) => {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  return (chunk) => {
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
    } catch {
      return null;
    }
  };
};

/** The rest of a body that nobody reads. A short one is drained, so that its connection can be used again. */
export const discardBody = (body: Body): void => {
  // Whatever happens to it says nothing about the answer, which is known by its status.
  body.dump({ limit: DISCARD_BYTES, signal: AbortSignal.timeout(DISCARD_MS) }).catch(() => undefined);
};
