import { describe, expect, test } from 'vitest';
import { call, start } from './support.ts';

describe('the change queue', () => {
  test('each change is one row, oldest first, with the changed fields, and its id is the member’s version', async () => {
    const registry = await start();
    const created = registry.createMember({ name: 'Nýliði Prófsson' });
    registry.updateMember(2, { contact_info: { email: 'annad@postur.example' } });
    registry.deleteMember(3);
    const { json } = await call(registry, '/api/sync/changes/');
    expect(json.count).toBe(3);
    expect(json.changes.map((row: { id: number; action: string }) => [row.id, row.action])).toEqual([
      [1, 'create'],
      [2, 'update'],
      [3, 'delete'],
    ]);
    expect(json.changes[0].fields_changed.name).toBe('Nýliði Prófsson');
    expect(json.changes[1]).toEqual({
      id: 2,
      ssn: registry.member(2).ssn,
      action: 'update',
      fields_changed: { contact_info: { email: 'annad@postur.example' } },
      created_at: expect.stringMatching(/Z$/),
    });
    expect(json.changes[2].fields_changed).toEqual({});
    expect(registry.member(created.id).version).toBe(1);
    expect(registry.member(2).version).toBe(2);
  });

  test('what is marked synced is not offered again, and only what was pending is counted', async () => {
    const registry = await start();
    for (const id of [1, 2, 3]) registry.updateMember(id);
    const mark = (sync_ids: number[]) =>
      call(registry, '/api/sync/mark-synced/', { method: 'POST', body: { sync_ids } });
    expect((await mark([1, 3, 99])).json).toEqual({ success: true, marked_synced: 2 });
    expect((await mark([1])).json).toEqual({ success: true, marked_synced: 0 });
    const { json } = await call(registry, '/api/sync/changes/');
    expect(json.changes.map((row: { id: number }) => row.id)).toEqual([2]);
  });

  test('since leaves out older rows, and a time that is none is refused', async () => {
    const registry = await start();
    registry.updateMember(1);
    const at = (when: number) =>
      `/api/sync/changes/?since=${encodeURIComponent(new Date(when).toISOString())}`;
    expect((await call(registry, at(Date.now() - 60_000))).json.count).toBe(1);
    expect((await call(registry, at(Date.now() + 60_000))).json.count).toBe(0);
    expect((await call(registry, '/api/sync/changes/?since=soon')).status).toBe(400);
  });

  test('status counts what waits and what is done, and names the oldest', async () => {
    const registry = await start();
    const status = async () => (await call(registry, '/api/sync/status/')).json;
    expect(await status()).toEqual({ pending: 0, synced: 0, failed: 0, oldest_pending: null });
    const { occurred_at } = registry.updateMember(1);
    registry.updateMember(2);
    expect(await status()).toEqual({ pending: 2, synced: 0, failed: 0, oldest_pending: occurred_at });
    await call(registry, '/api/sync/mark-synced/', { method: 'POST', body: { sync_ids: [1, 2] } });
    expect(await status()).toEqual({ pending: 0, synced: 2, failed: 0, oldest_pending: null });
  });

  test.each([
    ['no list', {}, 400],
    ['a list of texts', { sync_ids: ['1'] }, 400],
    ['no JSON', '{', 400],
  ])('mark-synced refuses %s', async (_, body, status) => {
    expect((await call(await start(), '/api/sync/mark-synced/', { method: 'POST', body })).status).toBe(
      status,
    );
  });

  test('a body that is not declared as JSON is refused', async () => {
    const headers = { 'content-type': 'text/plain' };
    const answer = await call(await start(), '/api/sync/apply/', { method: 'POST', body: {}, headers });
    expect(answer.status).toBe(415);
  });
});
