import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalAuth, startAuth } from '../../src/auth/start-auth.ts';

let local: LocalAuth;
beforeAll(async () => {
  local = await startAuth({ projectId: 'demo-auth', port: 0 });
});
afterAll(() => local.close());

interface Answer {
  readonly status: number | undefined;
  readonly allowedOrigin: string | string[] | undefined;
  readonly text: string;
}

/** `fetch` sets `Host` and `Origin` itself, so the request is made a layer below. */
function post(
  path: string,
  headers: Record<string, string>,
  body: unknown = { uid: 'operator' },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(local.url + path, { method: 'POST', headers, agent: false }, async (response) => {
      const text = (await response.toArray()).join('');
      resolve({
        status: response.statusCode,
        allowedOrigin: response.headers['access-control-allow-origin'],
        text,
      });
    });
    sent.on('error', reject).end(JSON.stringify(body));
  });
}

describe('a development token', () => {
  it('is given to a script of this machine', async () => {
    const { status, text } = await post(
      '/_dev/tokens',
      {},
      { uid: 'operator', claims: { roles: ['admin'] } },
    );
    expect(status).toBe(200);
    const [, payload = ''] = String(JSON.parse(text).idToken).split('.');
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toMatchObject({
      sub: 'operator',
      roles: ['admin'],
    });
  });

  it('is given to a page of this machine, which may read the answer', async () => {
    const origin = 'http://localhost:5000';
    expect(await post('/_dev/tokens', { origin })).toMatchObject({ status: 200, allowedOrigin: origin });
  });

  it.each([
    ['a page of another site', { origin: 'https://example.com' }],
    ['a page of another site whose name starts like ours', { origin: 'http://localhost.example.com' }],
    ['a page of a name that was made to resolve to this machine', { host: 'example.com:9099' }],
    ['a page without an origin', { origin: 'null' }],
  ])('is not given to %s', async (_who, headers) => {
    const { status, allowedOrigin, text } = await post('/_dev/tokens', headers);
    expect(status).toBe(403);
    expect(allowedOrigin).toBeUndefined();
    expect(text).not.toContain('idToken');
  });

  it.each([{}, { uid: '' }, { uid: 7 }, { uid: 'x'.repeat(129) }, []])('is not made for %j', async (body) => {
    expect((await post('/_dev/tokens', {}, body)).status).toBe(400);
  });
});

describe('the administrator’s calls', () => {
  const lookup = (project: string) =>
    `/identitytoolkit.googleapis.com/v1/projects/${project}/accounts:lookup`;

  it('need firebase-admin’s own authorization', async () => {
    expect((await post(lookup('demo-auth'), {})).status).toBe(401);
    expect((await post(lookup('demo-auth'), { authorization: 'Bearer owner' }, { localId: [] })).status).toBe(
      200,
    );
  });

  it('are refused for another project', async () => {
    expect((await post(lookup('demo-other'), { authorization: 'Bearer owner' })).status).toBe(404);
  });
});

it('a port that is taken is named', async () => {
  await expect(startAuth({ projectId: 'demo-auth', port: local.port })).rejects.toThrow(
    `port ${local.port} is in use: stop what uses it, or choose others with --port-offset`,
  );
});
