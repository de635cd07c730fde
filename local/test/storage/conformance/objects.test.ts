import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { gunzipSync } from 'node:zlib';
import type { Bucket } from '@google-cloud/storage';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTarget, refusal, type Target, textOf } from './target.ts';

let target: Target;
let bucket: Bucket;
beforeAll(async () => {
  target = await openTarget();
  bucket = await target.newBucket();
});
afterAll(() => target.close());

describe.each([
  { kind: 'a multipart upload', resumable: false },
  { kind: 'a resumable upload', resumable: true },
])('$kind', ({ kind, resumable }) => {
  test('stores bytes, content type, cache control and custom metadata', async () => {
    const file = bucket.file(`attributes ${kind}`);
    await file.save('þrír\n', {
      resumable,
      metadata: {
        contentType: 'text/plain; charset=utf-8',
        cacheControl: 'no-cache',
        metadata: { memberCount: '3', source: 'django-api' },
      },
    });
    const [metadata] = await bucket.file(file.name).getMetadata();
    expect(metadata).toMatchObject({
      kind: 'storage#object',
      bucket: bucket.name,
      name: file.name,
      size: '7',
      metageneration: '1',
      contentType: 'text/plain; charset=utf-8',
      cacheControl: 'no-cache',
      metadata: { memberCount: '3', source: 'django-api' },
      md5Hash: createHash('md5').update('þrír\n').digest('base64'),
    });
    expect(metadata.generation).toMatch(/^\d{16,19}$/);
    expect(await textOf(file)).toBe('þrír\n');
  });

  test.each(['md5', 'crc32c'] as const)('is validated end to end by %s', async (validation) => {
    const file = bucket.file(`validated ${kind} ${validation}`);
    await file.save('123456789', { resumable, validation });
    const [bytes] = await file.download({ validation });
    expect(bytes.toString()).toBe('123456789');
    // The check value of RFC 3720, appendix B.4: 0xE3069283.
    expect(file.metadata.crc32c).toBe(Buffer.from('e3069283', 'hex').toString('base64'));
  });

  test.each([
    ['md5Hash', createHash('md5').update('other').digest('base64')],
    ['crc32c', 'AAAAAA=='],
  ])('with a wrong %s is refused with 400 and leaves no object', async (field, value) => {
    const file = bucket.file(`corrupt ${kind} ${field}`);
    const upload = file.save('bytes', { resumable, validation: false, metadata: { [field]: value } });
    expect(await refusal(upload)).toBe(400);
    expect(await file.exists()).toEqual([false]);
  });

  test('of nothing makes an empty object', async () => {
    const file = bucket.file(`empty ${kind}`);
    await file.save('', { resumable });
    expect((await file.getMetadata())[0].size).toBe('0');
    expect(await textOf(file)).toBe('');
  });

  test('of 12 MB comes back byte for byte', async () => {
    const bytes = randomBytes(12_000_000);
    const file = bucket.file(`large ${kind}`);
    await file.save(bytes, { resumable, validation: 'md5' });
    const [back] = await file.download({ validation: 'md5' });
    expect(back.equals(bytes)).toBe(true);
  });

  test('compressed by the client is stored compressed and read decompressed', async () => {
    const file = bucket.file(`gzip ${kind}`);
    const text = 'kennitala\n'.repeat(1000);
    await file.save(text, { resumable, gzip: true, metadata: { contentType: 'text/plain' } });
    const [metadata] = await file.getMetadata();
    expect(metadata.contentEncoding).toBe('gzip');
    expect(Number(metadata.size)).toBeLessThan(text.length / 10);
    expect(await textOf(file)).toBe(text);
    const [stored] = await file.download({ decompress: false });
    expect(gunzipSync(stored).toString()).toBe(text);
  });
});

test('a resumable upload in chunks arrives whole', async () => {
  const bytes = randomBytes(3 * 256 * 1024 + 17);
  const file = bucket.file('chunked');
  const stream = file.createWriteStream({ resumable: true, chunkSize: 256 * 1024, validation: 'crc32c' });
  await pipeline(Readable.from([bytes.subarray(0, 300_000), bytes.subarray(300_000)]), stream);
  const [back] = await file.download();
  expect(back.equals(bytes)).toBe(true);
});

test('a read stream gives the range that was asked, both ends included', async () => {
  const file = bucket.file('range');
  await file.save('0123456789', { resumable: false });
  const read = async (range: { start?: number; end?: number }) =>
    Buffer.concat(await file.createReadStream(range).toArray()).toString();
  expect(await read({ start: 2, end: 4 })).toBe('234');
  expect(await read({ start: 7 })).toBe('789');
  expect(await read({ end: -3 })).toBe('789');
  expect(await read({ start: 8, end: 99 })).toBe('89');
});

test('a missing object is 404 to every call', async () => {
  const file = bucket.file('missing');
  expect(await file.exists()).toEqual([false]);
  expect(await refusal(file.getMetadata())).toBe(404);
  expect(await refusal(file.download())).toBe(404);
  expect(await refusal(file.setMetadata({ contentType: 'text/plain' }))).toBe(404);
  expect(await refusal(file.delete())).toBe(404);
  expect(await refusal(file.copy('elsewhere'))).toBe(404);
});

test('a missing bucket is 404', async () => {
  const missing = target.client.bucket('conformance-no-such-bucket');
  expect(await missing.exists()).toEqual([false]);
  expect(await refusal(missing.file('x').save('x', { resumable: false }))).toBe(404);
  expect(await refusal(missing.getFiles())).toBe(404);
});

test.each([
  ['spaces', 'with space.txt'],
  ['Icelandic letters', 'íslenska/þæö ÁÉ.txt'],
  ['what URLs reserve', 'emoji 🧊 + & ? # = %2F 100%.txt'],
  ['an empty segment', 'a//b'],
  ['a slash at its end', 'folder/'],
  ['a slash at its start', '/absolute'],
  ['dots that lead upwards', '../escape/../../x'],
  ['what file systems reserve', 'quote"colon:star*back\\slash'],
  ['1,024 bytes', 'x'.repeat(1024)],
])('a name with %s is kept as it is', async (_title, name) => {
  const file = bucket.file(name);
  await file.save(name, { resumable: false });
  expect(await textOf(file)).toBe(name);
  expect((await file.getMetadata())[0].name).toBe(name);
  const [files] = await bucket.getFiles({ prefix: name });
  expect(files.map((each) => each.name)).toContain(name);
  await file.delete();
  expect(await file.exists()).toEqual([false]);
});

test.each([
  ['over 1,024 bytes', 'x'.repeat(1025)],
  ['with a line break', 'line\nbreak'],
  ['of two dots', '..'],
])('a name %s is refused with 400', async (_title, name) => {
  expect(await refusal(bucket.file(name).save('x', { resumable: false }))).toBe(400);
});

test('many uploads at once all arrive, each with its own generation', async () => {
  const names = Array.from({ length: 24 }, (_, index) => `concurrent/${index}`);
  await Promise.all(
    names.map((name, index) => bucket.file(name).save(`body ${index}`, { resumable: index % 2 === 0 })),
  );
  const [files] = await bucket.getFiles({ prefix: 'concurrent/' });
  expect(files.map((file) => file.name).sort()).toEqual([...names].sort());
  expect(new Set(files.map((file) => file.metadata.generation)).size).toBe(names.length);
  const texts = await Promise.all(names.map((name) => textOf(bucket.file(name))));
  expect(texts).toEqual(names.map((_, index) => `body ${index}`));
});
