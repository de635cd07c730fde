import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { download } from '../../../src/adapters/storage/client.ts';
import { makeListStore } from '../../../src/adapters/storage/list-store.ts';
import { startStorageProxy } from './support/storage-proxy.ts';
import { makeTemporaryStorage, type TemporaryStorage } from './support/temporary-storage.ts';

const BUCKET = 'bucket';
const OBJECT = 'kennitalas.txt';
const TEXT = '0101302989\n';

let storage: TemporaryStorage;
beforeEach(async () => {
  storage = await makeTemporaryStorage();
});
afterEach(async () => {
  await storage.close();
});

const isDownload = ({ query }: { query: URLSearchParams }) => query.get('alt') === 'media';
const file = (client = storage.client) => client.bucket(BUCKET).file(OBJECT);
const publish = async () => {
  await file().save(TEXT, { resumable: false });
  return String((await file().getMetadata())[0].generation);
};

const startProxy = (change: (answer: IncomingMessage, response: ServerResponse) => void, timeout?: number) =>
  startStorageProxy(storage, { change, timeout });

describe('downloading an object', () => {
  it('gives its bytes and its version in one request', async () => {
    const generation = await publish();
    const requests = storage.countRequests();
    expect(await download('read', file())).toEqual({ bytes: Buffer.from(TEXT), generation });
    expect(requests()).toBe(1);
  });

  it('says null for an object that is not there, and refuses a bucket that is not', async () => {
    expect(await download('read', file())).toBeNull();
    const missing = await makeTemporaryStorage({ createBucketsOnDemand: false });
    await expect(download('read', file(missing.client))).rejects.toMatchObject({ code: 'storage_rejected' });
    await missing.close();
  });

  it.each([500, 503, 429, 408, 'destroy'] as const)('tries again after %s', async (answer) => {
    const generation = await publish();
    storage.server.failNext({ matches: isDownload, stage: 'before', answer, times: 2 });
    expect(await download('read', file())).toMatchObject({ generation });
  });

  it('gives up after five tries, without harm to the process', async () => {
    await publish();
    const fault = storage.server.failNext({ matches: isDownload, stage: 'before', answer: 503, times: 9 });
    await expect(download('read', file())).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect(fault.struck()).toBe(5);
  });

  it.each([
    ['never answers', () => undefined],
    [
      'never ends its body',
      (answer: IncomingMessage, response: ServerResponse) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        response.flushHeaders();
      },
    ],
  ])('gives up in its time, all tries together, when the server %s', async (_what, change) => {
    await publish();
    const proxy = await startProxy(change, 700);
    const before = performance.now();
    await expect(download('read', file(proxy.client))).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect(performance.now() - before).toBeLessThan(30_000);
    await proxy.close();
  });

  it.each([false, true])('ends when it is given up (its answer has come: %s)', async (hasAnswer) => {
    await publish();
    const asked = Promise.withResolvers<void>();
    const proxy = await startProxy((answer, response) => {
      if (hasAnswer) {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        response.flushHeaders();
      }
      setTimeout(asked.resolve, 50);
    });
    const controller = new AbortController();
    const given = download('read', file(proxy.client), controller.signal);
    await asked.promise;
    controller.abort();
    await expect(given).rejects.toMatchObject({ code: 'storage_unavailable' });
    await proxy.close();
  });

  it('does not begin for whom has given up already', async () => {
    const generation = await publish();
    await expect(download('read', file(), AbortSignal.abort())).rejects.toMatchObject({
      code: 'storage_unavailable',
    });
    expect(await download('read', file())).toMatchObject({ generation });
  });

  it('does not try again what was refused', async () => {
    await publish();
    const fault = storage.server.failNext({ matches: isDownload, stage: 'before', answer: 403, times: 9 });
    await expect(download('read', file())).rejects.toMatchObject({ code: 'storage_rejected' });
    expect(fault.struck()).toBe(1);
  });

  it('refuses bytes that were damaged on their way', async () => {
    await publish();
    const proxy = await startProxy((answer, response) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.on('data', (chunk: Buffer) => response.write(Buffer.from(chunk).fill('9', 0, 1)));
      answer.on('end', () => response.end());
    });
    await expect(download('read', file(proxy.client))).rejects.toMatchObject({ code: 'storage_unavailable' });
    await proxy.close();
  });

  it('is made again by two requests where the answer does not name its version', async () => {
    const generation = await publish();
    const proxy = await startProxy((answer, response) => {
      delete answer.headers['x-goog-generation'];
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    const list = makeListStore(async () => proxy.client, { bucket: BUCKET, object: OBJECT });
    expect(await list.read()).toEqual({ bytes: Buffer.from(TEXT), generation });
    await proxy.close();
  });
});
