import type { Bucket, File } from '@google-cloud/storage';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTarget, refusal, type Target } from './target.ts';

const WEEK_SECONDS = 604_800;

let target: Target;
let bucket: Bucket;
beforeAll(async () => {
  target = await openTarget();
  bucket = await target.newBucket();
});
afterAll(() => target.close());

async function saveEach(file: File, texts: readonly string[]): Promise<string[]> {
  const generations: string[] = [];
  for (const text of texts) {
    await file.save(text, { resumable: false });
    generations.push(String(file.metadata.generation));
  }
  return generations;
}

const softDeleted = async (name: string, inBucket = bucket): Promise<File[]> =>
  (await inBucket.getFiles({ prefix: name, softDeleted: true }))[0];

test('a new bucket keeps what is deleted for seven days, and says so', async () => {
  const [{ softDeletePolicy }] = await bucket.getMetadata();
  expect(Number(softDeletePolicy?.retentionDurationSeconds)).toBe(WEEK_SECONDS);
  expect(softDeletePolicy?.effectiveTime).toMatch(/^\d{4}-/);
});

test('a version that is deleted by its generation is listed as soft-deleted, with the time of its end', async () => {
  const [first = '', second = ''] = await saveEach(bucket.file('erased'), ['one', 'two']);
  expect(await softDeleted('erased')).toEqual([]);
  await bucket.file('erased', { generation: first }).delete();

  const [found, ...others] = await softDeleted('erased');
  expect(others).toEqual([]);
  expect(found?.metadata).toMatchObject({ generation: first, name: 'erased' });
  const { softDeleteTime = '', hardDeleteTime = '' } = found?.metadata ?? {};
  expect(Date.parse(hardDeleteTime) - Date.parse(softDeleteTime)).toBe(WEEK_SECONDS * 1_000);

  const [versions] = await bucket.getFiles({ prefix: 'erased', versions: true });
  expect(versions.map(({ metadata }) => String(metadata.generation))).toEqual([second]);
  expect(await refusal(bucket.file('erased', { generation: first }).download())).toBe(404);
});

test('what only became noncurrent is not soft-deleted', async () => {
  await saveEach(bucket.file('noncurrent'), ['one', 'two']);
  await bucket.file('noncurrent').delete();
  expect(await softDeleted('noncurrent')).toEqual([]);
});

test('a name of which nothing else is left is still listed as soft-deleted, and can be written again', async () => {
  const [only = ''] = await saveEach(bucket.file('gone'), ['one']);
  await bucket.file('gone', { generation: only }).delete();
  expect(await bucket.file('gone').exists()).toEqual([false]);
  expect((await softDeleted('gone')).map(({ metadata }) => metadata.generation)).toEqual([only]);
  await bucket.file('gone').save('two', { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } });
  expect(await softDeleted('gone')).toHaveLength(1);
});

test('without versioning an overwritten version is soft-deleted', async () => {
  const plain = await target.newBucket(false);
  const [first = ''] = await saveEach(plain.file('plain'), ['one', 'two']);
  expect((await softDeleted('plain', plain)).map(({ metadata }) => metadata.generation)).toEqual([first]);
});

test('a bucket whose policy is off keeps nothing, and keeps what was deleted before', async () => {
  const other = await target.newBucket();
  const [first = '', second = ''] = await saveEach(other.file('both'), ['one', 'two', 'three']);
  await other.file('both', { generation: first }).delete();
  await other.setMetadata({ softDeletePolicy: { retentionDurationSeconds: 0 } });
  await other.file('both', { generation: second }).delete();
  expect((await softDeleted('both', other)).map(({ metadata }) => metadata.generation)).toEqual([first]);
});

test.each([1, WEEK_SECONDS - 1, 91 * 86_400])('a policy of %i seconds is refused', async (seconds) => {
  const change = bucket.setMetadata({ softDeletePolicy: { retentionDurationSeconds: seconds } });
  expect(await refusal(change)).toBe(400);
});

test('versions and soft-deleted ones cannot be asked for at once', async () => {
  expect(await refusal(bucket.getFiles({ versions: true, softDeleted: true }))).toBe(400);
});
