import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { type FrontOptions, serveFront, takeNextServer } from '../../src/http/front.ts';

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
