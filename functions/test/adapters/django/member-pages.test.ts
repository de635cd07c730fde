import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeMemberPages } from '../../../src/adapters/django/read-members.ts';
import type { MemberPagesOptions } from '../../../src/registry/ports.ts';
import * as answers from './support/answers.ts';
import { failureOf, openClient } from './support/client.ts';
import { type Answer, type RegistryServer, startRegistryServer } from './support/registry-server.ts';

let server: RegistryServer;
beforeAll(async () => {
  server = await startRegistryServer();
});
afterAll(async () => {
  await server.close();
});

const rows = (from: number, count: number) => Array.from({ length: count }, (_, n) => ({ id: from + n }));
const page = (results: readonly unknown[], count: number | null, next: string | null): Answer =>
  answers.json({ count, next, previous: null, results });

const readAll = async (options: Partial<MemberPagesOptions> = {}, base = server.origin) => {
  const http = openClient(base, { retry: { attempts: 1, baseDelayMs: 2, maxDelayMs: 2 } });
  const pages = makeMemberPages(http, { baseUrl: base });
  const sizes: number[] = [];
  try {
    const { signal } = new AbortController();
    for await (const { members } of pages.pages({ signal, ...options })) sizes.push(members.length);
    return sizes;
  } finally {
    await http.close();
  }
};

const queries = () => server.seen.map(({ url }) => url.split('?')[1]);

describe('the pages of members', () => {
  it('are read one after another, as the links say', async () => {
    const next = (n: number) => `${server.origin}/api/members/?page=${n}&page_size=2`;
    server.script(page(rows(1, 2), 5, next(2)), page(rows(3, 2), 5, next(3)), page(rows(5, 1), 5, null));
    expect(await readAll({ pageSize: 2 })).toEqual([2, 2, 1]);
    expect(queries()).toEqual(['page=1&page_size=2', 'page=2&page_size=2', 'page=3&page_size=2']);
  });

  it('begin again at the place of one, and still end only after all members', async () => {
    const next = (n: number) => `${server.origin}/api/members/?page=${n}&page_size=2`;
    const from = { query: { page: '2', page_size: '2' }, before: 2 };
    server.script(page(rows(3, 2), 5, next(3)), page(rows(5, 1), 5, null));
    expect(await readAll({ from })).toEqual([2, 1]);
    expect(queries()).toEqual(['page=2&page_size=2', 'page=3&page_size=2']);
    server.script(page(rows(3, 2), 5, null));
    expect(await failureOf(readAll({ from }))).toMatchObject({ code: 'incomplete_export' });
  });

  it('tell row numbers apart that are large, no whole numbers, or texts', async () => {
    const ids = [0, 7, 8, 2 ** 26, 2 ** 40, 1.5, '7', 1_000_000];
    server.script(
      page(
        ids.map((id) => ({ id })),
        ids.length,
        null,
      ),
    );
    expect(await readAll()).toEqual([ids.length]);
    server.script(
      page(
        [...ids, 2 ** 40].map((id) => ({ id })),
        ids.length + 1,
        null,
      ),
    );
    expect(await failureOf(readAll())).toMatchObject({ code: 'registry_invalid_response' });
  });

  it('ask for 500 members a page, and for those changed since a time when that is wanted', async () => {
    server.script(page([], 0, null));
    expect(await readAll({ modifiedSince: new Date('2026-11-20T04:00:00Z') })).toEqual([0]);
    expect(new URLSearchParams(queries()[0])).toEqual(
      new URLSearchParams({ page: '1', page_size: '500', modified_since: '2026-11-20T04:00:00.000Z' }),
    );
  });

  it.each([
    ['results alone are one whole page', answers.json({ results: rows(1, 3) }), [3]],
    ['an empty registry is one empty page', page([], 0, null), [0]],
    ['an empty next is none', page(rows(1, 1), 1, ''), [1]],
    [
      'members without a number are told apart by kennitala',
      page([{ ssn: 'a' }, { kennitala: 'b' }], 2, null),
      [2],
    ],
    ['what is no member is passed on', page([null, 7, 'x', null], 4, null), [4]],
  ])('%s', async (_, answer, sizes) => {
    server.script(answer);
    expect(await readAll()).toEqual(sizes);
  });

  it('may be joined by a member who is created while they are read', async () => {
    server.script(page(rows(1, 2), 3, '?page=2'), page(rows(3, 2), 4, null));
    expect(await readAll()).toEqual([2, 2]);
  });

  it('are fetched one ahead and no further, and not at all once the reader has left', async () => {
    const endless = (_: unknown, n = 0): Answer => page(rows(n * 2, 2), 100, `?page=${n + 2}`);
    server.script(...Array.from({ length: 50 }, (_, n) => endless(_, n)));
    const http = openClient(server.origin);
    const { signal } = new AbortController();
    for await (const _ of makeMemberPages(http, { baseUrl: server.origin }).pages({ signal })) {
      await expect.poll(() => server.seen.length).toBe(2);
      break;
    }
    await http.close();
    expect(server.seen).toHaveLength(2);
  });
});

describe('the link to the next page', () => {
  const follows = async (link: string, base = server.origin) => {
    server.script(page(rows(1, 1), 2, link), page(rows(2, 1), 2, null));
    await readAll({}, base);
    return server.seen[1]?.url;
  };

  it.each([
    ['an address', (origin: string) => `${origin}/api/members/?page=2`],
    ['a path', () => '/api/members/?page=2'],
    ['a query', () => '?page=2'],
    [
      'https where we speak http, or the other way round',
      (origin: string) => `${origin.replace('http:', 'https:')}/api/members/?page=2`,
    ],
    ['a path without the prefix that a proxy takes off', (origin: string) => `${origin}/api/members/?page=2`],
  ])('may be %s, and we go to our own address', async (_, link) => {
    expect(await follows(link(server.origin), `${server.origin}/felagar`)).toBe(
      '/felagar/api/members/?page=2',
    );
  });

  it('keeps whatever the registry counts pages by', async () => {
    expect(await follows('?cursor=cD0y%2B&limit=5')).toBe('/api/members/?cursor=cD0y%2B&limit=5');
  });

  it.each([
    ['another host', () => 'http://other.example/api/members/?page=2'],
    ['another port', () => 'http://127.0.0.1:1/api/members/?page=2'],
    ['another route', (origin: string) => `${origin}/api/sync/status/`],
    ['a script', () => 'javascript:void/api/members/'],
    ['no address', () => 'http://:0/'],
  ])('is refused when it leads to %s, and nothing is sent there', async (_, link) => {
    server.script(page(rows(1, 1), 2, link(server.origin)));
    expect(await failureOf(readAll())).toMatchObject({ code: 'registry_invalid_response' });
    expect(server.seen).toHaveLength(1);
  });
});

describe('a mistake of paging', () => {
  it.each([
    [
      'a page that comes twice',
      [page(rows(1, 2), 4, '?page=2'), page(rows(1, 2), 4, null)],
      /a page came twice/,
    ],
    [
      'a member who comes twice',
      [page(rows(1, 2), 4, '?page=2'), page(rows(2, 2), 4, null)],
      /1 member came twice/,
    ],
    ['a member who comes twice on a page', [page([{ id: 1 }, { id: 1 }], 2, null)], /came twice/],
    ['links in a circle', [page(rows(1, 1), 9, '?page=2&a=1'), page(rows(2, 1), 9, '?a=1&page=2')], /circle/],
    ['an empty page in the middle', [page(rows(1, 1), 9, '?page=2'), page([], 9, '?page=3')], /empty page/],
    ['a total that shrinks', [page(rows(1, 2), 4, '?page=2'), page(rows(3, 1), 3, null)], /shrank/],
    ['more members than the total', [page(rows(1, 3), 2, null)], /more members/],
  ])('%s is refused', async (_, script, says) => {
    server.script(...script);
    const error = await failureOf(readAll());
    expect(error.code).toBe('registry_invalid_response');
    expect(error.message).toMatch(says);
    expect(error.message).toMatch(/^GET \/api\/members\/: /);
  });

  it.each([
    ['on one page', [page(rows(1, 2), 3, null)]],
    ['on several', [page(rows(1, 2), 5, '?page=2'), page(rows(3, 2), 5, null)]],
  ])('fewer members than the total, %s, is an incomplete export', async (_, script) => {
    server.script(...script);
    expect(await failureOf(readAll())).toMatchObject({ code: 'incomplete_export' });
  });

  it.each([
    ['no results', answers.json({ count: 0 })],
    ['results that are no list', answers.json({ count: 1, results: { id: 1 } })],
    ['a list alone', answers.json(rows(1, 1))],
    ['a count as text', answers.json({ count: '1', results: rows(1, 1) })],
    ['a count below zero', answers.json({ count: -1, results: [] })],
    ['a next that is no text', answers.json({ count: 1, next: 2, results: rows(1, 1) })],
  ])('%s is not of the agreed form', async (_, answer) => {
    server.script(answer);
    expect(await failureOf(readAll())).toMatchObject({ code: 'registry_invalid_response' });
  });

  it('a page that fails ends the reading with its own error', async () => {
    server.script(page(rows(1, 1), 2, '?page=2'), answers.status(403));
    expect(await failureOf(readAll())).toMatchObject({ code: 'registry_unauthorized' });
  });
});
