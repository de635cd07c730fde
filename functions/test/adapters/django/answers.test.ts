import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FAILING_ANSWERS } from './support/answer-table.ts';
import * as answers from './support/answers.ts';
import { failureOf, fetchExport, openClient } from './support/client.ts';
import { type RegistryServer, startRegistryServer } from './support/registry-server.ts';

describe('what a registry may answer instead of an export', () => {
  let server: RegistryServer;
  beforeAll(async () => {
    server = await startRegistryServer();
  });
  afterAll(async () => {
    await server.close();
  });

  it.each(FAILING_ANSWERS)('$when is $code', async ({ answer, code, retried, details, says }) => {
    server.script(answer);
    const http = openClient(server.origin, {
      retry: { attempts: 2, baseDelayMs: 2, maxDelayMs: 2 },
      // Only where nothing else ends the request: a busy machine is no fault.
      ...(code === 'registry_timeout' && { requestTimeoutMs: 150 }),
    });
    const error = await failureOf(fetchExport(http));
    await http.close();
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/^GET \/api\/members\/kennitalas\/: /);
    if (details !== undefined) expect(error.details).toMatchObject(details);
    if (says !== undefined) expect(error.message).toMatch(says);
    const sent = server.seen.filter(({ url }) => url === '/api/members/kennitalas/').length;
    if (code !== 'registry_rejected') expect(sent).toBe(retried ? 2 : 1);
    expect(error.details['attempts']).toBe(retried ? 2 : undefined);
  });

  it.each([
    ['plain', answers.json(answers.EXPORT)],
    ['gzip', answers.gzip(JSON.stringify(answers.EXPORT))],
    ['brotli', answers.brotli(JSON.stringify(answers.EXPORT))],
    ['deflate', answers.deflate(JSON.stringify(answers.EXPORT))],
    ['a byte order mark before it', answers.body(`\ufeff${JSON.stringify(answers.EXPORT)}`)],
    ['a character in two pieces', answers.inTwoPieces(JSON.stringify({ ...answers.EXPORT, note: 'ð' }), 'ð')],
    ['a body without length', answers.undelimited(JSON.stringify(answers.EXPORT))],
    ['another content type', answers.json(answers.EXPORT, { 'content-type': 'text/plain' })],
    ['extra keys', answers.json({ ...answers.EXPORT, version: 2, next: null })],
  ])('an export is read: %s', async (_, answer) => {
    server.script(answer);
    const http = openClient(server.origin);
    expect(await fetchExport(http)).toEqual({
      count: 3,
      kennitalas: answers.LIST,
      exportedAt: '2026-11-20T03:00:00+00:00',
    });
    await http.close();
  });

  /** More than 64 KiB on the wire, which is decompressed as it comes. */
  const openLong = () =>
    openClient(server.origin, {
      maxAnswerBytes: 1_000_000,
      retry: { attempts: 1, baseDelayMs: 2, maxDelayMs: 2 },
    });

  it.each([
    ['gzip', answers.gzip(answers.LONG)],
    ['brotli', answers.brotli(answers.LONG)],
    ['plain', answers.body(answers.LONG)],
  ])('an export that is long on the wire is read too: %s', async (_, answer) => {
    server.script(answer);
    const http = openLong();
    expect(await fetchExport(http)).toMatchObject({ count: 3, kennitalas: answers.LIST });
    await http.close();
  });

  it.each([
    ['breaks off', 'registry_unreachable', answers.truncatedLongGzip],
    ['unpacks to too much', 'registry_too_large', answers.gzip(answers.LONG + ' '.repeat(3_000_000))],
  ])('an export that is long on the wire and %s is %s', async (_, code, answer) => {
    server.script(answer);
    const http = openLong();
    expect((await failureOf(fetchExport(http))).code).toBe(code);
    await http.close();
  });

  it('a long answer that is refused in its first part holds no connection', async () => {
    const closed = Promise.withResolvers<void>();
    server.script(answers.endlessBomb(closed.resolve));
    const http = openLong();
    expect((await failureOf(fetchExport(http))).code).toBe('registry_too_large');
    await closed.promise;
    await http.close();
  });

  it.each([
    ['empty', { count: 0, kennitalas: [] }, { count: 0, kennitalas: [], exportedAt: null }],
    [
      'shorter than its count',
      { count: 9, kennitalas: ['x'], exported_at: null },
      { count: 9, kennitalas: ['x'], exportedAt: null },
    ],
    [
      'longer than its count',
      { count: 0, kennitalas: [' x ', ''], exported_at: '2026-11-20T03:00:00.123456Z' },
      { count: 0, kennitalas: [' x ', ''], exportedAt: '2026-11-20T03:00:00.123456Z' },
    ],
  ])('an export that is %s is left to the roster, as sent', async (_, sent, read) => {
    server.script(answers.json(sent));
    const http = openClient(server.origin);
    expect(await fetchExport(http)).toEqual(read);
    await http.close();
  });

  it.each(FAILING_ANSWERS.filter(({ retried }) => retried))(
    'an export after $when is read all the same',
    async ({ answer }) => {
      server.script(answer, answers.json(answers.EXPORT));
      const http = openClient(server.origin);
      expect((await fetchExport(http)).kennitalas).toEqual(answers.LIST);
      expect(server.seen).toHaveLength(2);
      await http.close();
    },
  );
});
