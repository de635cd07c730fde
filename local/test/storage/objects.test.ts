import { createHash, randomBytes } from 'node:crypto';
import type { Bucket } from '@google-cloud/storage';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseMultipart } from '../../src/storage/routes.ts';
import { makeClient, makeScratch, refusal, type Scratch, textOf } from './support/scratch.ts';

let scratch: Scratch;
let url: string;
let bucket: Bucket;
beforeAll(async () => {
  scratch = await makeScratch();
  url = (await scratch.start()).url;
  bucket = makeClient(url).bucket('members');
});
afterAll(() => scratch.clean());

describe('an upload', () => {
  test('stores bytes, content type, cache control, custom time and custom metadata', async () => {
    const file = bucket.file('attributes');
    const metadata = {
      contentType: 'text/plain; charset=utf-8',
      cacheControl: 'no-cache',
      customTime: '2027-01-01T00:00:00.000Z',
      metadata: { memberCount: '3', source: 'django-api' },
    };
    await file.save('þrír\n', { resumable: false, metadata });
    const [stored] = await bucket.file('attributes').getMetadata();
    expect(stored).toMatchObject({
      ...metadata,
      kind: 'storage#object',
      bucket: 'members',
      name: 'attributes',
      size: '7',
      metageneration: '1',
      md5Hash: createHash('md5').update('þrír\n').digest('base64'),
    });
    expect(stored.generation).toMatch(/^\d{16,19}$/);
    expect(await textOf(file)).toBe('þrír\n');
  });

  test.each(['md5', 'crc32c'] as const)('is validated end to end by %s', async (validation) => {
    const file = bucket.file(`validated ${validation}`);
    await file.save('123456789', { resumable: false, validation });
    expect((await file.download({ validation }))[0].toString()).toBe('123456789');
  });

  test('with a wrong MD5 hash is refused with 400 and leaves no object', async () => {
    const file = bucket.file('corrupt');
    const md5Hash = createHash('md5').update('other').digest('base64');
    const upload = file.save('bytes', { resumable: false, validation: false, metadata: { md5Hash } });
    expect(await refusal(upload)).toBe(400);
    expect(await file.exists()).toEqual([false]);
  });

  test.each([0, 12_000_000])('of %i bytes comes back byte for byte', async (size) => {
    const bytes = randomBytes(size);
    const file = bucket.file(`large ${size}`);
    await file.save(bytes, { resumable: false, validation: 'md5' });
    expect((await file.download({ validation: 'md5' }))[0].equals(bytes)).toBe(true);
  });

  test.each([
    ['spaces', 'with space.txt'],
    ['Icelandic letters', 'íslenska/þæö ÁÉ.txt'],
    ['what URLs reserve', 'emoji 🧊 + & ? # = %2F 100%.txt'],
    ['an empty segment', 'a//b'],
    ['dots that lead upwards', '../escape/../../x'],
    ['what file systems reserve', 'quote"colon:star*back\\slash'],
    ['1,024 bytes', 'x'.repeat(1024)],
  ])('under a name with %s keeps it as it is', async (_title, name) => {
    const file = bucket.file(name);
    await file.save(name, { resumable: false });
    expect(await textOf(file)).toBe(name);
    const [files] = await bucket.getFiles({ prefix: name });
    expect(files.map((each) => each.name)).toContain(name);
    await file.delete();
    expect(await file.exists()).toEqual([false]);
  });

  test.each([
    ['over 1,024 bytes', 'x'.repeat(1025)],
    ['with a line break', 'line\nbreak'],
    ['of two dots', '..'],
  ])('under a name %s is refused with 400', async (_title, name) => {
    expect(await refusal(bucket.file(name).save('x', { resumable: false }))).toBe(400);
  });

  test('is one of many at once that all arrive, each with its own generation', async () => {
    const names = Array.from({ length: 24 }, (_, index) => `concurrent/${index}`);
    await Promise.all(names.map((name) => bucket.file(name).save(`body ${name}`, { resumable: false })));
    const [files] = await bucket.getFiles({ prefix: 'concurrent/' });
    expect(files.map((file) => file.name).sort()).toEqual([...names].sort());
    expect(new Set(files.map((file) => file.metadata.generation)).size).toBe(names.length);
    const texts = await Promise.all(names.map((name) => textOf(bucket.file(name))));
    expect(texts).toEqual(names.map((name) => `body ${name}`));
  });
});

describe('a multipart body', () => {
  const MEDIA = 'line\r\n--not-it\r\n-\r\n--bound nearly\r\n';
  const BODY = Buffer.from(
    '--boundary\r\nContent-Type: application/json\r\n\r\n{"name":"þ"}\r\n' +
      `--boundary\r\nContent-Type: text/plain\r\n\r\n${MEDIA}\r\n--boundary--\r\n`,
  );
  const TYPE = 'multipart/related; boundary="boundary"';

  test('is metadata and media', () => {
    const { media, ...rest } = parseMultipart(TYPE, BODY);
    expect(rest).toEqual({ metadata: '{"name":"þ"}', contentType: 'text/plain' });
    expect(media.toString()).toBe(MEDIA);
  });

  test('that ends anywhere before its closing boundary is refused', () => {
    const closing = BODY.lastIndexOf('--\r\n');
    for (let end = 0; end < closing + 2; end += 1) {
      expect(() => parseMultipart(TYPE, BODY.subarray(0, end))).toThrow(
        expect.objectContaining({ status: 400 }),
      );
    }
  });

  test.each([undefined, 'multipart/related', 'application/json', 'multipart/form-data; boundary=b'])(
    'with the content type %s is refused',
    (contentType) => {
      expect(() => parseMultipart(contentType, BODY)).toThrow(expect.objectContaining({ status: 400 }));
    },
  );
});

describe('metadata', () => {
  test('is merged by a patch, which deletes keys that are null and counts the metageneration', async () => {
    const file = bucket.file('patched');
    const before = { keep: '1', drop: '2' };
    await file.save('x', { resumable: false, metadata: { cacheControl: 'no-cache', metadata: before } });
    const generation = file.metadata.generation;
    await file.setMetadata({
      cacheControl: null as unknown as string,
      metadata: { drop: null, add: '3' },
    });
    const [metadata] = await bucket.file('patched').getMetadata();
    expect(metadata).toMatchObject({ metageneration: '2', generation });
    expect(metadata.metadata).toEqual({ keep: '1', add: '3' });
    expect(metadata.cacheControl).toBeUndefined();
    expect(await textOf(file)).toBe('x');
  });

  test('of a new upload is its own', async () => {
    const file = bucket.file('fresh');
    await file.save('one', { resumable: false, metadata: { metadata: { old: 'yes' } } });
    await file.setMetadata({ metadata: { more: 'yes' } });
    await bucket.file('fresh').save('two', { resumable: false });
    const [metadata] = await bucket.file('fresh').getMetadata();
    expect(metadata.metageneration).toBe('1');
    expect(metadata.metadata).toBeUndefined();
  });
});

test('a listing has the order of the UTF-8 bytes, not of UTF-16 units or a locale', async () => {
  const own = makeClient(url).bucket('listed');
  const inOrder = ['Z', 'a', 'a.txt', 'a/1', 'b/1', 'þ', '\uffff', '🧊'];
  for (const name of inOrder.toReversed()) await own.file(name).save(name, { resumable: false });
  const names = async (prefix: string) => (await own.getFiles({ prefix }))[0].map(({ name }) => name);
  expect(await names('')).toEqual(inOrder);
  expect(await names('a')).toEqual(['a', 'a.txt', 'a/1']);
  expect(await names('nothing')).toEqual([]);
});

test('a download carries what the client validates with', async () => {
  const file = bucket.file('headers.txt');
  await file.save('123456789', { resumable: false, metadata: { contentType: 'text/plain' } });
  const answer = await fetch(`${url}/storage/v1/b/members/o/headers.txt?alt=media`);
  expect(await answer.text()).toBe('123456789');
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'content-type': 'text/plain',
    'content-length': '9',
    'x-goog-generation': file.metadata.generation,
    'x-goog-metageneration': '1',
    'x-goog-hash': expect.stringContaining('crc32c=4waSgw=='),
    'x-goog-stored-content-encoding': 'identity',
  });
});

test('a missing object is 404 to every call', async () => {
  const file = bucket.file('missing');
  expect(await file.exists()).toEqual([false]);
  expect(await refusal(file.getMetadata())).toBe(404);
  expect(await refusal(file.download())).toBe(404);
  expect(await refusal(file.setMetadata({ contentType: 'text/plain' }))).toBe(404);
  expect(await refusal(file.delete())).toBe(404);
});

test('a missing bucket is 404 where buckets are not made on demand', async () => {
  const server = await scratch.start({ createBucketsOnDemand: false });
  const missing = makeClient(server.url).bucket('no-such-bucket');
  expect(await missing.exists()).toEqual([false]);
  expect(await refusal(missing.file('x').save('x', { resumable: false }))).toBe(404);
  expect(await refusal(missing.getFiles())).toBe(404);
});

test('what is not simulated says so, and does nothing', async () => {
  const file = bucket.file('kept');
  await file.save('as it was', { resumable: false });
  const calls = [
    () => file.acl.get(),
    () => file.copy('copied'),
    () => bucket.combine(['kept'], 'combined'),
    () => bucket.getFiles({ delimiter: '/' }),
    () => bucket.getFiles({ maxResults: 1 }),
    () => bucket.setMetadata({ versioning: { enabled: false } }),
    () => file.setMetadata({ contentType: 'text/csv' }, { ifMetagenerationMatch: 7 }),
    () => file.setMetadata({ contentLanguage: 'is' }),
    () => file.save('other', { resumable: false, metadata: { crc32c: 'AAAAAA==' } }),
    () => file.save('other', { resumable: false, preconditionOpts: { ifGenerationNotMatch: 1 } }),
  ];
  for (const call of calls) expect(await refusal(call())).toBe(501);
  await expect(file.save('other', { resumable: true })).rejects.toMatchObject({ status: 501 });
  expect(await textOf(file)).toBe('as it was');
  expect((await file.getMetadata())[0].metageneration).toBe('1');
});
