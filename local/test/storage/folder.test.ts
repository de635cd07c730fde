import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Bucket } from '@google-cloud/storage';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeClient, makeScratch, type Scratch, textOf } from './support/scratch.ts';

let scratch: Scratch;
let bucket: Bucket;
beforeEach(async () => {
  scratch = await makeScratch();
  bucket = makeClient((await scratch.start()).url).bucket('members');
});
afterEach(() => scratch.clean());

const shown = (...parts: string[]) => path.join(scratch.directory, 'members', ...parts);
const kept = (folder: string) => readdir(path.join(scratch.directory, '.versions/members', folder));
const save = (name: string, text = name) => bucket.file(name).save(text, { resumable: false });
const restart = async () => makeClient((await scratch.start()).url).bucket('members');

test('an object is a plain file under its name, and a replaced one changes with it', async () => {
  await save('lists/kennitalas.txt', 'one\n');
  expect(await readFile(shown('lists', 'kennitalas.txt'), 'utf8')).toBe('one\n');
  await save('lists/kennitalas.txt', 'two\n');
  expect(await readFile(shown('lists', 'kennitalas.txt'), 'utf8')).toBe('two\n');
  expect(await readdir(shown())).toEqual(['lists']);
});

test('a deleted object is no file', async () => {
  await save('deep/er/file');
  await bucket.file('deep/er/file').delete();
  expect(await readdir(shown('deep', 'er'))).toEqual([]);
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
  expect(await kept('incoming')).toEqual([]);
});

test('the plain file cannot be overwritten by mistake, and a start puts the folder right', async () => {
  await save('kept', 'right');
  expect((await stat(shown('kept'))).mode & 0o222).toBe(0);
  await rm(shown('kept'));
  await writeFile(shown('kept'), 'wrong');
  await writeFile(shown('of nobody'), 'wrong');
  const again = await restart();
  expect(await readFile(shown('kept'), 'utf8')).toBe('right');
  expect(await readdir(shown())).toEqual(['kept']);
  expect(await textOf(again.file('kept'))).toBe('right');
});

test('objects, versions and metadata survive a restart, and generations go on growing', async () => {
  await save('a/b.txt', 'one');
  await bucket.file('a/b.txt').save('two', { resumable: false, metadata: { metadata: { run: '2' } } });
  await bucket.file('a/b.txt').setMetadata({ cacheControl: 'no-store' });
  const listed = async (place: Bucket) =>
    (await place.getFiles({ versions: true }))[0].map(({ metadata }) => metadata);
  const before = await listed(bucket);
  const after = await restart();
  expect(await listed(after)).toEqual(before);
  const newest = String(before.at(-1)?.generation);
  const file = after.file('a/b.txt');
  await file.save('three', { resumable: false, preconditionOpts: { ifGenerationMatch: newest } });
  expect(BigInt(String(file.metadata.generation))).toBeGreaterThan(BigInt(newest));
});

test('a killed process loses nothing that it acknowledged, and shows nothing half', async () => {
  const program = path.join(import.meta.dirname, 'support/server-process.ts');
  const child = spawn(process.execPath, [program, scratch.directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const [line] = await once(child.stdout, 'data');
  const killed = makeClient(String(line).trim()).bucket('members');
  const acknowledged = new Map<string, number>();
  let total = 0;
  const writer = async (name: string) => {
    for (let round = 1; ; round += 1) {
      await killed.file(name).save(`${round} `.repeat(20_000), { resumable: false });
      acknowledged.set(name, round);
      total += 1;
      if (total === 12) child.kill('SIGKILL');
    }
  };
  await Promise.allSettled(['w1', 'w2', 'w3'].map(writer));
  await exited;

  const again = await restart();
  for (const [name, round] of acknowledged) {
    const text = await textOf(again.file(name));
    const found = Number.parseInt(text, 10);
    // The write after the last acknowledged one may have become durable before the kill.
    expect([round, round + 1]).toContain(found);
    expect(text).toBe(`${found} `.repeat(20_000));
    expect(await readFile(shown(name), 'utf8')).toBe(text);
  }
  expect(acknowledged.size).toBe(3);
  const [versions] = await again.getFiles({ versions: true });
  expect(await kept('data')).toHaveLength(versions.length);
  expect(await kept('incoming')).toEqual([]);
});
