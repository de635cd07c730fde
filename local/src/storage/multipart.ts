import { badRequest, notSimulated } from './errors.ts';

const MAX_HEAD_BYTES = 1 << 20;
const EMPTY = Buffer.alloc(0);

/** A `multipart/related` upload: the object's metadata, then its bytes, which are not held in memory. */
export interface MultipartUpload {
  /** The first part, JSON. */
  readonly metadata: string;
  /** The second part's own type, if it names one. */
  readonly contentType: string | undefined;
  /** @throws ApiError 400 when the body ends without its closing boundary: half an upload is no object */
  readonly media: AsyncIterable<Buffer>;
}

interface Head {
  readonly metadata: string;
  readonly contentType: string | undefined;
  readonly mediaStart: number;
}

/**
 * Reads the form of https://cloud.google.com/storage/docs/uploading-objects#uploading-an-object, RFC 2387
 * with two parts.
 * @throws ApiError 400
 */
export async function readMultipart(
  contentType: string | undefined,
  body: AsyncIterable<Buffer>,
): Promise<MultipartUpload> {
  const boundary = parseBoundary(contentType);
  const chunks = body[Symbol.asyncIterator]();
  let buffer: Buffer = EMPTY;
  for (;;) {
    const { value, done } = await chunks.next();
    if (done) throw badRequest('Malformed multipart body: it ends before its second part.');
    buffer = buffer.length === 0 ? value : Buffer.concat([buffer, value]);
    const head = tryParseHead(buffer, boundary);
    if (head) {
      const first = buffer.subarray(head.mediaStart);
      const media = readUntilDelimiter(first, chunks, Buffer.from(`\r\n--${boundary}`));
      return { metadata: head.metadata, contentType: head.contentType, media };
    }
    if (buffer.length > MAX_HEAD_BYTES) throw badRequest('Malformed multipart body: no second part.');
  }
}

function parseBoundary(contentType: string | undefined): string {
  const match = /^multipart\/related\b.*;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(
    contentType ?? '',
  );
  const boundary = match?.[1] ?? match?.[2];
  if (!boundary)
    throw badRequest('A multipart upload needs Content-Type: multipart/related with a boundary.');
  return boundary;
}

function tryParseHead(buffer: Buffer, boundary: string): Head | null {
  const first = tryParsePartHeaders(buffer, 0, boundary);
  if (!first) return null;
  const metadataEnd = buffer.indexOf(`\r\n--${boundary}`, first.end);
  if (metadataEnd < 0) return null;
  const second = tryParsePartHeaders(buffer, metadataEnd + 2, boundary);
  if (!second) return null;
  if (/^content-transfer-encoding:\s*base64/im.test(second.headers)) throw notSimulated('A base64 part');
  const contentType = /^content-type:[ \t]*(.+?)[ \t]*$/im.exec(second.headers)?.[1];
  return {
    metadata: buffer.toString('utf8', first.end, metadataEnd),
    contentType,
    mediaStart: second.end,
  };
}

function tryParsePartHeaders(
  buffer: Buffer,
  from: number,
  boundary: string,
): { headers: string; end: number } | null {
  const delimiter = `--${boundary}`;
  const start = buffer.indexOf(delimiter, from);
  if (start < 0) return null;
  const end = buffer.indexOf('\r\n\r\n', start);
  if (end < 0) return null;
  return { headers: buffer.toString('latin1', start + delimiter.length, end), end: end + 4 };
}

/**
 * Passes on everything before the delimiter, without copying. The delimiter may be split over chunks, so
 * the last bytes of each chunk, one fewer than the delimiter has, are held back until the next one.
 */
async function* readUntilDelimiter(
  first: Buffer,
  chunks: AsyncIterator<Buffer>,
  delimiter: Buffer,
): AsyncGenerator<Buffer> {
  const overlap = delimiter.length - 1;
  let held: Buffer = EMPTY;
  let chunk = first;
  for (;;) {
    const seam = held.length > 0 ? Buffer.concat([held, chunk.subarray(0, overlap)]) : EMPTY;
    const inSeam = seam.indexOf(delimiter);
    const inChunk = inSeam >= 0 ? inSeam - held.length : chunk.indexOf(delimiter);
    if (inSeam >= 0 || inChunk >= 0) {
      if (inChunk < 0) yield held.subarray(0, inSeam);
      else {
        if (held.length > 0) yield held;
        if (inChunk > 0) yield chunk.subarray(0, inChunk);
      }
      await assertClosing(chunk.subarray(inChunk + delimiter.length), chunks);
      return;
    }
    if (chunk.length >= overlap) {
      if (held.length > 0) yield held;
      if (chunk.length > overlap) yield chunk.subarray(0, chunk.length - overlap);
      held = chunk.subarray(chunk.length - overlap);
    } else {
      const joined = Buffer.concat([held, chunk]);
      const excess = Math.max(0, joined.length - overlap);
      if (excess > 0) yield joined.subarray(0, excess);
      held = joined.subarray(excess);
    }
    const { value, done } = await chunks.next();
    if (done) throw badRequest('Malformed multipart body: it ends without its closing boundary.');
    chunk = value;
  }
}

async function assertClosing(rest: Buffer, chunks: AsyncIterator<Buffer>): Promise<void> {
  let epilogue = rest;
  for (;;) {
    const { value, done } = await chunks.next();
    if (done) break;
    if (epilogue.length < 2) epilogue = Buffer.concat([epilogue, value]);
  }
  if (epilogue.toString('latin1', 0, 2) !== '--') {
    throw badRequest('Malformed multipart body: expected two parts.');
  }
}
