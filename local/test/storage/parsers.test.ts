import { describe, expect, test } from 'vitest';
import { parseByteRange } from '../../src/storage/byte-range.ts';
import { parseContentRange } from '../../src/storage/content-range.ts';
import { encodeCrc32c, updateCrc32c } from '../../src/storage/crc32c.ts';
import { makeGenerationClock } from '../../src/storage/generations.ts';
import { readMultipart } from '../../src/storage/multipart.ts';
import { collisionPath, viewPath } from '../../src/storage/view-path.ts';
import { crc32c as vectors } from './vectors.ts';

describe('CRC-32C', () => {
  test.each(vectors)('of $title is $hex, however it is cut', ({ bytes, hex }) => {
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const crc = updateCrc32c(updateCrc32c(0, bytes.subarray(0, cut)), bytes.subarray(cut));
      expect(Buffer.from(encodeCrc32c(crc), 'base64').toString('hex')).toBe(hex);
    }
  });
});

describe('a multipart body', () => {
  const MEDIA = 'line\r\n--not-it\r\n-\r\n--bound nearly\r\n';
  const BODY = Buffer.from(
    '--boundary\r\nContent-Type: application/json\r\n\r\n{"name":"þ"}\r\n' +
      `--boundary\r\nContent-Type: text/plain\r\n\r\n${MEDIA}\r\n--boundary--\r\n`,
  );

  async function* inChunks(body: Buffer, size: number): AsyncGenerator<Buffer> {
    for (let at = 0; at < body.length; at += size) yield body.subarray(at, at + size);
  }

  async function read(body: Buffer, size: number) {
    const upload = await readMultipart('multipart/related; boundary="boundary"', inChunks(body, size));
    const media: Buffer[] = [];
    for await (const chunk of upload.media) media.push(chunk);
    return { ...upload, media: Buffer.concat(media).toString() };
  }

  test('is read the same in chunks of every size', async () => {
    for (let size = 1; size <= BODY.length; size += 1) {
      expect(await read(BODY, size)).toEqual({
        metadata: '{"name":"þ"}',
        contentType: 'text/plain',
        media: MEDIA,
      });
    }
  });

  test('that ends anywhere before its closing boundary is refused', async () => {
    const closing = BODY.lastIndexOf('--\r\n');
    for (let end = 0; end < closing + 2; end += 1) {
      await expect(read(BODY.subarray(0, end), 7)).rejects.toMatchObject({ status: 400 });
    }
  });

  test.each([undefined, 'multipart/related', 'application/json', 'multipart/form-data; boundary=b'])(
    'with the content type %s is refused',
    async (contentType) => {
      await expect(readMultipart(contentType, inChunks(BODY, 99))).rejects.toMatchObject({ status: 400 });
    },
  );
});

test.each([
  [undefined, { first: 0, total: null, open: true }],
  ['bytes 0-9/10', { first: 0, total: 10, open: false }],
  ['bytes 5-9/*', { first: 5, total: null, open: false }],
  ['bytes 0-*/*', { first: 0, total: null, open: true }],
  ['bytes 3-*/12', { first: 3, total: 12, open: true }],
  ['bytes */12', { first: null, total: 12, open: false }],
  ['bytes */*', { first: null, total: null, open: false }],
])('the Content-Range %s is understood', (header, expected) => {
  expect(parseContentRange(header)).toEqual(expected);
});

test.each(['', 'bytes', 'bytes 0-9', 'bytes -9/10', 'items 0-9/10', 'bytes a-b/c'])(
  'the Content-Range "%s" is refused',
  (header) => {
    expect(() => parseContentRange(header)).toThrow(expect.objectContaining({ status: 400 }));
  },
);

test.each([
  [undefined, null],
  ['bytes=0-4', { start: 0, end: 4 }],
  ['bytes=4-', { start: 4, end: 9 }],
  ['bytes=-3', { start: 7, end: 9 }],
  ['bytes=8-99', { start: 8, end: 9 }],
  ['bytes=5-4', null],
  ['bytes=-', null],
  ['bytes=0-1,3-4', null],
  ['lines=0-1', null],
])('the Range %s of ten bytes is %j', (header, expected) => {
  expect(parseByteRange(header, 10)).toEqual(expected);
});

test.each([
  ['kennitalas.txt', 'kennitalas.txt'],
  ['a/b c/þ.txt', 'a/b c/þ.txt'],
  ['../x', '%2E%2E/x'],
  ['/x', '%/x'],
  ['a//b/', 'a/%/b/%'],
  ['100%', '100%25'],
  ['a\\b\u0000', 'a%5Cb%00'],
])('the object %j is shown as %j', (name, expected) => {
  expect(viewPath(name)).toBe(expected);
});

test('no two names share a path, not even with the collision form', () => {
  const names = [
    'a',
    'a/b',
    'a%',
    'a%2Fb',
    'a%2Fb%',
    '%',
    '/',
    '//',
    '.',
    './',
    'x'.repeat(300),
    'y'.repeat(300),
  ];
  const paths = names.flatMap((name) => [viewPath(name), collisionPath(name)]);
  expect(new Set(paths).size).toBe(paths.length);
});

test('generations grow although the clock stands still, is set back, or starts behind the disk', () => {
  const times = [1000, 1000, 900, 2000];
  const clock = makeGenerationClock(() => times.shift() ?? 0);
  expect([clock.next(), clock.next(), clock.next(), clock.next()]).toEqual([
    '1000000',
    '1000001',
    '1000002',
    '2000000',
  ]);
  clock.raiseAbove('9007199254740993');
  expect(clock.next()).toBe('9007199254740994');
});
