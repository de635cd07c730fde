import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import {
  type LocalRegistry,
  type RegistryOptions,
  startRegistry,
} from '../../src/registry/start-registry.ts';

export const TOKEN = 'token-of-a-test';
/** A secret of these tests alone. */
export const SECRET = `whsec_${Buffer.from('a test secret of 24 bytes').toString('base64')}`;
export const OTHER_SECRET = `whsec_${Buffer.from('another secret, 24 bytes').toString('base64')}`;

/** A registry until the test ends that calls for it. */
export const start = async (options: Partial<RegistryOptions> = {}): Promise<LocalRegistry> => {
  const registry = await startRegistry({ port: 0, members: 50, seed: 7, token: TOKEN, ...options });
  onTestFinished(() => registry.close());
  return registry;
};

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers of every shape
  readonly json: any;
  readonly text: string;
}

export const call = async (
  registry: LocalRegistry,
  path: string,
  {
    method = 'GET',
    body,
    headers = {},
  }: { method?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<Answer> => {
  const answer = await fetch(registry.url + path, {
    method,
    headers: {
      authorization: `Token ${TOKEN}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    redirect: 'manual',
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  const isJson = answer.headers.get('content-type')?.startsWith('application/json') ?? false;
  return { status: answer.status, headers: answer.headers, text, json: isJson ? tryParse(text) : undefined };
};

const tryParse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly raw: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read events of every shape
  readonly event: any;
  readonly at: number;
}

export interface Receiver {
  readonly url: string;
  readonly received: Received[];
  /** The most requests that were open at once. */
  readonly peak: () => number;
}

/** A webhook receiver whose answer to each request the test decides. */
export const startReceiver = async (
  answer: (
    n: number,
    received: Received,
  ) =>
    | Promise<{ status: number; headers?: Record<string, string> }>
    | { status: number; headers?: Record<string, string> } = () => ({ status: 200 }),
): Promise<Receiver> => {
  const received: Received[] = [];
  let open = 0;
  let peak = 0;
  const server = createServer(async (request, response) => {
    open += 1;
    peak = Math.max(peak, open);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const raw = Buffer.concat(chunks).toString();
    const one: Received = { headers: request.headers, raw, event: JSON.parse(raw), at: Date.now() };
    received.push(one);
    const { status, headers = {} } = await answer(received.length - 1, one);
    open -= 1;
    response.writeHead(status, headers).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/sync`,
    received,
    peak: () => peak,
  };
};
