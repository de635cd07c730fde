import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { makeApp } from '../../src/http/app.ts';
import { defineRoute } from '../../src/http/route.ts';
import { SyncError } from '../../src/lib/errors.ts';
import type { LogFields } from '../../src/lib/log.ts';

interface Call {
  readonly method: string;
  readonly authorization: string | undefined;
  readonly rawBody: Uint8Array<ArrayBuffer> | undefined;
}

const answer = async (given: Partial<Call> = {}, handle = async () => ({ done: true })) => {
  const logged: LogFields[] = [];
  const { method, authorization, rawBody } = {
    method: 'POST',
    authorization: 'Bearer good',
    rawBody: Buffer.from('{"name":"x"}'),
    ...given,
  };
  const app = makeApp(
    [
      defineRoute({
        method: 'POST',
        path: '/',
        body: z.strictObject({ name: z.string().optional() }),
        answer: z.object({ done: z.boolean() }),
        handle,
      }),
    ],
    {
      authorize: async (header) => {
        if (header === 'Bearer good') return { kind: 'person', id: 'uid' };
        throw new SyncError(header === 'Bearer weak' ? 'forbidden' : 'unauthenticated', 'no');
      },
      log: (_severity, _message, fields) => {
        if (fields['event'] !== 'http_served') logged.push(fields);
      },
    },
  );
  const response = await app.fetch(
    new Request('http://app.test/', {
      method,
      headers: authorization === undefined ? {} : { authorization },
      ...(method !== 'GET' && rawBody !== undefined && { body: rawBody }),
    }),
  );
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: (await response.json()) as Record<string, unknown>,
    logged,
  };
};

describe('a POST of an administrator', () => {
  it('is handled', async () => {
    expect(await answer()).toMatchObject({ status: 200, body: { done: true }, logged: [] });
  });

  it('may have no body', async () => {
    expect(await answer({ rawBody: undefined })).toMatchObject({ status: 200 });
  });

  it.each([
    ['another method', { method: 'GET' }, 405, 'method_not_allowed'],
    ['no token', { authorization: undefined }, 401, 'unauthenticated'],
    ['too few rights', { authorization: 'Bearer weak' }, 403, 'forbidden'],
    ['no JSON', { rawBody: Buffer.from('{') }, 400, 'invalid_request'],
    ['invalid UTF-8', { rawBody: Buffer.from([0x22, 0xff, 0x22]) }, 400, 'invalid_request'],
    ['an unknown key', { rawBody: Buffer.from('{"force":true}') }, 400, 'invalid_request'],
    ['a wrong type', { rawBody: Buffer.from('{"name":1}') }, 400, 'invalid_request'],
    ['a list', { rawBody: Buffer.from('[]') }, 400, 'invalid_request'],
    ['a body that is too large', { rawBody: Buffer.alloc(70_000, 0x20) }, 413, 'too_large'],
  ])('with %s is refused with a problem document', async (_what, given, status, code) => {
    const refused = await answer(given);
    expect(refused).toMatchObject({ status, body: { status, code, type: 'about:blank' } });
    expect(refused.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(refused.headers['cache-control']).toBe('no-store');
    expect(refused.logged).toHaveLength(1);
  });

  it('says how to authenticate and which method is served', async () => {
    expect((await answer({ authorization: undefined })).headers['www-authenticate']).toBe('Bearer');
    expect((await answer({ method: 'PUT' })).headers['allow']).toBe('POST');
  });

  it('answers the status of the failure that is named, and when to come back', async () => {
    const busy = await answer({}, async () => {
      throw new SyncError('registry_unavailable', 'The registry is overloaded.');
    });
    expect(busy).toMatchObject({ status: 503, body: { code: 'registry_unavailable' } });
    expect(busy.headers['retry-after']).toBe('60');
  });

  it('answers a fault that is not named with a bare 500 and a reference that the log carries', async () => {
    const failed = await answer({}, async () => {
      throw new Error('a secret detail');
    });
    const { reference } = failed.body;
    expect(failed.status).toBe(500);
    expect(failed.logged[0]).toMatchObject({ event: 'http_failed', reference });
    expect(JSON.stringify(failed)).not.toContain('a secret detail');
  });
});
