import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ObjectVersion, softDeletedVersions, withSoftDeleted } from '../../src/storage/object-record.ts';
import { makeClient } from './conformance/target.ts';
import { makeScratch, type Scratch } from './scratch.ts';

let scratch: Scratch;
beforeEach(async () => {
  scratch = await makeScratch();
});
afterEach(() => scratch.clean());

test('what is soft-deleted survives a restart as an entry, and its bytes are gone at once', async () => {
  const server = await scratch.start();
  const file = makeClient(server.url).bucket('lists').file('kept.txt');
  await file.save('somebody was here', { resumable: false });
  const { generation = '' } = file.metadata;
  await makeClient(server.url).bucket('lists').file('kept.txt', { generation }).delete();
  await server.close();

  const again = await scratch.start();
  const [found] = await makeClient(again.url).bucket('lists').getFiles({ softDeleted: true });
  expect(found.map(({ metadata }) => String(metadata.generation))).toEqual([String(generation)]);
  expect(await readdir(join(scratch.directory, '.versions', 'lists', 'data'))).toEqual([]);
  const [record = ''] = await readdir(join(scratch.directory, '.versions', 'lists', 'objects'));
  const text = await readFile(join(scratch.directory, '.versions', 'lists', 'objects', record), 'utf8');
  expect(text).not.toContain('somebody');
});

test('an entry ends when its time is up, whether anything is written or not', () => {
  const version: ObjectVersion = {
    generation: '1',
    metageneration: 1,
    size: 0,
    md5Hash: '',
    crc32c: '',
    timeCreated: '',
    updated: '',
    attributes: {},
  };
  const at = new Date('2026-11-20T00:00:00Z');
  const week = 7 * 86_400;
  const record = withSoftDeleted({ name: 'a', live: null, versions: [] }, [version], week, at);
  const end = new Date(at.getTime() + week * 1_000);
  expect(softDeletedVersions(record, new Date(end.getTime() - 1))).toHaveLength(1);
  expect(softDeletedVersions(record, end)).toEqual([]);
  expect(withSoftDeleted(record, [], week, end)).not.toHaveProperty('softDeleted');
});
