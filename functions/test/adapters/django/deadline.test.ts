import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { makeListExport } from '../../../src/adapters/django/read-members.ts';
import type { RegistryHttp, RegistryHttpOptions } from '../../../src/adapters/django/registry-http.ts';
import { SyncError } from '../../../src/lib/errors.ts';
import * as answers from './support/answers.ts';
import { failureOf, fetchExport, openClient } from './support/client.ts';
import { type RegistryServer, startRegistryServer } from './support/registry-server.ts';

/** Whatever is not cut short takes 30 s and more here, so that 20 s tell the two apart on any machine. */
describe('the time of a fetch', () => {
  let server: RegistryServer;
  let http: RegistryHttp | undefined;
  const open = (options: Partial<RegistryHttpOptions> = {}): RegistryHttp => {
    http = openClient(server.origin, options);
    return http;
  };
  beforeEach(async () => {
    server = await startRegistryServer();
  });
  afterEach(async () => {
    await http?.close();
    await server.close();
  });

  const elapsed = async (promise: Promise<unknown>): Promise<number> => {
    const startedAt = performance.now();
    await promise;
    return performance.now() - startedAt;
  };

  it.each([
    ['it answers 503', answers.status(503), 'registry_unavailable'],
    ['it answers 429', answers.status(429), 'registry_unavailable'],
    ['it resets connections', answers.reset, 'registry_unreachable'],
    ['it is silent', answers.silence, 'registry_timeout'],
    ['it trickles', answers.trickle, 'registry_timeout'],
  ])('is used up while %s, and what happened decides', async (_, answer, code) => {
    server.script(answer);
    const fetching = failureOf(fetchExport(open({ requestTimeoutMs: 200 }), 1_000));
    expect(await elapsed(fetching)).toBeLessThan(20_000);
    const error = await fetching;
    expect(error.code).toBe(code);
    expect(server.seen.length).toBeGreaterThan(1);
    // The deadline may have cut one more short before it reached the server.
    const unseen = Number(error.details['attempts']) - server.seen.length;
    expect([0, 1]).toContain(unseen);
  });

  it('cuts a request short that has more time of its own: too slow', async () => {
    server.script(answers.trickle);
    const fetching = failureOf(fetchExport(open({ requestTimeoutMs: 30_000 }), 100));
    expect(await elapsed(fetching)).toBeLessThan(20_000);
    expect(await fetching).toMatchObject({ code: 'registry_timeout', details: { limitMs: 100 } });
  });

  it('cuts the last try short, and the failure before it is the error', async () => {
    server.script(answers.status(503), answers.silence);
    const error = await failureOf(fetchExport(open({ requestTimeoutMs: 30_000 }), 120));
    expect(error).toMatchObject({ code: 'registry_unavailable', details: { status: 503, attempts: 2 } });
  });

  it('is not waited for when the registry asks for more than is left', async () => {
    server.script(answers.status(503, { 'retry-after': '3600' }));
    const fetching = failureOf(fetchExport(open(), 60_000));
    expect(await elapsed(fetching)).toBeLessThan(20_000);
    expect(await fetching).toMatchObject({
      code: 'registry_unavailable',
      details: { status: 503, retryAfterMs: 3_600_000 },
    });
    expect(server.seen).toHaveLength(1);
  });

  it.each([
    ['seconds', () => '20'],
    ['a date', () => new Date(Date.now() + 20_000).toUTCString()],
  ])('is waited for as the registry asks, in %s', async (_, makeHeader) => {
    server.script(answers.status(429, { 'retry-after': makeHeader() }), answers.json(answers.EXPORT));
    const delays: number[] = [];
    const log = { onRetry: ({ delayMs }: { delayMs: number }) => delays.push(delayMs) };
    // The wait is noted, not slept.
    const clock = { now: Date.now, sleep: async () => undefined, random: () => 0 };
    await fetchExport(open({ log, clock }), 60_000);
    expect(delays).toHaveLength(1);
    expect(delays[0]).toBeGreaterThan(15_000);
    expect(delays[0]).toBeLessThanOrEqual(20_000);
  });

  it('includes reading the token', async () => {
    const token = { read: () => new Promise<string>(() => undefined), drop: () => undefined };
    const error = await failureOf(fetchExport(open({ token }), 50));
    expect(error.code).toBe('registry_timeout');
    expect(server.seen).toHaveLength(0);
  });

  it.each([
    ['before it', 0],
    ['during it', 30],
  ])('ends when the caller aborts %s', async (_, afterMs) => {
    server.script(answers.silence);
    const controller = new AbortController();
    if (afterMs === 0) controller.abort();
    else setTimeout(() => controller.abort(), afterMs);
    const source = makeListExport(open({ requestTimeoutMs: 30_000 }));
    const fetching = failureOf(source.fetchKennitalaExport({ signal: controller.signal }));
    expect(await elapsed(fetching)).toBeLessThan(20_000);
    expect((await fetching).code).toBe('registry_timeout');
  });

  it("ends with the caller's own error where that is the reason", async () => {
    server.script(answers.status(503));
    const controller = new AbortController();
    const reason = new SyncError('lease_lost', 'another run took over');
    setTimeout(() => controller.abort(reason), 30);
    const source = makeListExport(open());
    expect(await failureOf(source.fetchKennitalaExport({ signal: controller.signal }))).toBe(reason);
  });

  it('is not begun again after the client was closed', async () => {
    server.script(answers.silence);
    const client = open({ requestTimeoutMs: 30_000 });
    const fetching = failureOf(fetchExport(client, 60_000));
    while (server.seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(await elapsed(client.close().then(() => fetching))).toBeLessThan(20_000);
    expect((await fetching).code).toBe('registry_unreachable');
    expect(await failureOf(client.getJson('/api/sync/status/', z.object({})))).toMatchObject({
      code: 'registry_unreachable',
      details: { reason: 'closed' },
    });
  });
});
