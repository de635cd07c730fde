import { access, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Bucket } from '@google-cloud/storage';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeClient, textOf } from './conformance/target.ts';
import { makeScratch, type Scratch } from './scratch.ts';

let scratch: Scratch;
let bucket: Bucket;
beforeEach(async () => {
  scratch = await makeScratch();
  bucket = makeClient((await scratch.start()).url).bucket('members');
});
afterEach(() => scratch.clean());

const shown = (...parts: string[]) => path.join(scratch.directory, 'members', ...parts);
const save = (name: string, text = name) => bucket.file(name).save(text, { resumable: false });

test('an object is a plain file under its name, and a replaced one changes with it', async () => {
  await save('lists/kennitalas.txt', 'one\n');
  expect(await readFile(shown('lists', 'kennitalas.txt'), 'utf8')).toBe('one\n');
  await save('lists/kennitalas.txt', 'two\n');
  expect(await readFile(shown('lists', 'kennitalas.txt'), 'utf8')).toBe('two\n');
  expect(await readdir(shown())).toEqual(['lists']);
});

test('a deleted object is no file, and folders that became empty go too', async () => {
  await save('deep/er/file');
  await bucket.file('deep/er/file').delete();
  expect(await readdir(shown())).toEqual([]);
});

test('no name leaves the bucket folder', async () => {
  const names = [
    '../outside',
    '../../outside',
    '/etc/outside',
    'a/../../../outside',
    'nul\u0000byte',
    './dot',
  ];
  for (const name of names) await save(name);
  for (const name of names) expect(await textOf(bucket.file(name))).toBe(name);
  expect((await readdir(scratch.directory)).sort()).toEqual(['.versions', 'members']);
  await expect(access(path.join(path.dirname(scratch.directory), 'outside'))).rejects.toThrow();
});

test.each([
  ['the file', ['a', 'a/b']],
  ['the folder', ['a/b', 'a']],
])('a name that is both a file and a folder is kept, %s first', async (_title, names) => {
  for (const name of names) await save(name);
  for (const name of names) expect(await textOf(bucket.file(name))).toBe(name);
  await bucket.file(names[0] ?? '').delete();
  expect(await textOf(bucket.file(names[1] ?? ''))).toBe(names[1]);
  await bucket.file(names[1] ?? '').delete();
  expect(await readdir(shown())).toEqual([]);
});

test('a name that looks like an encoded one is another object', async () => {
  await save('a/b', 'slash');
  await save('a%2Fb', 'percent');
  expect(await textOf(bucket.file('a/b'))).toBe('slash');
  expect(await textOf(bucket.file('a%2Fb'))).toBe('percent');
});

test('the plain file cannot be overwritten by mistake, and a start puts the view right', async () => {
  await save('kept', 'right');
  const { mode } = await stat(shown('kept'));
  expect(mode & 0o222).toBe(0);
  await rm(shown('kept'));
  await writeFile(shown('kept'), 'wrong');
  const again = await scratch.start();
  expect(await readFile(shown('kept'), 'utf8')).toBe('right');
  expect(await textOf(makeClient(again.url).bucket('members').file('kept'))).toBe('right');
});
