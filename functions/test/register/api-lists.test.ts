import { beforeEach, describe, expect, it } from 'vitest';
import {
  ago,
  entry,
  makeScriptedApi,
  NOW,
  ONE,
  PEOPLE,
  type ScriptedApi,
  TWO,
  wireEntry,
} from './support/scripted-api.ts';

let api: ScriptedApi;
beforeEach(() => {
  api = makeScriptedApi();
});

describe('GET /sync/logs', () => {
  it('are fifty, newest first, and one more is asked for to know of the next page', async () => {
    api.reader.readLogs = async (query) => {
      api.asked.push(['logs', query]);
      return Array.from({ length: query.limit }, (_, n) => entry(100 - n));
    };
    const { body } = await api.send('/sync/logs');
    expect(api.asked).toEqual([['logs', { limit: 51, before: null, status: null, type: null }]]);
    expect([body.logs.length, body.logs[0], body.next]).toEqual([50, wireEntry(100), 51]);
  });

  it('are as few as there are, and then there is no next page', async () => {
    api.reader.readLogs = async (query) => {
      api.asked.push(['logs', query]);
      return [entry(3), entry(2)];
    };
    const { body } = await api.send('/sync/logs?limit=2&before=4&status=failed&type=manual');
    expect(api.asked).toEqual([['logs', { limit: 3, before: 4, status: 'failed', type: 'manual' }]]);
    expect([body.logs.length, body.next]).toEqual([2, null]);
    api.reader.readLogs = async () => [];
    expect((await api.send('/sync/logs')).body).toEqual({ logs: [], next: null });
  });

  it.each([
    ['limit=1', 200],
    ['limit=200', 200],
    ['before=1', 200],
    ['before=2147483647', 200],
    ['status=pending', 200],
    ['status=success', 200],
    ['type=webhook', 200],
    ['type=membership', 200],
    ['limit=0', 400],
    ['limit=201', 400],
    ['limit=1.5', 400],
    ['before=0', 400],
    ['before=2147483648', 400],
    ['before=1.5', 400],
    ['status=odd', 400],
    ['type=odd', 400],
    ['order=asc', 400],
  ])('?%s: %i', async (query, status) => {
    expect((await api.send(`/sync/logs?${query}`)).status).toBe(status);
  });
});

describe('GET /sync/runs/:run/changes', () => {
  const row = (memberId: number, kind = 'added') => ({ memberId, kind, kennitala: ONE }) as never;

  it('are five hundred by opaque reference, and where the next page begins', async () => {
    api.reader.readChanges = async (...query) => {
      api.asked.push(query);
      return Array.from({ length: query[1].limit }, (_, n) => row(n + 1, 'removed'));
    };
    const { body } = await api.send('/sync/runs/run-1/changes');
    expect(api.asked).toEqual([['run-1', { after: 0, limit: 501 }]]);
    expect(body.changes[0]).toEqual({ member_id: 1, member: 'm_0', kind: 'removed' });
    expect([body.changes.length, body.next, api.who]).toEqual([500, 500, ['service']]);
  });

  it('end with the last page', async () => {
    api.reader.readChanges = async () => [row(1), row(2)];
    expect((await api.send('/sync/runs/run-1/changes?limit=2&after=0')).body.next).toBeNull();
    api.reader.readChanges = async () => [];
    expect((await api.send('/sync/runs/run-1/changes')).body).toEqual({ changes: [], next: null });
  });

  it.each([
    ['run-1/changes?limit=1000', 200],
    ['run-1/changes?after=2147483647', 200],
    [`${'a'.repeat(64)}/changes`, 200],
    ['run-1/changes?limit=1001', 400],
    ['run-1/changes?limit=0', 400],
    ['run-1/changes?limit=1.5', 400],
    ['run-1/changes?after=-1', 400],
    ['run-1/changes?after=1.5', 400],
    ['run-1/changes?after=2147483648', 400],
    ['run-1/changes?more=1', 400],
    [`${'a'.repeat(65)}/changes`, 400],
    ['run_1/changes', 400],
    ['%20run-1/changes', 400],
    ['run-1%0A/changes', 400],
  ])('/sync/runs/%s: %i', async (path, status) => {
    expect((await api.send(`/sync/runs/${path}`)).status).toBe(status);
  });
});

describe('POST /members/eligibility', () => {
  const eligibility = '/members/eligibility';

  it('tells of each in the order api.asked, whatever the spelling', async () => {
    api.reader.readEligibility = async (kennitalas) => {
      api.asked.push([...kennitalas]);
      const members = kennitalas.map((kennitala, n) => ({
        kennitala,
        active: n === 0,
        since: n === 0 ? ago(60) : null,
      }));
      return { members, verifiedAt: ago(10) };
    };
    const { status, body } = await api.send(eligibility, {
      kennitalas: [TWO, `${ONE.slice(0, 6)}-${ONE.slice(6)}`],
    });
    expect([status, api.asked, api.who]).toEqual([200, [[TWO, ONE]], ['service']]);
    expect(body).toEqual({
      verified_at: ago(10).toISOString(),
      members: [
        { kennitala: TWO, active: true, since: ago(60).toISOString() },
        { kennitala: ONE, active: false, since: null },
      ],
    });
  });

  it('says so where nothing was ever verified', async () => {
    expect((await api.send(eligibility, { kennitalas: [ONE] })).body).toEqual({
      verified_at: null,
      members: [],
    });
  });

  it('of a moment of the past is told by the list that was in force, with its receipt', async () => {
    const moments: Date[] = [];
    const receipt = {
      format: 'membership-roll/1',
      at: ago(60).toISOString(),
      count: 1,
      sha256: 'a'.repeat(64),
      list: { generation: '1', publishedAt: ago(90).toISOString(), replacedAt: null },
      run: null,
      registry: { equalAt: ago(30).toISOString(), ageSeconds: 30, notDone: 0 },
      chain: null,
      issuedAt: NOW.toISOString(),
      key: 'k',
      signature: 's',
    };
    api.given.rollAt = async (at) => {
      moments.push(at);
      return { receipt, bytes: Buffer.from(`${ONE}\n`) } as never;
    };
    const { body } = await api.send(eligibility, { kennitalas: [TWO, ONE], at: ago(60).toISOString() });
    expect(moments).toEqual([ago(60)]);
    expect(body).toEqual({
      verified_at: ago(30).toISOString(),
      members: [
        { kennitala: TWO, active: false, since: null },
        { kennitala: ONE, active: true, since: null },
      ],
      roll: receipt,
    });
    expect(api.asked).toEqual([]);
  });

  it.each<[string, object, string]>([
    ['none', { kennitalas: [] }, 'kennitalas'],
    ['more than a thousand', { kennitalas: PEOPLE }, 'kennitalas'],
    ['one that is none', { kennitalas: [ONE, '123'] }, 'kennitalas.1: is not a kennitala'],
    ['one that is too long to be one', { kennitalas: [`${ONE}${' '.repeat(11)}`] }, 'kennitalas.0'],
    ['a moment that is too long', { kennitalas: [ONE], at: '2'.repeat(41) }, 'at'],
    ['a moment that has not come', { kennitalas: [ONE], at: '2027-01-01T00:00:00Z' }, 'has not come yet'],
    ['something else', { kennitalas: [ONE], more: 1 }, 'body: has a key that is not known here'],
  ])('refuses %s', async (_what, body, detail) => {
    const answer = await api.send(eligibility, body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(answer.body.detail).toContain(detail);
    expect(api.asked).toEqual([]);
  });

  it('takes a thousand', async () => {
    expect((await api.send(eligibility, { kennitalas: PEOPLE.slice(0, 1_000) })).status).toBe(200);
  });
});
