import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import type { LocalRegistry } from '../../src/registry/start-registry.ts';
import { call, start } from './support.ts';

const control = async (registry: LocalRegistry, method: string, path: string, body?: unknown) =>
  call(registry, `/_control${path}`, { method, ...(body !== undefined && { body }) });

describe('controls over HTTP', () => {
  test('a member is created, changed, deleted and restored by id', async () => {
    const registry = await start();
    const created = await control(registry, 'POST', '/members', { name: 'Nýliði Prófsson', gender: 9 });
    expect([created.status, created.json]).toMatchObject([201, { id: 51, action: 'create', version: 1 }]);
    expect(
      (await control(registry, 'PATCH', '/members/51', { contact_info: { phone: '5550000' } })).json,
    ).toMatchObject({
      action: 'update',
      version: 2,
    });
    const { json } = await control(registry, 'GET', '/members/51');
    expect(json).toMatchObject({
      name: 'Nýliði Prófsson',
      gender: 9,
      version: 2,
      contact_info: { phone: '5550000' },
    });
    expect((await control(registry, 'DELETE', '/members/51')).json).toMatchObject({
      action: 'delete',
      version: 3,
    });
    expect(registry.restoreMember(51)).toMatchObject({ action: 'create', version: 4 });
    expect(registry.summary()).toMatchObject({ members: 51, last_version: 4 });
  });

  test('a change without fields changes the email', async () => {
    const registry = await start();
    const before = registry.member(4).contact_info.email;
    await control(registry, 'PATCH', '/members/4');
    expect(registry.member(4).contact_info.email).not.toBe(before);
  });

  test('a random member is one that exists, and no placeholder', async () => {
    const registry = await start({ members: 2, placeholders: 30 });
    for (let n = 0; n < 20; n += 1) {
      const { json } = await control(registry, 'GET', '/members/random');
      expect([1, 2]).toContain(json.id);
    }
  });

  test('a burst makes so many changes of each kind', async () => {
    const registry = await start({ members: 200 });
    expect(await registry.burst({ count: 120, seconds: 0.1, create: 0.3, delete: 0.2 })).toHaveLength(120);
    const { json } = await call(registry, '/api/sync/changes/');
    const of = (action: string): number =>
      json.changes.filter((row: { action: string }) => row.action === action).length;
    expect(of('create')).toBeGreaterThan(15);
    expect(of('delete')).toBeGreaterThan(8);
    expect(of('update')).toBeGreaterThan(30);
  });

  test('the same seed makes the same burst', async () => {
    const run = async () => {
      const done = await (await start()).burst({ count: 30, create: 0.2, delete: 0.2 });
      return done.map(({ id, action }) => [id, action]);
    };
    expect(await run()).toEqual(await run());
  });

  test.each([
    ['GET', '/members/999', undefined, 404],
    ['GET', '/members/0101300999x', undefined, 404],
    ['DELETE', '/members/999', undefined, 404],
    ['DELETE', '/members/50x', undefined, 404],
    ['PATCH', '/members/1', { ssn: '0101300999' }, 400],
    ['PATCH', '/members/1', { name: 5 }, 400],
    ['PATCH', '/members/1', '{', 400],
    ['GET', '/nothing', undefined, 404],
  ])('%s %s with %j answers %d and changes nothing', async (method, path, body, status) => {
    const registry = await start();
    const answer = await control(registry, method, path, body);
    expect([answer.status, answer.json.error]).toEqual([status, expect.any(String)]);
    expect(registry.summary().last_version).toBe(0);
  });

  test.each([
    ['a web page of another origin', { origin: 'https://example.com' }],
    ['a name that was pointed at this machine', { host: 'registry.example' }],
  ])('%s is kept out', async (_, headers) => {
    const registry = await start();
    const status = await new Promise((resolve, reject) => {
      request(`${registry.url}/_control/status`, { headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(403);
  });
});
