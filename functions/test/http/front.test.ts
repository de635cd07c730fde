import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type FrontOptions, serveFront, takeNextServer, withoutBody } from '../../src/http/front.ts';

const servers: http.Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server[Symbol.asyncDispose]();
});

const post = async (server: http.Server, body: string) => {
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body });
  return { status: answer.status, text: await answer.text() };
};

const front: FrontOptions = {
  maxBodyBytes: 100,
  app: () => ({ fetch: async (request) => new Response(`read ${await request.text()}`) }),
  toAnswer: ({ code, httpStatus }) => new Response(code, { status: httpStatus }),
};

it('serves a request that came to the server which was taken', async () => {
  takeNextServer((request, response) => void serveFront(request, response, front));
  const platform = http.createServer((_request, response) => response.end('the platform'));
  expect(await post(platform, 'a body')).toEqual({ status: 200, text: 'read a body' });
});

it('refuses a request that the platform may have read before us, whatever is in it', async () => {
  let asked = 0;
  const app = () => {
    asked += 1;
    return front.app();
  };
  const platform = http.createServer(
    (request, response) => void serveFront(request, response, { ...front, app }),
  );
  expect(await post(platform, 'a body')).toEqual({ status: 500, text: 'front_missing' });
  expect(asked).toBe(0);
});

it('takes one server: the next one is the platform’s own again', async () => {
  takeNextServer((request, response) => void serveFront(request, response, front));
  http.createServer();
  const other = http.createServer((_request, response) => response.end('the platform'));
  expect(await post(other, '')).toEqual({ status: 200, text: 'the platform' });
});

describe('a request that no app can want', () => {
  /** What the front answers a request as it goes over the wire, each part of the body as a chunk of its own. */
  const ask = async (options: http.RequestOptions, ...body: string[]) => {
    takeNextServer((request, response) => void serveFront(request, response, front));
    const server = http.createServer().listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const request = http.request({ host: '127.0.0.1', port, method: 'POST', ...options });
    for (const part of body) request.write(part);
    request.end();
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    const parts: Buffer[] = [];
    for await (const part of response) parts.push(part as Buffer);
    return { status: response.statusCode, text: Buffer.concat(parts).toString() };
  };

  it.each<[what: string, options: http.RequestOptions, body: string[], status: number, text: string]>([
    ['has a bad escape in its path', { path: '/%E0%A4%A' }, [], 400, 'invalid_request'],
    ['has no path', { path: '*', method: 'OPTIONS' }, [], 400, 'invalid_request'],
    ['has its body packed', { headers: { 'content-encoding': ' GZIP' } }, ['x'], 415, 'unsupported_encoding'],
    ['says that it is too long', { headers: { 'content-length': 101 } }, ['x'.repeat(101)], 413, 'too_large'],
    ['is too long without saying so', {}, ['x'.repeat(60), 'y'.repeat(60)], 413, 'too_large'],
    ['has a method that no app knows', { method: 'TRACE' }, [], 405, 'method_not_allowed'],
  ])('is refused where it %s', async (_what, options, body, status, text) => {
    expect(await ask(options, ...body)).toEqual({ status, text });
  });

  it.each<[what: string, options: http.RequestOptions, body: string[]]>([
    ['says that its body is as it is', { headers: { 'content-encoding': 'identity' } }, ['x']],
    ['is as long as may be', {}, ['x'.repeat(50), 'y'.repeat(50)]],
    ['has an escape in its path', { path: '/%C3%A6?a=%' }, ['x']],
  ])('is none where it %s', async (_what, options, body) => {
    expect(await ask(options, ...body)).toEqual({ status: 200, text: `read ${body.join('')}` });
  });

  it('is answered without a body where only the head was asked for', async () => {
    expect(await ask({ method: 'HEAD' })).toEqual({ status: 200, text: '' });
  });
});

it('a function that reads no body is given a request without one', () => {
  const headers = { 'content-length': '3', 'content-type': 'a/b', 'transfer-encoding': 'x', 'x-other': 'y' };
  const request = { headers, url: '/somewhere?x' } as unknown as http.IncomingMessage;
  withoutBody(request);
  expect(request).toEqual({ headers: { 'x-other': 'y' }, url: '/' });
});
