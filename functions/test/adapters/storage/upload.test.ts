import { randomBytes } from 'node:crypto';
import { Transform } from 'node:stream';
import type { Storage } from '@google-cloud/storage';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { download, storageCall, upload } from '../../../src/adapters/storage/client.ts';
import { startStorageProxy } from './support/storage-proxy.ts';
import { makeTemporaryStorage, type TemporaryStorage } from './support/temporary-storage.ts';

const TEXT = '0101302989\n';

let storage: TemporaryStorage;
beforeEach(async () => {
  storage = await makeTemporaryStorage();
});
afterEach(async () => {
  await storage.close();
});

const file = (client: Storage = storage.client) => client.bucket('bucket').file('kennitalas.txt');
const put = (bytes: Uint8Array, ifGeneration: string | number = 0, client?: Storage) =>
  storageCall('write', () =>
    upload(file(client), bytes, {
      ifGeneration,
      cacheControl: 'no-store',
      metadata: { reason: 'þing – ný "nöfn"' },
    }),
  );
const isUpload = ({ path }: { path: string }) => path.includes('/upload/');

describe('uploading an object', () => {
  it('writes its bytes and what is said of it in one request, and names the version', async () => {
    const requests = storage.countRequests();
    const generation = await put(Buffer.from(TEXT));
    expect(requests()).toBe(1);
    expect(await download('read', file())).toEqual({ bytes: Buffer.from(TEXT), generation });
    const [metadata] = await file().getMetadata();
    expect(metadata).toMatchObject({
      contentType: 'text/plain; charset=utf-8',
      cacheControl: 'no-store',
      metadata: { reason: 'þing – ný "nöfn"' },
    });
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['one line without its end', Buffer.from('0101302989')],
    ['what looks like the end of a part', Buffer.from('\r\n--boundary--\r\n\r\n')],
    ['any bytes', randomBytes(300_000)],
  ])('keeps the bytes as they are: %s', async (_what, bytes) => {
    await put(bytes);
    expect((await download('read', file()))?.bytes.equals(bytes)).toBe(true);
  });

  it('changes nothing where another version stands, or the bucket is not there', async () => {
    const generation = await put(Buffer.from(TEXT));
    await expect(put(Buffer.from('other'))).rejects.toMatchObject({ code: 'storage_conflict' });
    expect(await download('read', file())).toMatchObject({ generation });
    const missing = await makeTemporaryStorage({ createBucketsOnDemand: false });
    await expect(put(Buffer.from(TEXT), 0, missing.client)).rejects.toMatchObject({
      code: 'storage_rejected',
    });
    await missing.close();
  });

  it.each([500, 503, 429, 408, 'destroy'] as const)('is sent again after %s', async (answer) => {
    const fault = storage.server.failNext({ matches: isUpload, stage: 'before', answer, times: 2 });
    const generation = await put(Buffer.from(TEXT));
    expect(fault.struck()).toBe(2);
    expect(await download('read', file())).toMatchObject({ generation });
  });

  it('is not sent again when it was refused', async () => {
    const fault = storage.server.failNext({ matches: isUpload, stage: 'before', answer: 403, times: 9 });
    await expect(put(Buffer.from(TEXT))).rejects.toMatchObject({ code: 'storage_rejected' });
    expect(fault.struck()).toBe(1);
  });

  it('ends in its time when the server never answers', async () => {
    const proxy = await startStorageProxy(storage, { change: () => undefined, timeout: 300 });
    await expect(put(Buffer.from(TEXT), 0, proxy.client)).rejects.toMatchObject({
      code: 'storage_unavailable',
    });
    await proxy.close();
  });

  it('stores nothing of what was damaged on its way', async () => {
    const damage = () =>
      new Transform({
        transform: (chunk: Buffer, _encoding, done) =>
          done(null, Buffer.from(chunk.toString('latin1').replace('0101302989', '0101302988'), 'latin1')),
      });
    const proxy = await startStorageProxy(storage, { through: damage });
    await expect(put(Buffer.from(TEXT), 0, proxy.client)).rejects.toMatchObject({ code: 'storage_rejected' });
    expect(await download('read', file())).toBeNull();
    await proxy.close();
  });

  it.each([
    ['no version', 'application/json', '{}'],
    ['no object', 'application/json', 'null'],
    ['a page', 'text/html', '<p>Welcome</p>'],
  ])('does not take an answer for success that has %s', async (_what, type, body) => {
    const proxy = await startStorageProxy(storage, {
      change: (answer, response) => {
        answer.resume();
        response.writeHead(200, { 'content-type': type }).end(body);
      },
    });
    await expect(put(Buffer.from(TEXT), 0, proxy.client)).rejects.toMatchObject({
      code: 'storage_unavailable',
    });
    await proxy.close();
  });
});
