import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { WebhookCall } from '../../../src/portal/receive-webhook.ts';
import { readAnswer } from '../../support/registry-events.ts';

/** When an instance dies while it serves a request: the sender sees a connection that breaks. */
export type Death = 'before' | 'after' | null;

export interface WebhookServer {
  readonly url: string;
  /** Who answers from now on, and who dies over which request. */
  serve(receive: (call: WebhookCall) => Promise<Response>, deaths: () => Death): void;
  close(): Promise<void>;
}

/**
 * The webhook behind real HTTP, as the trigger serves it. What is not answered with 200 breaks the connection
 * instead: a sender treats both alike, but it need not wait for as long as `Retry-After` asks.
 */
export const startWebhookServer = async (): Promise<WebhookServer> => {
  let receive: (call: WebhookCall) => Promise<Response> = () => Promise.reject(new Error('Nobody serves.'));
  let nextDeath: () => Death = () => null;

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const death = nextDeath();
    const call = await toCall(request);
    if (death === 'before') return void request.socket.destroy();
    const { status, headers, body } = await readAnswer(await receive(call));
    if (death === 'after' || status !== 200) return void request.socket.destroy();
    response.writeHead(status, headers).end(JSON.stringify(body));
  };

  const server = createServer((request, response) => {
    handle(request, response).catch(() => request.socket.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/syncFromDjango`,
    serve: (by, deaths) => {
      receive = by;
      nextDeath = deaths;
    },
    close: async () => {
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
};

const toCall = async (request: IncomingMessage): Promise<WebhookCall> => {
  const header = (name: string): string | undefined => request.headers[name]?.toString();
  return {
    method: request.method ?? '',
    rawBody: await buffer(request),
    headers: {
      id: header('webhook-id'),
      timestamp: header('webhook-timestamp'),
      signature: header('webhook-signature'),
      authorization: header('authorization'),
    },
  };
};
