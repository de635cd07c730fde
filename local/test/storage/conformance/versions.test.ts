import type { Bucket, File } from '@google-cloud/storage';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTarget, refusal, type Target, textOf } from './target.ts';

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
    await file.save(text, { resumable: false, metadata: { contentType: 'text/plain', metadata: { text } } });
    generations.push(String(file.metadata.generation));
  }
  return generations;
}

async function versionsOf(name: string, inBucket = bucket): Promise<File[]> {
  const [files] = await inBucket.getFiles({ prefix: name, versions: true });
  return files;
}

test('generations grow strictly, and every old version is listed, oldest first', async () => {
  const file = bucket.file('listed');
  const generations = await saveEach(file, ['one', 'two', 'three']);
  expect(generations.map(BigInt)).toEqual([...generations].map(BigInt).sort((a, b) => (a < b ? -1 : 1)));
  expect(new Set(generations).size).toBe(3);

  const versions = await versionsOf('listed');
  expect(versions.map((each) => String(each.metadata.generation))).toEqual(generations);
  expect(versions.map((each) => each.metadata.timeDeleted !== undefined)).toEqual([true, true, false]);
  const [live] = await bucket.getFiles({ prefix: 'listed' });
  expect(live.map((each) => String(each.metadata.generation))).toEqual(generations.slice(-1));
});

test('an old version can be read by its generation, bytes and metadata', async () => {
  const [first = ''] = await saveEach(bucket.file('read-old'), ['one', 'two']);
  const old = bucket.file('read-old', { generation: first });
  expect(await textOf(old)).toBe('one');
  expect((await old.getMetadata())[0]).toMatchObject({ generation: first, metadata: { text: 'one' } });
});

test('a version is restored by copying it onto its own name, with its metadata', async () => {
  const file = bucket.file('restored');
  const [first = '', second = ''] = await saveEach(file, ['one', 'two']);
  await bucket
    .file('restored', { generation: first })
    .copy(bucket.file('restored'), { preconditionOpts: { ifGenerationMatch: Number(second) } });

  expect(await textOf(bucket.file('restored'))).toBe('one');
  const [metadata] = await bucket.file('restored').getMetadata();
  expect(metadata).toMatchObject({
    contentType: 'text/plain',
    metageneration: '1',
    metadata: { text: 'one' },
  });
  expect(BigInt(String(metadata.generation))).toBeGreaterThan(BigInt(second));
  expect(await versionsOf('restored')).toHaveLength(3);
});

test('a restore loses against a newer write', async () => {
  const file = bucket.file('restore-race');
  const [first = '', second = ''] = await saveEach(file, ['one', 'two', 'three']);
  const restore = bucket
    .file('restore-race', { generation: first })
    .copy(bucket.file('restore-race'), { preconditionOpts: { ifGenerationMatch: Number(second) } });
  expect(await refusal(restore)).toBe(412);
  expect(await textOf(bucket.file('restore-race'))).toBe('three');
});

test('a copy may go to another bucket and take other metadata', async () => {
  const other = await target.newBucket();
  const source = bucket.file('copy-source');
  await saveEach(source, ['copied']);
  await source.copy(other.file('kept'));
  expect((await other.file('kept').getMetadata())[0]).toMatchObject({ metadata: { text: 'copied' } });
  await source.copy(other.file('changed'), { contentType: 'text/csv', metadata: { text: 'new' } });
  expect((await other.file('changed').getMetadata())[0]).toMatchObject({
    contentType: 'text/csv',
    metadata: { text: 'new' },
  });
  expect(await textOf(other.file('changed'))).toBe('copied');
});

test('a delete makes the live version noncurrent, and it can be read and restored', async () => {
  const file = bucket.file('deleted');
  const [generation = ''] = await saveEach(file, ['still here']);
  await bucket.file('deleted').delete();
  expect(await bucket.file('deleted').exists()).toEqual([false]);
  expect(await refusal(bucket.file('deleted').download())).toBe(404);
  expect(await textOf(bucket.file('deleted', { generation }))).toBe('still here');

  await bucket.file('deleted', { generation }).copy(bucket.file('deleted'));
  expect(await textOf(bucket.file('deleted'))).toBe('still here');
});

test('after a delete, ifGenerationMatch 0 holds again', async () => {
  await saveEach(bucket.file('recreated'), ['one']);
  await bucket.file('recreated').delete();
  await bucket
    .file('recreated')
    .save('two', { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } });
  expect(await textOf(bucket.file('recreated'))).toBe('two');
});

test('a delete that names a generation is final, for that version alone', async () => {
  const [first = '', second = ''] = await saveEach(bucket.file('erased'), ['one', 'two']);
  await bucket.file('erased', { generation: first }).delete();
  expect(await refusal(bucket.file('erased', { generation: first }).download())).toBe(404);
  expect(await textOf(bucket.file('erased'))).toBe('two');
  await bucket.file('erased', { generation: second }).delete();
  expect(await bucket.file('erased').exists()).toEqual([false]);
  expect(await versionsOf('erased')).toEqual([]);
});

test('without versioning an overwrite and a delete keep nothing', async () => {
  const plain = await target.newBucket(false);
  const [first = '', second = ''] = await saveEach(plain.file('plain'), ['one', 'two']);
  expect(await refusal(plain.file('plain', { generation: first }).download())).toBe(404);
  await plain.file('plain').delete();
  expect(await refusal(plain.file('plain', { generation: second }).download())).toBe(404);
  expect(await versionsOf('plain', plain)).toEqual([]);
});
