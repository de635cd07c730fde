import type { Bucket } from '@google-cloud/storage';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FaultTarget, LocalStorage } from '../../src/storage/index.ts';
import { makeClient, makeScratch, refusal, type Scratch, textOf } from './support/scratch.ts';

let scratch: Scratch;
let storage: LocalStorage;
let bucket: Bucket;
beforeAll(async () => {
  scratch = await makeScratch();
  storage = await scratch.start();
  bucket = makeClient(storage.url).bucket('members');
});
afterAll(() => scratch.clean());

const isUpload = ({ method, path }: FaultTarget) => method === 'POST' && path.startsWith('/upload/');
const save = (name: string, text = 'x') => bucket.file(name).save(text, { resumable: false });

test('a fault before the request leaves no effect', async () => {
  storage.failNext({ matches: isUpload, stage: 'before', answer: 503 });
  expect(await refusal(save('before'))).toBe(503);
  expect(await bucket.file('before').exists()).toEqual([false]);
});

test.each([503, 'destroy'] as const)(
  'a fault after the request (%s) hides a change that took effect',
  async (answer) => {
    const name = `after ${answer}`;
    storage.failNext({ matches: isUpload, stage: 'after', answer });
    await expect(save(name, 'durable')).rejects.toThrow();
    expect(await textOf(bucket.file(name))).toBe('durable');
  },
);

test('a writer that repeats its conditional write after a lost answer sees 412, not a second version', async () => {
  const file = bucket.file('lost answer');
  const create = () => file.save('mine', { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } });
  storage.failNext({ matches: isUpload, stage: 'after', answer: 503 });
  expect(await refusal(create())).toBe(503);
  expect(await refusal(create())).toBe(412);
  const [versions] = await bucket.getFiles({ prefix: 'lost answer', versions: true });
  expect(versions).toHaveLength(1);
});

test('a fault strikes as often as told, then no more', async () => {
  const fault = storage.failNext({ matches: isUpload, stage: 'before', answer: 500, times: 2 });
  expect([await refusal(save('times')), await refusal(save('times'))]).toEqual([500, 500]);
  await save('times');
  expect(fault.struck()).toBe(2);
});

test('a disarmed fault does nothing', async () => {
  const fault = storage.failNext({ matches: isUpload, stage: 'before', answer: 500, times: 99 });
  fault.disarm();
  await save('disarmed');
  expect(fault.struck()).toBe(0);
});

test('a held request lets another writer win the race', async () => {
  await save('held', 'read by both');
  const ifGenerationMatch = Number((await bucket.file('held').getMetadata())[0].generation);
  const write = (text: string) =>
    bucket.file('held').save(text, { resumable: false, preconditionOpts: { ifGenerationMatch } });
  const held = storage.holdNext(isUpload, 'before');
  const slow = refusal(write('slow'));
  await held.reached;
  await write('fast');
  held.release();
  expect(await slow).toBe(412);
  expect(await textOf(bucket.file('held'))).toBe('fast');
});

test('the real client gets through a passing fault by itself', async () => {
  storage.failNext({ matches: ({ method }) => method === 'GET', stage: 'before', answer: 503 });
  await save('retried');
  const client = makeClient(storage.url, {
    autoRetry: true,
    retryDelayMultiplier: 0.01,
    maxRetryDelay: 0.01,
  });
  const [metadata] = await client.bucket('members').file('retried').getMetadata();
  expect(metadata.name).toBe('retried');
});
