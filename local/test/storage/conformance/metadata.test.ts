import type { Bucket } from '@google-cloud/storage';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTarget, refusal, type Target, textOf } from './target.ts';

let target: Target;
let bucket: Bucket;
beforeAll(async () => {
  target = await openTarget();
  bucket = await target.newBucket();
});
afterAll(() => target.close());

test('a patch merges custom metadata, deletes keys that are null, and counts the metageneration', async () => {
  const file = bucket.file('patched');
  await file.save('x', {
    resumable: false,
    metadata: { contentType: 'text/plain', cacheControl: 'no-cache', metadata: { keep: '1', drop: '2' } },
  });
  const generation = file.metadata.generation;
  await file.setMetadata({ cacheControl: null as unknown as string, metadata: { drop: null, add: '3' } });
  const [metadata] = await bucket.file('patched').getMetadata();
  expect(metadata).toMatchObject({ contentType: 'text/plain', metageneration: '2', generation });
  expect(metadata.metadata).toEqual({ keep: '1', add: '3' });
  expect(metadata.cacheControl).toBeUndefined();
  expect(await textOf(file)).toBe('x');
});

test('a patch on the metageneration that was read is applied once', async () => {
  const file = bucket.file('conditional');
  await file.save('x', { resumable: false });
  const patch = (value: string) => file.setMetadata({ metadata: { value } }, { ifMetagenerationMatch: 1 });
  const results = await Promise.allSettled([patch('left'), patch('right')]);
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect((await file.getMetadata())[0].metageneration).toBe('2');
});

test('a noncurrent version has metadata of its own', async () => {
  const file = bucket.file('noncurrent');
  await file.save('one', { resumable: false });
  const generation = String(file.metadata.generation);
  await bucket.file('noncurrent').save('two', { resumable: false });
  await bucket.file('noncurrent', { generation }).setMetadata({ metadata: { note: 'old' } });
  expect((await bucket.file('noncurrent', { generation }).getMetadata())[0].metadata).toEqual({
    note: 'old',
  });
  expect((await bucket.file('noncurrent').getMetadata())[0]).toMatchObject({ metageneration: '1' });
});

test('a new upload starts with its own metadata and metageneration 1', async () => {
  const file = bucket.file('fresh');
  await file.save('one', { resumable: false, metadata: { metadata: { old: 'yes' } } });
  await file.setMetadata({ metadata: { more: 'yes' } });
  await bucket.file('fresh').save('two', { resumable: false });
  const [metadata] = await bucket.file('fresh').getMetadata();
  expect(metadata.metageneration).toBe('1');
  expect(metadata.metadata).toBeUndefined();
});

test('a bucket keeps its versioning and lifecycle settings, and counts its metageneration', async () => {
  const own = await target.newBucket(false);
  expect((await own.getMetadata())[0].versioning?.enabled ?? false).toBe(false);
  await own.setMetadata({ versioning: { enabled: true } });
  const rule = { action: { type: 'Delete' }, condition: { numNewerVersions: 30 } } as const;
  await own.setMetadata({ lifecycle: { rule: [rule] } });
  const [metadata] = await own.getMetadata();
  expect(metadata).toMatchObject({
    kind: 'storage#bucket',
    name: own.name,
    versioning: { enabled: true },
    lifecycle: { rule: [rule] },
    metageneration: '3',
  });
  await own.setMetadata({ lifecycle: null as unknown as { rule: [] } });
  expect((await own.getMetadata())[0].lifecycle).toBeUndefined();
});

test('a bucket is created once, listed, and deleted only when it is empty', async () => {
  const own = await target.newBucket();
  expect(await refusal(target.client.createBucket(own.name))).toBe(409);
  const [buckets] = await target.client.getBuckets({ prefix: own.name });
  expect(buckets.map(({ name }) => name)).toEqual([own.name]);
  await own.file('x').save('x', { resumable: false });
  expect(await refusal(own.delete())).toBe(409);
  await own.deleteFiles({ versions: true });
  await own.delete();
  expect(await own.exists()).toEqual([false]);
  await target.client.createBucket(own.name);
});
