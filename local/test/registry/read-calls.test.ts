import { describe, expect, test } from 'vitest';
import { call, start, TOKEN } from './support.ts';

describe('GET /api/members/kennitalas/', () => {
  test('answers every member once, their count and the time', async () => {
    const { json, headers } = await call(await start(), '/api/members/kennitalas/');
    expect(Object.keys(json)).toEqual(['count', 'kennitalas', 'exported_at']);
    expect(json.count).toBe(50);
    expect(new Set(json.kennitalas).size).toBe(50);
    expect(Math.abs(Date.now() - Date.parse(json.exported_at))).toBeLessThan(60_000);
    expect(headers.get('content-type')).toBe('application/json');
  });

  test('is compressed when the client takes gzip, and is not otherwise', async () => {
    const registry = await start({ members: 500 });
    const zipped = await call(registry, '/api/members/kennitalas/', {
      headers: { 'accept-encoding': 'gzip' },
    });
    const plain = await call(registry, '/api/members/kennitalas/', {
      headers: { 'accept-encoding': 'identity' },
    });
    expect(zipped.headers.get('content-encoding')).toBe('gzip');
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(zipped.json.kennitalas).toEqual(plain.json.kennitalas);
  });

  test('a created member joins the list and a deleted one leaves it', async () => {
    const registry = await start();
    const { id } = registry.createMember();
    const created = registry.member(id).ssn;
    const removed = registry.member(3).ssn;
    expect((await call(registry, '/api/members/kennitalas/')).json.kennitalas).toContain(created);
    registry.deleteMember(3);
    const { json } = await call(registry, '/api/members/kennitalas/');
    expect(json.kennitalas).not.toContain(removed);
    expect(json.count).toBe(50);
  });

  test('an empty registry answers an empty list', async () => {
    const { json } = await call(await start({ members: 0 }), '/api/members/kennitalas/');
    expect(json).toMatchObject({ count: 0, kennitalas: [] });
  });

  test('100,000 members are all there', async () => {
    const { json } = await call(await start({ members: 100_000 }), '/api/members/kennitalas/');
    expect(json.count).toBe(100_000);
    expect(new Set(json.kennitalas).size).toBe(100_000);
  });
});

describe('GET /api/members/', () => {
  test('following next reads every member once, in a stable order', async () => {
    const registry = await start();
    const ids: number[] = [];
    let path: string | null = '/api/members/?page=1&page_size=20';
    const previous: (string | null)[] = [];
    while (path !== null) {
      const { json } = await call(registry, path);
      expect(json.count).toBe(50);
      ids.push(...json.results.map((member: { id: number }) => member.id));
      previous.push(json.previous);
      path = json.next === null ? null : String(json.next).replace(registry.url, '');
    }
    expect(ids).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
    expect(previous[0]).toBeNull();
    expect(previous[2]).toBe(`${registry.url}/api/members/?page=2&page_size=20`);
  });

  test('a member has every field of the contract', async () => {
    const { json } = await call(await start(), '/api/members/?page_size=1');
    expect(Object.keys(json.results[0]).sort()).toEqual([
      'birthday',
      'contact_info',
      'date_joined',
      'digest',
      'foreign_addresses',
      'gender',
      'groupable',
      'housing_situation',
      'id',
      'local_address',
      'name',
      'reachable',
      'ssn',
      'titles',
      'unions',
      'version',
    ]);
  });

  test('modified_since leaves out whoever has not changed since', async () => {
    const registry = await start();
    const since = encodeURIComponent(new Date(Date.now() - 1000).toISOString());
    registry.updateMember(5);
    registry.updateMember(9);
    registry.deleteMember(9);
    const { json } = await call(registry, `/api/members/?modified_since=${since}`);
    expect(json.results.map((member: { id: number }) => member.id)).toEqual([5]);
  });

  test.each([
    ['a page after the last', 'page=4&page_size=20', 404],
    ['page zero', 'page=0', 404],
    ['a page that is no number', 'page=two', 404],
    ['a time that is none', 'modified_since=yesterday', 400],
  ])('%s is refused', async (_, query, status) => {
    expect((await call(await start(), `/api/members/?${query}`)).status).toBe(status);
  });

  test('a page holds 1,000 members at most', async () => {
    const { json } = await call(await start({ members: 1_200 }), '/api/members/?page_size=5000');
    expect(json.results).toHaveLength(1_000);
  });
});

describe('GET /api/sync/member/<ssn>/', () => {
  test('answers the member by either spelling', async () => {
    const registry = await start();
    const { ssn } = registry.member(7);
    const digits = ssn.replace('-', '');
    const one = await call(registry, `/api/sync/member/${digits}/`);
    const other = await call(registry, `/api/sync/member/${digits.slice(0, 6)}-${digits.slice(6)}/`);
    expect(one.json).toEqual({ ...registry.member(7), digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(other.json).toEqual(one.json);
  });

  test('a number that nobody has and a deleted member answer 404 with an error', async () => {
    const registry = await start();
    registry.deleteMember(7);
    for (const ssn of ['0101300999', registry.member(7).ssn]) {
      const answer = await call(registry, `/api/sync/member/${ssn}/`);
      expect(answer.status).toBe(404);
      expect(answer.json).toEqual({ error: expect.any(String) });
    }
  });
});

describe('the doors', () => {
  const PATHS = [
    'members/kennitalas/',
    'members/',
    'sync/member/0101300999/',
    'sync/changes/',
    'sync/status/',
  ];

  test.each([
    ['no credentials', {}, 'Authentication credentials were not provided.'],
    ['another scheme', { authorization: `Bearer ${TOKEN}` }, 'Authentication credentials were not provided.'],
    ['a wrong token', { authorization: 'Token nobody' }, 'Invalid token.'],
  ])('%s answers 401 on every call', async (_, headers, detail) => {
    const registry = await start();
    for (const path of PATHS) {
      const answer = await fetch(`${registry.url}/api/${path}`, {
        headers: headers as Record<string, string>,
      });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('Token');
      expect(await answer.json()).toEqual({ detail });
    }
  });

  test('a registry that wants Bearer takes Bearer', async () => {
    const registry = await start({ authScheme: 'Bearer' });
    const status = async (authorization: string): Promise<number> =>
      (await call(registry, '/api/sync/status/', { headers: { authorization } })).status;
    expect(await status(`Bearer ${TOKEN}`)).toBe(200);
    expect(await status(`Token ${TOKEN}`)).toBe(401);
  });

  test('an unknown path is not found', async () => {
    expect((await call(await start(), '/api/nothing/', { method: 'POST' })).status).toBe(404);
  });

  test('a port in use is named', async () => {
    const { port } = await start();
    await expect(start({ port })).rejects.toThrow(`port ${port} is in use`);
  });
});
