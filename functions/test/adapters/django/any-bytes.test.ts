import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isSyncError } from '../../../src/lib/errors.ts';
import { fetchExport, openClient } from './support/client.ts';

/** The codes by which a fetch may end, whatever is answered. */
const CODES = [
  'registry_unreachable',
  'registry_timeout',
  'registry_unauthorized',
  'registry_rejected',
  'registry_unavailable',
  'registry_invalid_response',
  'registry_too_large',
];
const DEADLINE_MS = 60;
/** Stands for what members and servers write; each body holds it many times over. */
const SECRET_TEXT = 'Jona0101302989';

let server: Server;
let next: { bytes: Buffer; end: 'close' | 'reset' | 'stay' };
const sockets = new Set<Socket>();

beforeAll(async () => {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.on('data', () => {
      const { bytes, end } = next;
      if (end === 'close') socket.end(bytes);
      else socket.write(bytes, () => end === 'reset' && socket.resetAndDestroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

const jsonBody = fc
  .record(
    {
      count: fc.oneof(fc.nat(), fc.double(), fc.constant('3'), fc.constant(null)),
      kennitalas: fc.oneof(
        fc.array(fc.oneof(fc.constant(SECRET_TEXT), fc.string(), fc.jsonValue({ maxDepth: 1 }))),
        fc.array(fc.constant('0101302989')),
        fc.jsonValue({ maxDepth: 2 }),
      ),
      exported_at: fc.oneof(fc.constant('2026-11-20T03:00:00Z'), fc.constant(SECRET_TEXT), fc.constant(null)),
      [SECRET_TEXT]: fc.constant(SECRET_TEXT),
    },
    { requiredKeys: [] },
  )
  .map((value) => Buffer.from(JSON.stringify(value)));
const exportBody = fc
  .record({ count: fc.nat(), kennitalas: fc.array(fc.constant(SECRET_TEXT)) })
  .map((value) => Buffer.from(JSON.stringify(value)));
const plainBody = fc.oneof(
  { weight: 3, arbitrary: jsonBody },
  { weight: 4, arbitrary: exportBody },
  fc.constant(Buffer.from(SECRET_TEXT.repeat(5))),
  fc.constant(Buffer.from(`<html>${SECRET_TEXT}`)),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
);
const encoded = fc.tuple(
  plainBody,
  fc.constantFrom('identity', 'identity', 'gzip', 'br', SECRET_TEXT),
  fc.boolean(),
);

const message = fc
  .record({
    version: fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom('HTTP/1.1', 'HTTP/1.0') },
      fc.constantFrom('HTTP/2', SECRET_TEXT),
    ),
    status: fc.oneof(
      { weight: 6, arbitrary: fc.constant(200) },
      { weight: 2, arbitrary: fc.constantFrom(301, 302, 404, 429, 500, 503) },
      fc.integer({ min: 0, max: 999 }),
    ),
    content: encoded,
    framing: fc.constantFrom('length', 'short', 'long', 'chunked', 'none', 'both'),
    extra: fc.array(
      fc.constantFrom(
        `location: /${SECRET_TEXT}`,
        'location: http://0101302989.example.is/',
        'retry-after: 0',
        `retry-after: ${SECRET_TEXT}`,
        'retry-after: 0101302989',
        'retry-after: 999999999',
        'connection: close',
        `content-type: text/html; ${SECRET_TEXT}`,
        `${SECRET_TEXT}: ${SECRET_TEXT}`,
        'upgrade: h2c\r\nconnection: upgrade',
        'a header without a colon',
      ),
      { maxLength: 3 },
    ),
  })
  .map(({ version, status, content: [plain, coding, isTrue], framing, extra }) => {
    const compressed =
      coding === 'gzip' ? gzipSync(plain) : coding === 'br' ? brotliCompressSync(plain) : plain;
    const body = isTrue ? compressed : plain;
    const length = body.length + (framing === 'short' ? 7 : framing === 'long' ? -1 : 0);
    const headers = [
      `${version} ${status} ${SECRET_TEXT}`,
      ...(coding === 'identity' ? [] : [`content-encoding: ${coding}`]),
      ...(['chunked', 'none'].includes(framing) ? [] : [`content-length: ${length}`]),
      ...(['chunked', 'both'].includes(framing) ? ['transfer-encoding: chunked'] : []),
      ...extra,
    ];
    const isChunked = framing === 'chunked';
    const framed = isChunked ? [`${body.length.toString(16)}\r\n`, body, '\r\n0\r\n\r\n'] : [body];
    return Buffer.concat([`${headers.join('\r\n')}\r\n\r\n`, ...framed].map((part) => Buffer.from(part)));
  });

const answer = fc.record({
  bytes: fc.oneof(
    { weight: 6, arbitrary: message },
    { weight: 2, arbitrary: fc.tuple(message, fc.nat(400)).map(([bytes, end]) => bytes.subarray(0, end)) },
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  ),
  end: fc.constantFrom<'close' | 'reset' | 'stay'>('close', 'close', 'close', 'reset', 'stay'),
});

it('whatever bytes are answered, a fetch ends in time with an export or an error of the table that tells nothing', async () => {
  const { port } = server.address() as AddressInfo;
  const outcomes = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(answer, async (given) => {
      next = given;
      const http = openClient(`http://127.0.0.1:${port}`, {
        requestTimeoutMs: 25,
        retry: { attempts: 2, baseDelayMs: 1, maxDelayMs: 1 },
      });
      const startedAt = performance.now();
      const result = await fetchExport(http, DEADLINE_MS).catch((error: unknown) => error);
      await http.close();
      // Beyond the deadline only for what a busy machine adds.
      expect(performance.now() - startedAt).toBeLessThan(DEADLINE_MS + 1_000);
      if (!isSyncError(result)) {
        expect(result).toMatchObject({ count: expect.any(Number), kennitalas: expect.any(Array) });
        outcomes.set('export', (outcomes.get('export') ?? 0) + 1);
        return;
      }
      outcomes.set(result.code, (outcomes.get(result.code) ?? 0) + 1);
      expect(CODES).toContain(result.code);
      const told = `${result.message} ${JSON.stringify(result.details)}`;
      expect(told).not.toMatch(/\d{10}/);
      expect(told).not.toContain('Jona');
    }),
    { numRuns: 600 },
  );
  // The answers reach every kind of end, or the property would prove little.
  for (const code of [
    'export',
    ...CODES.filter((one) => !['registry_too_large', 'registry_unauthorized'].includes(one)),
  ]) {
    expect(outcomes.get(code) ?? 0, code).toBeGreaterThan(0);
  }
}, 60_000);
