import { describe, expect, test } from 'vitest';
import type { StandingFaultInput } from '../../src/registry/faults.ts';
import type { LocalRegistry } from '../../src/registry/start-registry.ts';
import { call, start, TOKEN } from './support.ts';

const EXPORT = '/api/members/kennitalas/';
const failure = async (registry: LocalRegistry, path: string): Promise<string> =>
  call(registry, path).then(
    () => 'answered',
    (error: { cause?: { code?: string } }) => error.cause?.code ?? String(error),
  );
const spoiled = async (fault: StandingFaultInput, members = 50): Promise<LocalRegistry> => {
  const registry = await start({ members, hyphenated: 0 });
  registry.addFault(fault);
  return registry;
};
const digits = (list: string[]): string[] => list.map((ssn) => ssn.replace('-', ''));

describe('a spoiled answer', () => {
  test('a delay before the headers', async () => {
    const registry = await spoiled({ delay_ms: 80 });
    const before = performance.now();
    expect((await call(registry, EXPORT)).status).toBe(200);
    expect(performance.now() - before).toBeGreaterThanOrEqual(75);
  });

  test('a body that trickles arrives whole, in pieces', async () => {
    const registry = await spoiled({ trickle_ms: 5, trickle_bytes: 40 }, 10);
    const answer = await fetch(`${registry.url}${EXPORT}`, {
      headers: { authorization: `Token ${TOKEN}`, 'accept-encoding': 'identity' },
    });
    const pieces: string[] = [];
    for await (const piece of answer.body ?? []) pieces.push(Buffer.from(piece).toString());
    expect(pieces.length).toBeGreaterThan(3);
    expect(JSON.parse(pieces.join('')).count).toBe(10);
  });

  test('a trickle ends when the client hangs up, so that the registry can close', async () => {
    const registry = await spoiled({ trickle_ms: 60_000, trickle_bytes: 1 });
    await expect(
      fetch(`${registry.url}${EXPORT}`, {
        headers: { authorization: `Token ${TOKEN}` },
        signal: AbortSignal.timeout(50),
      }).then((answer) => answer.text()),
    ).rejects.toThrow();
    await registry.close();
  });

  test.each(['at-once', 'mid-body'] as const)('a connection reset %s', async (disconnect) => {
    const code = await failure(await spoiled({ disconnect }, 2_000), EXPORT);
    expect(code).toMatch(/^(?:ECONNRESET|UND_ERR_SOCKET)$/);
  });

  test('a complete body with half of the JSON', async () => {
    const answer = await call(await spoiled({ truncate: true }), EXPORT);
    expect(answer.status).toBe(200);
    expect(answer.text).toMatch(/^\{"count":50/);
    expect(answer.json).toBeUndefined();
  });

  test('an HTML login page, and a redirect to one', async () => {
    const page = await call(await spoiled({ html: true }), EXPORT);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=UTF-8']);
    const redirect = await call(await spoiled({ redirect: '/accounts/login/' }), EXPORT);
    expect([redirect.status, redirect.headers.get('location')]).toEqual([302, '/accounts/login/']);
  });

  test('wrong types and missing keys', async () => {
    const registry = await spoiled({ wrong_types: ['count', 'kennitalas'], missing_keys: 'exported_at' });
    const { json } = await call(registry, EXPORT);
    expect(json.count).toBe('50');
    expect(json.kennitalas[0]).toEqual({ unexpected: true });
    expect(json).not.toHaveProperty('exported_at');
  });

  test.each([
    ['fewer than it says', { count: 5 }, 55, 50],
    ['more than it says', { count: -5 }, 45, 50],
    ['none', { empty: true }, 0, 0],
    ['some left out', { drop: 7 }, 43, 43],
    ['some twice', { duplicates: 3 }, 53, 53],
    ['some placeholders', { placeholders: 4 }, 54, 54],
    ['some unreadable', { unreadable: 5 }, 55, 55],
    ['hyphens', { hyphens: 6 }, 50, 50],
  ])('an export with %s (%j)', async (_, fault, count, entries) => {
    const { json } = await call(await spoiled(fault), EXPORT);
    expect([json.count, json.kennitalas.length]).toEqual([count, entries]);
  });

  test('what each of them puts into the list', async () => {
    const registry = await start({ hyphenated: 0 });
    const list = async (fault: StandingFaultInput): Promise<string[]> => {
      registry.addFault({ ...fault, times: 1 });
      return (await call(registry, EXPORT)).json.kennitalas;
    };
    const honest: string[] = (await call(registry, EXPORT)).json.kennitalas;
    expect((await list({ drop: 7 })).every((ssn) => honest.includes(ssn))).toBe(true);
    expect((await list({ duplicates: 3 })).slice(50)).toEqual(honest.slice(0, 3));
    expect((await list({ placeholders: 4 })).filter((ssn) => ssn.startsWith('9999'))).toHaveLength(4);
    expect((await list({ unreadable: 5 })).filter((ssn) => !/^\d{6}-?\d{4}$/.test(ssn))).toHaveLength(5);
    const hyphened = await list({ hyphens: 6 });
    expect(hyphened.filter((ssn) => ssn.includes('-'))).toHaveLength(6);
    expect(digits(hyphened)).toEqual(honest);
  });

  test('dropped members are missing from the pages as well', async () => {
    const registry = await spoiled({ drop: 7 });
    const kept = (await call(registry, EXPORT)).json.kennitalas;
    const { json } = await call(registry, '/api/members/');
    expect(json.count).toBe(43);
    expect(json.results.map((member: { ssn: string }) => member.ssn)).toEqual(kept);
  });

  test('a spoiled list is compressed like an honest one', async () => {
    const registry = await spoiled({ duplicates: 3 }, 500);
    const answer = await call(registry, EXPORT, { headers: { 'accept-encoding': 'gzip' } });
    expect(answer.headers.get('content-encoding')).toBe('gzip');
    expect(answer.json.count).toBe(503);
  });
});

describe('a fault', () => {
  const control = (registry: LocalRegistry, method: string, path: string, body?: unknown) =>
    call(registry, `/_control${path}`, { method, ...(body !== undefined && { body }) });
  const statuses = async (registry: LocalRegistry, n: number): Promise<number[]> => {
    const seen: number[] = [];
    for (let k = 0; k < n; k += 1) seen.push((await call(registry, EXPORT)).status);
    return seen;
  };

  test('holds for so many requests', async () => {
    const registry = await start();
    await control(registry, 'POST', '/faults', { status: 503, times: 2 });
    expect(await statuses(registry, 3)).toEqual([503, 503, 200]);
  });

  test('holds for one part of the API only', async () => {
    const registry = await start();
    registry.addFault({ status: 500, path: '/api/sync/' });
    expect(await statuses(registry, 1)).toEqual([200]);
    expect((await call(registry, '/api/sync/status/')).status).toBe(500);
  });

  test('holds until it is cleared, and faults combine', async () => {
    const registry = await start();
    registry.addFault({ status: 429 });
    registry.addFault({ delay_ms: 20 });
    const before = performance.now();
    const answer = await call(registry, EXPORT);
    expect(answer.status).toBe(429);
    expect(performance.now() - before).toBeGreaterThanOrEqual(15);
    expect((await control(registry, 'GET', '/faults')).json.faults).toHaveLength(2);
    await control(registry, 'DELETE', '/faults');
    expect(await statuses(registry, 1)).toEqual([200]);
  });

  test('the API answers 401 until it is asked with another token', async () => {
    const registry = await start();
    registry.acceptToken('rotated');
    expect(await statuses(registry, 1)).toEqual([401]);
    const answer = await call(registry, EXPORT, { headers: { authorization: 'Token rotated' } });
    expect(answer.status).toBe(200);
  });

  test('reset makes everything honest again', async () => {
    const registry = await start();
    registry.addFault({ status: 500 });
    registry.acceptToken('rotated');
    registry.setCompanion(false);
    registry.reset();
    expect(await statuses(registry, 1)).toEqual([200]);
    expect(registry.summary()).toMatchObject({ companion: true, faults: [] });
  });

  test.each([{ statos: 503 }, { status: 200 }, { status: 'abc' }, { disconnect: 'later' }])(
    'that is none (%j) is refused with the field’s name',
    async (fault) => {
      const answer = await control(await start(), 'POST', '/faults', fault);
      expect(answer.status).toBe(400);
      expect(answer.json.error).toContain(Object.keys(fault)[0]);
    },
  );
});
