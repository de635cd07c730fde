import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import {
  makeRegistryHttp,
  type RegistryHttp,
  type RegistryHttpOptions,
} from '../../../src/adapters/django/registry-http.ts';
import * as answers from './support/answers.ts';
import { failureOf, fetchExport, openClient, TEST_TOKEN } from './support/client.ts';
import { type RegistryServer, startRegistryServer } from './support/registry-server.ts';
import { TEST_ONLY_CERTIFICATE } from './support/test-only-certificate.ts';

const okSchema = z.object({ ok: z.boolean() });

describe('requests to the registry', () => {
  const opened: { close: () => Promise<void> }[] = [];
  let server: RegistryServer;
  const open = (options: Partial<RegistryHttpOptions> = {}, path = ''): RegistryHttp => {
    const http = openClient(`${server.origin}${path}`, options);
    opened.push(http);
    return http;
  };
  beforeEach(async () => {
    server = await startRegistryServer();
    opened.push(server);
  });
  afterEach(async () => {
    for (const one of opened.splice(0).reverse()) await one.close();
  });

  it('carry the token, ask for JSON, and keep the path of the base URL', async () => {
    server.script(answers.json(answers.EXPORT));
    await fetchExport(open({}, '/felagar'));
    expect(server.seen).toMatchObject([
      {
        method: 'GET',
        url: '/felagar/api/members/kennitalas/',
        headers: {
          authorization: `Token ${TEST_TOKEN}`,
          accept: 'application/json',
          'accept-encoding': 'gzip, br',
        },
      },
    ]);
    await fetchExport(open({ authScheme: 'Bearer' }));
    expect(server.seen[1]?.headers.authorization).toBe(`Bearer ${TEST_TOKEN}`);
  });

  it('use connections again and again, also after an error', async () => {
    server.script(answers.json(answers.EXPORT), answers.status(404), answers.json(answers.EXPORT));
    const http = open();
    for (let request = 0; request < 10; request += 1) {
      const fetching = fetchExport(http);
      await (request === 1 ? failureOf(fetching) : fetching);
    }
    expect(server.seen).toHaveLength(10);
    // Two, since the pool may open another one while it notices that the first is free again.
    expect(new Set(server.seen.map(({ port }) => port)).size).toBeLessThanOrEqual(2);
  });

  it('name the route and never the values in it', async () => {
    const [ssn = ''] = answers.LIST;
    const notices: unknown[] = [];
    const http = open({ log: { onRetry: (notice) => notices.push(notice) } });
    server.script(answers.status(502), answers.status(404, {}, `{"error": "no ${ssn}"}`));
    const error = await failureOf(
      http.getJson('/api/sync/member/:ssn/', okSchema, { params: { ssn }, query: { ssn } }),
    );
    expect(server.seen[1]?.url).toBe(`/api/sync/member/${ssn}/?ssn=${ssn}`);
    expect(error).toMatchObject({ code: 'registry_rejected', details: { status: 404 } });
    expect(error.message).toMatch(/^GET \/api\/sync\/member\/:ssn\/: /);
    expect(notices).toEqual([
      {
        route: '/api/sync/member/:ssn/',
        attempt: 1,
        code: 'registry_unavailable',
        delayMs: expect.any(Number),
      },
    ]);
  });

  it('do not name the keys of a map that the registry filled', async () => {
    const schema = z.object({ current: z.record(z.string(), z.number()) });
    server.script(answers.json({ current: { '0101302989': 'x' } }));
    const error = await failureOf(open().getJson('/api/sync/apply/', schema));
    expect(error.details).toEqual({ path: 'current.*' });
  });

  describe('that are redirected', () => {
    it('are followed on the same origin, with the token', async () => {
      server.script(
        answers.redirect(301, '/moved'),
        answers.redirect(302, `${server.origin}/absolute?x=1`),
        answers.redirect(307, 'relative/'),
        answers.json(answers.EXPORT),
      );
      expect((await fetchExport(open())).count).toBe(3);
      expect(server.seen.map(({ url }) => url).slice(1)).toEqual(['/moved', '/absolute?x=1', '/relative/']);
      expect(server.seen.every(({ headers }) => headers.authorization === `Token ${TEST_TOKEN}`)).toBe(true);
    });

    it('are followed three times and no more', async () => {
      server.script(...[1, 2, 3, 4].map((n) => answers.redirect(302, `/${n}`)), answers.json(answers.EXPORT));
      expect(await failureOf(fetchExport(open()))).toMatchObject({
        code: 'registry_rejected',
        details: { status: 302 },
      });
      expect(server.seen).toHaveLength(4);
    });

    it('are refused when they end at a login page', async () => {
      server.script(answers.redirect(302, '/accounts/login/?next=/api/'), answers.html());
      const error = await failureOf(fetchExport(open()));
      expect(error).toMatchObject({ code: 'registry_rejected', details: { status: 302 } });
      expect(error.message).toMatch(/login page/);
    });

    it('never carry the token to another origin', async () => {
      const other = await startRegistryServer();
      opened.push(other);
      other.script(answers.json(answers.EXPORT));
      server.script(answers.redirect(302, `${other.origin}/api/members/kennitalas/`));
      expect(await failureOf(fetchExport(open()))).toMatchObject({ code: 'registry_rejected' });
      expect(other.seen).toEqual([]);
    });

    it('are never followed from https to http', async () => {
      const tls = await startRegistryServer({ tls: true });
      opened.push(tls);
      server.script(answers.json(answers.EXPORT));
      tls.script(answers.redirect(301, tls.origin.replace('https', 'http')));
      const http = openClient(tls.origin, { ca: TEST_ONLY_CERTIFICATE });
      opened.push(http);
      expect(await failureOf(fetchExport(http))).toMatchObject({ code: 'registry_rejected' });
      tls.script(answers.redirect(301, server.origin));
      expect(await failureOf(fetchExport(http))).toMatchObject({ code: 'registry_rejected' });
      expect(server.seen).toEqual([]);
    });

    it.each([301, 302, 303, 307, 308])('are not followed for a POST (%i)', async (code) => {
      server.script(answers.redirect(code, '/elsewhere'));
      const error = await failureOf(open().postJson('/api/sync/apply/', {}, okSchema, { idempotent: true }));
      expect(error).toMatchObject({ code: 'registry_rejected', details: { status: code } });
      expect(server.seen).toHaveLength(1);
    });
  });

  describe('that change something', () => {
    it('send their body as JSON', async () => {
      server.script(answers.status(201, {}, '{"ok": true}'));
      const answer = await open().postJson('/api/sync/apply/', { changes: ['ð'] }, okSchema);
      expect(answer).toEqual({ ok: true });
      expect(server.seen).toMatchObject([
        { method: 'POST', body: '{"changes":["ð"]}', headers: { 'content-type': 'application/json' } },
      ]);
    });

    it('are tried again only where sending them twice does no harm', async () => {
      const http = open();
      for (const answer of [answers.status(503), answers.reset, answers.silence]) {
        server.script(answer, answers.json({ ok: true }));
        await failureOf(http.postJson('/api/sync/apply/', {}, okSchema));
        expect(server.seen).toHaveLength(1);
        server.script(answer, answers.json({ ok: true }));
        const options = { idempotent: true };
        expect(await http.postJson('/api/sync/apply/', { a: 1 }, okSchema, options)).toEqual({ ok: true });
        expect(server.seen.map(({ body }) => body)).toEqual(['{"a":1}', '{"a":1}']);
      }
    });
  });

  describe('that find no registry', () => {
    const unreachable = async (baseUrl: string, options: Partial<RegistryHttpOptions> = {}) => {
      const attempts: number[] = [];
      const http = openClient(baseUrl, {
        retry: { attempts: 3, baseDelayMs: 1, maxDelayMs: 1 },
        log: { onRetry: ({ attempt }) => attempts.push(attempt) },
        requestTimeoutMs: 5_000,
        ...options,
      });
      opened.push(http);
      const error = await failureOf(fetchExport(http, 10_000));
      expect(error.code).toBe('registry_unreachable');
      expect(attempts).toEqual([1, 2]);
      return error.details['reason'];
    };

    it('say that the connection was refused', async () => {
      const closed = createServer();
      await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
      const address = closed.address();
      await new Promise((resolve) => closed.close(resolve));
      const port = typeof address === 'object' ? address?.port : undefined;
      expect(await unreachable(`http://127.0.0.1:${port}`)).toBe('ECONNREFUSED');
    });

    it('say that the name is unknown', async () => {
      expect(await unreachable('https://registry.invalid')).toMatch(/^(ENOTFOUND|EAI_AGAIN)$/);
    });

    it('say what is wrong with the certificate', async () => {
      const tls = await startRegistryServer({ tls: true });
      opened.push(tls);
      tls.script(answers.json(answers.EXPORT));
      expect(await unreachable(tls.origin)).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
      const byName = tls.origin.replace('127.0.0.1', 'localhost');
      expect(await unreachable(byName, { ca: TEST_ONLY_CERTIFICATE })).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
      expect(tls.seen).toEqual([]);
    });

    it('say that TLS met plain http', async () => {
      server.script(answers.json(answers.EXPORT));
      expect(await unreachable(server.origin.replace('http', 'https'))).toMatch(
        /^(ERR_SSL_|EPROTO|ECONNRESET|UND_ERR_SOCKET)/,
      );
    });
  });

  it('are made over TLS with a certificate that is trusted', async () => {
    const tls = await startRegistryServer({ tls: true });
    opened.push(tls);
    tls.script(answers.json(answers.EXPORT));
    const http = openClient(tls.origin, { ca: TEST_ONLY_CERTIFICATE });
    opened.push(http);
    expect((await fetchExport(http)).count).toBe(3);
  });

  it('are refused at once for a base URL that cannot be used', () => {
    expect(() =>
      makeRegistryHttp({
        baseUrl: 'http://registry.example.is',
        authScheme: 'Token',
        token: { read: async () => TEST_TOKEN, drop: () => undefined },
      }),
    ).toThrow(/DJANGO_BASE_URL is plain http/);
  });
});
