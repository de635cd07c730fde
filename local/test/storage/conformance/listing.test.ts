import type { Bucket, GetFilesOptions, GetFilesResponse } from '@google-cloud/storage';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTarget, type Target } from './target.ts';

const NAMES = ['a', 'a.txt', 'a/1', 'a/2', 'a/deep/3', 'b/1', 'c', 'Z', 'þ', '🧊'];
/** By UTF-8 bytes, not by UTF-16 units or a locale. */
const IN_ORDER = ['Z', 'a', 'a.txt', 'a/1', 'a/2', 'a/deep/3', 'b/1', 'c', 'þ', '🧊'];

let target: Target;
let bucket: Bucket;
beforeAll(async () => {
  target = await openTarget();
  bucket = await target.newBucket();
  await Promise.all(NAMES.map((name) => bucket.file(name).save(name, { resumable: false })));
  await bucket.file('c').save('again', { resumable: false });
  await bucket.file('gone').save('x', { resumable: false });
  await bucket.file('gone').delete();
});
afterAll(() => target.close());

async function list(
  options: GetFilesOptions,
): Promise<{ names: string[]; prefixes: string[]; pages: number }> {
  const names: string[] = [];
  const prefixes: string[] = [];
  let pages = 0;
  let next: GetFilesOptions | null = { ...options, autoPaginate: false };
  while (next) {
    const [files, query, answer]: GetFilesResponse = await bucket.getFiles(next);
    names.push(...files.map((file) => file.name));
    prefixes.push(...((answer as { prefixes?: string[] } | undefined)?.prefixes ?? []));
    pages += 1;
    next = query as GetFilesOptions | null;
  }
  return { names, prefixes, pages };
}

test.each<{ title: string; options: GetFilesOptions; names: string[]; prefixes: string[] }>([
  { title: 'everything, in byte order', options: {}, names: IN_ORDER, prefixes: [] },
  { title: 'a prefix', options: { prefix: 'a/' }, names: ['a/1', 'a/2', 'a/deep/3'], prefixes: [] },
  {
    title: 'a delimiter',
    options: { delimiter: '/' },
    names: ['Z', 'a', 'a.txt', 'c', 'þ', '🧊'],
    prefixes: ['a/', 'b/'],
  },
  {
    title: 'a prefix and a delimiter',
    options: { prefix: 'a/', delimiter: '/' },
    names: ['a/1', 'a/2'],
    prefixes: ['a/deep/'],
  },
  { title: 'a prefix of nothing', options: { prefix: 'nothing' }, names: [], prefixes: [] },
  {
    title: 'offsets',
    options: { startOffset: 'a/2', endOffset: 'c' },
    names: ['a/2', 'a/deep/3', 'b/1'],
    prefixes: [],
  },
])('lists $title, the same in pages of any size', async ({ options, names, prefixes }) => {
  for (const maxResults of [1000, 1, 2, 3]) {
    const listed = await list({ ...options, maxResults });
    expect({ maxResults, names: listed.names, prefixes: listed.prefixes }).toEqual({
      maxResults,
      names,
      prefixes,
    });
  }
});

describe('listing versions', () => {
  test('shows noncurrent and deleted ones, across pages too', async () => {
    for (const maxResults of [1000, 1]) {
      const { names } = await list({ versions: true, maxResults });
      expect(names.filter((name) => name === 'c' || name === 'gone')).toEqual(['c', 'c', 'gone']);
    }
  });
});

test('a page token goes on where it stopped although objects came and went', async () => {
  const own = await target.newBucket();
  for (const name of ['1', '2', '3']) await own.file(name).save(name, { resumable: false });
  const [first, query] = await own.getFiles({ maxResults: 2, autoPaginate: false });
  await own.file('2').delete();
  await own.file('0').save('0', { resumable: false });
  const [second] = await own.getFiles({ ...(query as GetFilesOptions), autoPaginate: false });
  expect([...first, ...second].map((file) => file.name)).toEqual(['1', '2', '3']);
});
