import { gzipSync } from 'node:zlib';
import type { Bucket } from '@google-cloud/storage';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTarget, type Target, textOf } from './target.ts';

let target: Target;
let bucket: Bucket;
beforeAll(async () => {
  target = await openTarget();
  bucket = await target.newBucket();
});
afterAll(() => target.close());

const upload = (query: string) => `${target.url}/upload/storage/v1/b/${bucket.name}/o?${query}`;

async function beginResumable(query: string): Promise<string> {
  const answer = await fetch(upload(`uploadType=resumable&${query}`), { method: 'POST' });
  expect(answer.status).toBe(200);
  return answer.headers.get('location') ?? '';
}

async function put(url: string, contentRange: string, body?: Uint8Array<ArrayBuffer>, headers = {}) {
  const answer = await fetch(url, {
    method: 'PUT',
    headers: { 'content-range': contentRange, ...headers },
    redirect: 'manual',
    ...(body ? { body } : {}),
  });
  return { status: answer.status, range: answer.headers.get('range'), text: await answer.text() };
}

test('a media upload takes its content type from the request', async () => {
  const answer = await fetch(upload('uploadType=media&name=media.csv'), {
    method: 'POST',
    headers: { 'content-type': 'text/csv' },
    body: 'a,b\n',
  });
  expect(await answer.json()).toMatchObject({ name: 'media.csv', contentType: 'text/csv', size: '4' });
});

test('X-Goog-Hash and Content-MD5 are checked', async () => {
  for (const headers of [
    { 'x-goog-hash': 'crc32c=AAAAAA==' },
    { 'x-goog-hash': 'md5=AAAAAAAAAAAAAAAAAAAAAA==' },
    { 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' },
  ]) {
    const answer = await fetch(upload('uploadType=media&name=hashed'), {
      method: 'POST',
      headers,
      body: 'x',
    });
    expect(answer.status).toBe(400);
    await answer.body?.cancel();
  }
  expect(await bucket.file('hashed').exists()).toEqual([false]);
});

test('a resumable upload goes on after a lost chunk and tells how much it has', async () => {
  const chunk = 256 * 1024;
  const bytes = new Uint8Array(2 * chunk + 5).fill(7);
  const url = await beginResumable('name=resumed&ifGenerationMatch=0');
  expect(await put(url, 'bytes */*')).toMatchObject({ status: 308, range: null });
  const range = `bytes 0-${chunk - 1}/${bytes.length}`;
  const first = await put(url, range, bytes.slice(0, chunk));
  expect(first).toMatchObject({ status: 308, range: `bytes=0-${chunk - 1}` });
  // The answer was lost, and the client sends the same bytes and more.
  const second = await put(url, `bytes 0-${2 * chunk - 1}/*`, bytes.slice(0, 2 * chunk));
  expect(second).toMatchObject({ status: 308, range: `bytes=0-${2 * chunk - 1}` });
  expect(await put(url, `bytes */${bytes.length}`)).toMatchObject({
    status: 308,
    range: `bytes=0-${2 * chunk - 1}`,
  });
  const last = await put(
    url,
    `bytes ${2 * chunk}-${bytes.length - 1}/${bytes.length}`,
    bytes.slice(2 * chunk),
  );
  expect(last.status).toBe(200);
  expect(JSON.parse(last.text)).toMatchObject({ name: 'resumed', size: String(bytes.length) });

  const repeated = await put(url, 'bytes */*');
  expect(repeated.status).toBe(200);
  expect(JSON.parse(repeated.text).generation).toBe(JSON.parse(last.text).generation);
  expect((await bucket.file('resumed').download())[0].equals(bytes)).toBe(true);
});

test('the preconditions of a resumable upload are those at its end', async () => {
  const url = await beginResumable('name=overtaken&ifGenerationMatch=0');
  await bucket.file('overtaken').save('faster', { resumable: false });
  expect((await put(url, 'bytes 0-3/4', new Uint8Array(4))).status).toBe(412);
  expect(await textOf(bucket.file('overtaken'))).toBe('faster');
});

test('a cancelled or unknown resumable upload is gone', async () => {
  const url = await beginResumable('name=cancelled');
  const cancel = await fetch(url, { method: 'DELETE' });
  expect(cancel.status).toBe(499);
  for (const session of [url, upload('uploadType=resumable&upload_id=..%2F..%2Fbucket')]) {
    expect((await put(session, 'bytes */*')).status).toBe(404);
  }
});

test('a multipart body without its closing boundary is refused, and no half object stays', async () => {
  const body =
    '--b\r\nContent-Type: application/json\r\n\r\n{"name":"half"}\r\n--b\r\nContent-Type: text/plain\r\n\r\nhalf of';
  const answer = await fetch(upload('uploadType=multipart'), {
    method: 'POST',
    headers: { 'content-type': 'multipart/related; boundary=b' },
    body,
  });
  expect(answer.status).toBe(400);
  await answer.body?.cancel();
  expect(await bucket.file('half').exists()).toEqual([false]);
});

test.each([
  ['at once, for its bucket', 'conformance-no-such-bucket', 'x', 404],
  ['in the middle, for its name', '', 'x'.repeat(1025), 400],
])(
  'a large upload that is refused %s gets an answer, not a broken connection',
  async (_title, other, name, status) => {
    const head = `--b\r\nContent-Type: application/json\r\n\r\n${JSON.stringify({ name })}\r\n--b\r\n\r\n`;
    const url = `${target.url}/upload/storage/v1/b/${other || bucket.name}/o?uploadType=multipart`;
    for (let round = 0; round < 2; round += 1) {
      const answer = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'multipart/related; boundary=b' },
        body: Buffer.concat([Buffer.from(head), Buffer.alloc(12_000_000)]),
      });
      expect(answer.status).toBe(status);
      await answer.body?.cancel();
    }
  },
);

test('a download carries what the client validates with', async () => {
  await bucket
    .file('headers.txt')
    .save('123456789', { resumable: false, metadata: { contentType: 'text/plain' } });
  const object = `${target.url}/storage/v1/b/${bucket.name}/o/headers.txt`;
  const [metadata] = await bucket.file('headers.txt').getMetadata();
  for (const url of [
    `${object}?alt=media`,
    `${target.url}/download/storage/v1/b/${bucket.name}/o/headers.txt?alt=media`,
    `${target.url}/${bucket.name}/headers.txt`,
  ]) {
    const answer = await fetch(url);
    expect(await answer.text()).toBe('123456789');
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'text/plain',
      'content-length': '9',
      'x-goog-generation': metadata.generation,
      'x-goog-metageneration': '1',
      'x-goog-hash': expect.stringContaining('crc32c=4waSgw=='),
      'x-goog-stored-content-encoding': 'identity',
    });
  }
});

test.each([
  ['bytes=0-0', 206, '1', 'bytes 0-0/9'],
  ['bytes=7-', 206, '89', 'bytes 7-8/9'],
  ['bytes=-2', 206, '89', 'bytes 7-8/9'],
  ['bytes=-99', 206, '123456789', 'bytes 0-8/9'],
])('the range %s answers %i', async (range, status, text, contentRange) => {
  await bucket.file('ranged').save('123456789', { resumable: false });
  const answer = await fetch(`${target.url}/storage/v1/b/${bucket.name}/o/ranged?alt=media`, {
    headers: { range },
  });
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-range')).toBe(contentRange);
  expect(await answer.text()).toBe(text);
});

test('a range after the last byte is 416', async () => {
  await bucket.file('short').save('123', { resumable: false });
  const url = `${target.url}/storage/v1/b/${bucket.name}/o/short?alt=media`;
  const answer = await fetch(url, { headers: { range: 'bytes=3-' } });
  expect(answer.status).toBe(416);
  await answer.body?.cancel();
});

test('HEAD answers without a body', async () => {
  await bucket.file('head').save('123', { resumable: false });
  const answer = await fetch(`${target.url}/${bucket.name}/head`, { method: 'HEAD' });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-length')).toBe('3');
  expect(await answer.text()).toBe('');
});

test('a compressed object is decompressed for a client that does not take gzip', async () => {
  const query = 'uploadType=media&name=transcoded&contentEncoding=gzip';
  await (await fetch(upload(query), { method: 'POST', body: gzipSync('plain text') })).json();
  const url = `${target.url}/storage/v1/b/${bucket.name}/o/transcoded?alt=media`;
  const answer = await fetch(url, { headers: { 'accept-encoding': 'identity' } });
  expect(answer.headers.get('content-encoding')).toBeNull();
  expect(answer.headers.get('x-goog-stored-content-encoding')).toBe('gzip');
  expect(await answer.text()).toBe('plain text');
});
