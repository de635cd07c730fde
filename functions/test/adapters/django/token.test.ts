import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RegistryHttp, TokenSource } from '../../../src/adapters/django/registry-http.ts';
import { makeSecretManager, makeTokenSource } from '../../../src/adapters/secrets/secret-manager.ts';
import { SyncError } from '../../../src/lib/errors.ts';
import { startSecretManagerServer } from '../secrets/support/secret-manager-server.ts';
import * as answers from './support/answers.ts';
import { failureOf, fetchExport, openClient } from './support/client.ts';
import { type Answer, type RegistryServer, startRegistryServer } from './support/registry-server.ts';

/** Lets in who carries that token. */
const guardedBy =
  (token: () => string, otherwise: Answer = answers.status(401)): Answer =>
  (request, response) => {
    const isKnown = request.headers.authorization === `Token ${token()}`;
    (isKnown ? answers.json(answers.EXPORT) : otherwise)(request, response);
  };

/** A cached token whose secret can be changed behind its back. */
const makeRotatingToken = (first: string) => {
  const secret = { stored: first, reads: 0, drops: 0 };
  let cached: Promise<string> | undefined;
  const readSecret = async (): Promise<string> => {
    secret.reads += 1;
    await new Promise((resolve) => setImmediate(resolve));
    return secret.stored;
  };
  const source: TokenSource = {
    read: () => {
      cached ??= readSecret();
      return cached;
    },
    drop: () => {
      secret.drops += 1;
      cached = undefined;
    },
  };
  return Object.assign(secret, { source });
};

describe('the token', () => {
  let server: RegistryServer;
  let http: RegistryHttp | undefined;
  const open = (token: TokenSource): RegistryHttp => {
    http = openClient(server.origin, { token });
    return http;
  };
  beforeAll(async () => {
    server = await startRegistryServer();
  });
  afterEach(async () => {
    await http?.close();
  });
  afterAll(async () => {
    await server.close();
  });

  it('is read again once after a 401, and the request sent again', async () => {
    const token = makeRotatingToken('old');
    await token.source.read();
    token.stored = 'new';
    server.script(guardedBy(() => 'new'));
    expect((await fetchExport(open(token.source))).count).toBe(3);
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual(['Token old', 'Token new']);
    expect(token).toMatchObject({ reads: 2, drops: 1 });
  });

  it('is given up after the second 401', async () => {
    const token = makeRotatingToken('wrong');
    server.script(answers.status(401));
    const error = await failureOf(fetchExport(open(token.source)));
    expect(error).toMatchObject({ code: 'registry_unauthorized', details: { status: 401, attempts: 2 } });
    expect(error.message).toMatch(/Secret Manager.+DJANGO_AUTH_SCHEME/);
    expect(token).toMatchObject({ reads: 2, drops: 1 });
  });

  it('is not read again after a 403', async () => {
    const token = makeRotatingToken('without-rights');
    server.script(answers.status(403));
    expect(await failureOf(fetchExport(open(token.source)))).toMatchObject({ code: 'registry_unauthorized' });
    expect(token).toMatchObject({ reads: 1, drops: 0 });
    expect(server.seen).toHaveLength(1);
  });

  it('is renewed once in a fetch, even when other failures come between', async () => {
    const token = makeRotatingToken('old');
    server.script(
      answers.status(401),
      answers.status(503),
      answers.status(401),
      answers.json(answers.EXPORT),
    );
    expect(await failureOf(fetchExport(open(token.source)))).toMatchObject({ code: 'registry_unauthorized' });
    expect(server.seen).toHaveLength(3);
    expect(token.drops).toBe(1);
  });

  it('is renewed for a POST too, since a refused request has done nothing', async () => {
    const token = makeRotatingToken('old');
    await token.source.read();
    token.stored = 'new';
    server.script(guardedBy(() => 'new'));
    const { z } = await import('zod');
    await open(token.source).postJson('/api/sync/apply/', {}, z.looseObject({}));
    expect(server.seen).toHaveLength(2);
  });

  it.each([
    ['changed', 'new', 'new'],
    ['unchanged', 'old', 'let nobody in'],
  ])(
    'is read again once for all requests that meet the same 401, when the secret is %s',
    async (_, stored, accepted) => {
      const token = makeRotatingToken('old');
      await token.source.read();
      token.stored = stored;
      // The refusals arrive spread out, so that some come after the renewal is complete.
      let refused = 0;
      server.script(
        guardedBy(
          () => accepted,
          (request, response) => {
            refused += 1;
            setTimeout(() => answers.status(401)(request, response), (refused % 4) * 10);
          },
        ),
      );
      const client = open(token.source);
      const results = await Promise.allSettled(Array.from({ length: 12 }, () => fetchExport(client)));
      const expected = stored === accepted ? 'fulfilled' : 'rejected';
      expect(new Set(results.map(({ status }) => status))).toEqual(new Set([expected]));
      expect(token).toMatchObject({ reads: 2, drops: 1 });
    },
  );

  it('that cannot be read ends the fetch with the failure of its source, tried once', async () => {
    const failure = new SyncError('secret_unavailable', 'Secret x could not be read.');
    let reads = 0;
    const read = async () => {
      reads += 1;
      throw failure;
    };
    expect(await failureOf(fetchExport(open({ read, drop: () => undefined })))).toBe(failure);
    expect(reads).toBe(1);
  });

  it.each(['two words', 'line\nbreak', 'þ', ''])('that no header can carry is refused: %j', async (text) => {
    server.script(answers.json(answers.EXPORT));
    const error = await failureOf(fetchExport(open({ read: async () => text, drop: () => undefined })));
    expect(error.code).toBe('secret_unavailable');
    if (text !== '') expect(error.message).not.toContain(text);
    expect(server.seen).toEqual([]);
  });

  it('is rotated in Secret Manager with no restart', async () => {
    const secrets = await startSecretManagerServer();
    secrets.secrets.set('django-api-token', [{ data: 'version-1\n' }]);
    const manager = makeSecretManager({ projectId: 'demo-ekklesia', client: secrets.client });
    try {
      let accepted = 'version-1';
      server.script(guardedBy(() => accepted));
      const client = open(makeTokenSource(manager, 'django-api-token'));
      await fetchExport(client);
      secrets.secrets.set('django-api-token', [{ data: 'version-1\n' }, { data: 'version-2\n' }]);
      await fetchExport(client);
      accepted = 'version-2';
      await fetchExport(client);
      await fetchExport(client);
      expect(server.seen.map(({ headers }) => headers.authorization?.slice(-1)).join('')).toBe('11122');
      expect(secrets.calls.access).toBe(2);
    } finally {
      await manager.close();
      await secrets.close();
    }
  });
});
