import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bucket } from '@google-cloud/storage';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { softDeletedAt } from '../../src/storage/bucket.ts';
import type { SoftDeletedVersion } from '../../src/storage/bucket-files.ts';
import {
  generationsIn,
  makeClient,
  makeScratch,
  refusal,
  type Scratch,
  saveEach,
  textOf,
} from './support/scratch.ts';

const WEEK_SECONDS = 604_800;

let scratch: Scratch;
let url: string;
let bucket: Bucket;
beforeAll(async () => {
  scratch = await makeScratch();
  url = (await scratch.start()).url;
  bucket = makeClient(url).bucket('members');
});
afterAll(() => scratch.clean());

const versionsOf = (name: string) => generationsIn(bucket, { versions: true }, name);
const softDeletedOf = (name: string, place = bucket) => generationsIn(place, { softDeleted: true }, name);

describe('versions', () => {
  test('have generations that grow strictly, and are listed oldest first', async () => {
    const generations = await saveEach(bucket.file('listed'), ['one', 'two', 'three']);
    expect(generations.map(BigInt)).toEqual(generations.map(BigInt).sort((a, b) => (a < b ? -1 : 1)));
    expect(new Set(generations).size).toBe(3);
    expect(await versionsOf('listed')).toEqual(generations);
    const [versions] = await bucket.getFiles({ prefix: 'listed', versions: true });
    expect(versions.map((each) => each.metadata.timeDeleted !== undefined)).toEqual([true, true, false]);
    const [live] = await bucket.getFiles({ prefix: 'listed' });
    expect(live.map((each) => String(each.metadata.generation))).toEqual(generations.slice(-1));
  });

  test('can be read by their generation, bytes and metadata, and have metadata of their own', async () => {
    const [generation = ''] = await saveEach(bucket.file('read-old'), ['one', 'two']);
    const old = bucket.file('read-old', { generation });
    expect(await textOf(old)).toBe('one');
    expect((await old.getMetadata())[0]).toMatchObject({ generation, metadata: { text: 'one' } });
    await old.setMetadata({ metadata: { note: 'old' } });
    expect((await old.getMetadata())[0].metadata).toEqual({ text: 'one', note: 'old' });
    expect((await bucket.file('read-old').getMetadata())[0]).toMatchObject({ metageneration: '1' });
  });

  test('become noncurrent by a delete, after which ifGenerationMatch 0 holds again', async () => {
    const [generation = ''] = await saveEach(bucket.file('deleted'), ['still here']);
    await bucket.file('deleted').delete();
    expect(await bucket.file('deleted').exists()).toEqual([false]);
    expect(await refusal(bucket.file('deleted').download())).toBe(404);
    expect(await textOf(bucket.file('deleted', { generation }))).toBe('still here');
    const again = bucket.file('deleted');
    await again.save('two', { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } });
    expect(await textOf(again)).toBe('two');
  });

  test('are gone for good, each alone, by a delete that names the generation', async () => {
    const [first = '', second = ''] = await saveEach(bucket.file('erased'), ['one', 'two']);
    await bucket.file('erased', { generation: first }).delete();
    expect(await refusal(bucket.file('erased', { generation: first }).download())).toBe(404);
    expect(await textOf(bucket.file('erased'))).toBe('two');
    await bucket.file('erased', { generation: second }).delete();
    expect(await bucket.file('erased').exists()).toEqual([false]);
    expect(await versionsOf('erased')).toEqual([]);
  });
});

describe('soft delete', () => {
  test('keeps what is deleted for seven days in a new bucket, which says so', async () => {
    const [{ softDeletePolicy, versioning }] = await bucket.getMetadata();
    expect(versioning).toEqual({ enabled: true });
    expect(Number(softDeletePolicy?.retentionDurationSeconds)).toBe(WEEK_SECONDS);
    expect(softDeletePolicy?.effectiveTime).toMatch(/^\d{4}-/);
  });

  test('lists a version that was deleted by its generation, with the time of its end', async () => {
    const [first = '', second = ''] = await saveEach(bucket.file('soft'), ['one', 'two']);
    expect(await softDeletedOf('soft')).toEqual([]);
    await bucket.file('soft', { generation: first }).delete();
    const [[found, ...others]] = await bucket.getFiles({ prefix: 'soft', softDeleted: true });
    expect(others).toEqual([]);
    expect(found?.metadata).toMatchObject({ generation: first, name: 'soft' });
    const { softDeleteTime = '', hardDeleteTime = '' } = found?.metadata ?? {};
    expect(Date.parse(hardDeleteTime) - Date.parse(softDeleteTime)).toBe(WEEK_SECONDS * 1_000);
    expect(await versionsOf('soft')).toEqual([second]);
  });

  test('does not list what only became noncurrent', async () => {
    await saveEach(bucket.file('noncurrent'), ['one', 'two']);
    await bucket.file('noncurrent').delete();
    expect(await softDeletedOf('noncurrent')).toEqual([]);
  });

  test('lists a name of which nothing else is left, which can be written again', async () => {
    const [generation = ''] = await saveEach(bucket.file('gone'), ['one']);
    await bucket.file('gone', { generation }).delete();
    expect(await softDeletedOf('gone')).toEqual([generation]);
    const again = bucket.file('gone');
    await again.save('two', { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } });
    expect(await softDeletedOf('gone')).toEqual([generation]);
  });

  test('that is off keeps nothing more, and keeps what was deleted before', async () => {
    const other = makeClient(url).bucket('without');
    const [first = '', second = ''] = await saveEach(other.file('both'), ['one', 'two', 'three']);
    await other.file('both', { generation: first }).delete();
    await other.setMetadata({ softDeletePolicy: { retentionDurationSeconds: 0 } });
    await other.file('both', { generation: second }).delete();
    expect(await softDeletedOf('both', other)).toEqual([first]);
  });

  test.each([1, WEEK_SECONDS - 1, 91 * 86_400])('for %i seconds is refused', async (seconds) => {
    const change = bucket.setMetadata({ softDeletePolicy: { retentionDurationSeconds: seconds } });
    expect(await refusal(change)).toBe(400);
  });

  test('cannot be asked for together with versions', async () => {
    expect(await refusal(bucket.getFiles({ versions: true, softDeleted: true }))).toBe(400);
  });

  test('survives a restart as an entry, and the bytes are gone at once', async () => {
    const [generation = ''] = await saveEach(makeClient(url).bucket('lists').file('kept.txt'), ['somebody']);
    await makeClient(url).bucket('lists').file('kept.txt', { generation }).delete();
    const again = makeClient((await scratch.start()).url).bucket('lists');
    expect(await softDeletedOf('kept.txt', again)).toEqual([generation]);
    expect(await readdir(join(scratch.directory, '.versions', 'lists', 'data'))).toEqual([]);
  });

  test('ends when its time is up, whether anything is written or not', () => {
    const end = new Date('2026-11-27T00:00:00Z');
    const version: SoftDeletedVersion = {
      ...{ generation: '1', metageneration: 1, size: 0, md5Hash: '', crc32c: '' },
      ...{ timeCreated: '', updated: '', attributes: {} },
      ...{ softDeleteTime: '2026-11-20T00:00:00Z', hardDeleteTime: end.toISOString() },
    };
    expect(softDeletedAt({ softDeleted: [version] }, new Date(end.getTime() - 1))).toHaveLength(1);
    expect(softDeletedAt({ softDeleted: [version] }, end)).toEqual([]);
  });
});

test('no byte of a version that was deleted for good is on disk', async () => {
  const [first = ''] = await saveEach(bucket.file('private'), ['somebody was here', 'nobody is']);
  await bucket.file('private', { generation: first }).delete();
  const folder = join(scratch.directory, '.versions', 'members', 'data');
  const texts = await Promise.all(
    (await readdir(folder)).map((file) => readFile(join(folder, file), 'utf8')),
  );
  expect(texts).toContain('nobody is');
  expect(texts).not.toContain('somebody was here');
});
