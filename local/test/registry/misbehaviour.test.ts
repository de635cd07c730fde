import { describe, expect, test } from 'vitest';
import type { LocalRegistry } from '../../src/registry/start-registry.ts';
import { call, start, TOKEN } from './support.ts';

const EXPORT = '/api/members/kennitalas/';
const failure = async (registry: LocalRegistry, path: string): Promise<string> =>
  call(registry, path).then(
    () => 'answered',
    (error: { cause?: { code?: string } }) => error.cause?.code ?? String(error),
  );
const digits = (list: string[]): string[] => list.map((ssn) => ssn.replace('-', ''));

describe('an answer spoiled for one request', () => {
  test('a status with Retry-After', async () => {
    const answer = await call(await start(), `${EXPORT}?_status=503&_retry_after=7`);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '7']);
  });

  test('a delay before the headers', async () => {
    const registry = await start();
    const before = performance.now();
    expect((await call(registry, `${EXPORT}?_delay=80`)).status).toBe(200);
    expect(performance.now() - before).toBeGreaterThanOrEqual(75);
  });

  test('a body that trickles arrives whole, in pieces', async () => {
    const registry = await start({ members: 10 });
    const answer = await fetch(`${registry.url}${EXPORT}?_trickle=5&_trickle_bytes=40`, {
      headers: { authorization: `Token ${TOKEN}`, 'accept-encoding': 'identity' },
    });
    const pieces: string[] = [];
    for await (const piece of answer.body ?? []) pieces.push(Buffer.from(piece).toString());
    expect(pieces.length).toBeGreaterThan(3);
    expect(JSON.parse(pieces.join('')).count).toBe(10);
  });

  test('a trickle ends when the client hangs up, so that the registry can close', async () => {
    const registry = await start();
    await expect(
      fetch(`${registry.url}${EXPORT}?_trickle=60000&_trickle_bytes=1`, {
        headers: { authorization: `Token ${TOKEN}` },
        signal: AbortSignal.timeout(50),
      }).then((answer) => answer.text()),
    ).rejects.toThrow();
    await registry.close();
  });

  test.each(['at-once', 'mid-body'])('a connection reset %s', async (when) => {
    const code = await failure(await start({ members: 2_000 }), `${EXPORT}?_disconnect=${when}`);
    expect(code).toMatch(/^(?:ECONNRESET|UND_ERR_SOCKET)$/);
  });

  test('a complete body with half of the JSON', async () => {
    const answer = await call(await start(), `${EXPORT}?_truncate=1`);
    expect(answer.status).toBe(200);
    expect(answer.text).toMatch(/^\{"count":50/);
    expect(answer.json).toBeUndefined();
  });

  test('an HTML login page, and a redirect to one', async () => {
    const registry = await start();
    const page = await call(registry, `${EXPORT}?_html=1`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=UTF-8']);
    const redirect = await call(registry, `${EXPORT}?_redirect=/accounts/login/`);
    expect([redirect.status, redirect.headers.get('location')]).toEqual([302, '/accounts/login/']);
    expect((await call(registry, '/accounts/login/')).text).toContain('<form');
  });

  test('wrong types and missing keys', async () => {
    const { json } = await call(
      await start(),
      `${EXPORT}?_wrong_types=count,kennitalas&_missing_keys=exported_at`,
    );
    expect(json.count).toBe('50');
    expect(json.kennitalas[0]).toEqual({ unexpected: true });
    expect(json).not.toHaveProperty('exported_at');
  });

  test.each([
    ['fewer than it says', 'count=5', 55, 50],
    ['more than it says', 'count=-5', 45, 50],
    ['none', 'empty=1', 0, 0],
    ['some left out', 'drop=7', 43, 43],
    ['some twice', 'duplicates=3', 53, 53],
    ['some placeholders', 'placeholders=4', 54, 54],
    ['some unreadable', 'unreadable=5', 55, 55],
    ['hyphens', 'hyphens=6', 50, 50],
  ])('an export with %s (%s)', async (_, fault, count, entries) => {
    const { json } = await call(await start(), `${EXPORT}?_${fault}`);
    expect([json.count, json.kennitalas.length]).toEqual([count, entries]);
  });

  test('what each of them puts into the list', async () => {
    const registry = await start({ hyphenated: 0 });
    const list = async (fault: string): Promise<string[]> =>
      (await call(registry, `${EXPORT}?_${fault}`)).json.kennitalas;
    const honest: string[] = (await call(registry, EXPORT)).json.kennitalas;
    expect((await list('drop=7')).every((ssn) => honest.includes(ssn))).toBe(true);
    expect((await list('duplicates=3')).slice(50)).toEqual(honest.slice(0, 3));
    expect((await list('placeholders=4')).filter((ssn) => ssn.startsWith('9999'))).toHaveLength(4);
    expect((await list('unreadable=5')).filter((ssn) => !/^\d{6}-?\d{4}$/.test(ssn))).toHaveLength(5);
    const hyphened = await list('hyphens=6');
    expect(hyphened.filter((ssn) => ssn.includes('-'))).toHaveLength(6);
    expect(digits(hyphened)).toEqual(honest);
  });

  test('dropped members are missing from the pages as well', async () => {
    const registry = await start();
    const kept = (await call(registry, `${EXPORT}?_drop=7`)).json.kennitalas;
    const { json } = await call(registry, '/api/members/?_drop=7');
    expect(json.count).toBe(43);
    expect(json.results.map((member: { ssn: string }) => member.ssn)).toEqual(kept);
  });

  test('a spoiled list is compressed like an honest one', async () => {
    const registry = await start({ members: 500 });
    const answer = await call(registry, `${EXPORT}?_duplicates=3`, {
      headers: { 'accept-encoding': 'gzip' },
    });
    expect(answer.headers.get('content-encoding')).toBe('gzip');
    expect(answer.json.count).toBe(503);
  });

  test('a page’s next does not carry the fault along', async () => {
    const { json } = await call(await start(), '/api/members/?page_size=20&_delay=1');
    expect(json.next).not.toContain('_delay');
  });

  test.each(['_status=200', '_status=abc', '_nonsense=1', '_disconnect=later'])(
    '%s is refused',
    async (query) => {
      expect((await call(await start(), `${EXPORT}?${query}`)).status).toBe(400);
    },
  );
});

describe('an answer spoiled by a control', () => {
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

  test('holds for so long', async () => {
    const registry = await start();
    registry.addFault({ status: 500, seconds: 0.15 });
    expect(await statuses(registry, 1)).toEqual([500]);
    await expect.poll(() => statuses(registry, 1)).toEqual([200]);
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
    registry.addFault({ retry_after: '3' });
    const answer = await call(registry, EXPORT);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '3']);
    expect((await control(registry, 'GET', '/faults')).json.faults).toHaveLength(2);
    await control(registry, 'DELETE', '/faults');
    expect(await statuses(registry, 1)).toEqual([200]);
  });

  test('the API answers 401 until it is asked with another token', async () => {
    const registry = await start();
    await control(registry, 'POST', '/token', { token: 'rotated' });
    expect(await statuses(registry, 1)).toEqual([401]);
    const answer = await call(registry, EXPORT, { headers: { authorization: 'Token rotated' } });
    expect(answer.status).toBe(200);
  });

  test('reset makes everything honest again', async () => {
    const registry = await start();
    registry.addFault({ status: 500 });
    registry.acceptToken('rotated');
    registry.setCompanion(false);
    await control(registry, 'POST', '/reset');
    expect(await statuses(registry, 1)).toEqual([200]);
    expect(registry.summary()).toMatchObject({ companion: true, faults: [] });
  });

  test('a fault that is not one is refused with the field’s name', async () => {
    const answer = await control(await start(), 'POST', '/faults', { statos: 503 });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('statos');
  });
});
