import type { AddressInfo } from 'node:net';
import { http } from '@google-cloud/functions-framework';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveApp } from '../../src/triggers/serve-app.ts';

const app = new Hono();
app.post('/echo/:id', async (c) => {
  const bytes = new Uint8Array(await c.req.arrayBuffer());
  return c.json(
    {
      id: c.req.param('id'),
      query: c.req.query('q'),
      authorization: c.req.header('authorization'),
      bytes: [...bytes],
    },
    201,
    { 'x-request-id': 'some-id' },
  );
});
app.get('/plain', (c) => c.json({ fine: true }));

http('served', (request, response) => serveApp(app, request, response));
const server = getTestServer('served');
let url: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

describe('an app behind the functions framework', () => {
  it('gets method, path, query, headers and the very bytes of the body, and its answer comes back whole', async () => {
    const body = '{"a": "á \\u0000"  }';
    const answer = await fetch(`${url}/echo/some%20id?q=1&q=2`, {
      method: 'POST',
      headers: { authorization: 'Bearer token', 'content-type': 'application/json' },
      body,
    });
    expect([answer.status, answer.headers.get('x-request-id')]).toEqual([201, 'some-id']);
    expect(await answer.json()).toEqual({
      id: 'some id',
      query: '1',
      authorization: 'Bearer token',
      bytes: [...Buffer.from(body)],
    });
  });

  it('serves a GET, and a POST without a body', async () => {
    expect(await (await fetch(`${url}/plain`)).json()).toEqual({ fine: true });
    const empty = await fetch(`${url}/echo/x`, { method: 'POST' });
    expect(await empty.json()).toMatchObject({ bytes: [] });
  });

  it('answers what the app does not serve as the app does', async () => {
    expect((await fetch(`${url}/nothing`)).status).toBe(404);
  });
});
