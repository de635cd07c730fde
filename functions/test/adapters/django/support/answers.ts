import { randomBytes } from 'node:crypto';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { Answer } from './registry-server.ts';

/** Generated for the tests; the form of a kennitala, and of no living person. */
export const LIST = ['0101302989', '010130-0129', '9999000001'];

export const EXPORT = { count: 3, kennitalas: LIST, exported_at: '2026-11-20T03:00:00+00:00' };

type Headers = Readonly<Record<string, string | number>>;

export const status =
  (code: number, headers: Headers = {}, body: string | Buffer = `a page about ${LIST[0]}`): Answer =>
  (_, response) => {
    response.writeHead(code, { 'content-type': 'text/html', ...headers }).end(body);
  };

/** A complete answer with that body. */
export const body = (bytes: string | Buffer, headers: Headers = {}): Answer =>
  status(200, { 'content-type': 'application/json', ...headers }, bytes);

export const json = (value: unknown, headers: Headers = {}): Answer => body(JSON.stringify(value), headers);

export const gzip = (text: string | Buffer): Answer => body(gzipSync(text), { 'content-encoding': 'gzip' });
export const brotli = (text: string): Answer => body(brotliCompressSync(text), { 'content-encoding': 'br' });
export const deflate = (text: string): Answer => body(deflateSync(text), { 'content-encoding': 'deflate' });

export const redirect = (code: number, location: string): Answer => status(code, { location });

export const html = (): Answer =>
  status(200, {}, `<!doctype html><form action="/accounts/login/">${LIST[0]}</form>`);

/** The connection is reset before anything is answered. */
export const reset: Answer = (request) => {
  request.socket.resetAndDestroy();
};

/** Says it will send more than it does, and closes the connection in order. */
export const shortBody: Answer = (_, response) => {
  const text = JSON.stringify(EXPORT);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length + 40 });
  response.write(text, () => response.socket?.end());
};

/** Resets the connection in the middle of a chunked body. */
export const resetInBody: Answer = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write(JSON.stringify(EXPORT).slice(0, 30), () => response.socket?.resetAndDestroy());
};

/** The same in an answer after which the connection was to be closed anyway, which undici reports differently. */
export const endInLastBody: Answer = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/json', connection: 'close' });
  response.write(JSON.stringify(EXPORT).slice(0, 30), () => response.socket?.end());
};

/** HTTP/1.0: the end of the connection is the end of the body, wherever it comes. */
export const undelimited = (text: string): Answer =>
  raw(`HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n${text}`);

/** Compressed bytes that end before their end, in an answer that is complete as far as HTTP can tell. */
/** An export of more than 64 KiB, however well it is compressed. */
export const LONG = JSON.stringify({ ...EXPORT, note: randomBytes(100_000).toString('base64') });

/** Unpacks to too much at its beginning, and never ends. Tells when its connection has. */
export const endlessBomb = (onClosed: () => void): Answer => {
  const bomb = gzipSync(Buffer.concat([Buffer.alloc(3_000_000, ' '), Buffer.from(LONG)]));
  return (_, response) => {
    response.on('close', onClosed);
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
    response.write(bomb);
  };
};

export const truncatedLongGzip: Answer = body(gzipSync(LONG).subarray(0, -12), {
  'content-encoding': 'gzip',
});

export const truncatedGzip: Answer = body(gzipSync(JSON.stringify(EXPORT)).subarray(0, -12), {
  'content-encoding': 'gzip',
});
export const truncatedBrotli: Answer = body(brotliCompressSync(JSON.stringify(EXPORT)).subarray(0, -6), {
  'content-encoding': 'br',
});

/** Cut in the middle of that character's bytes, the second piece some time after the first. */
export const inTwoPieces =
  (text: string, character: string): Answer =>
  (_, response) => {
    const bytes = Buffer.from(text);
    const cut = bytes.indexOf(character) + 1;
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length });
    response.write(bytes.subarray(0, cut));
    setTimeout(() => response.end(bytes.subarray(cut)), 30);
  };

/** Takes the request and never answers. */
export const silence: Answer = () => undefined;

/** Headers at once, and then a byte every 10 ms for ever: the connection is never idle and never done. */
export const trickle: Answer = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  const timer = setInterval(() => response.write(' '), 10);
  response.on('close', () => clearInterval(timer));
};

/** Bytes instead of HTTP. */
export const raw =
  (bytes: string | Uint8Array): Answer =>
  (request) => {
    request.socket.end(bytes);
  };
