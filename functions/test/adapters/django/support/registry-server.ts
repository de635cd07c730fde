import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TEST_ONLY_CERTIFICATE, TEST_ONLY_KEY } from './test-only-certificate.ts';

/** What a request is answered. The socket is there for answers that HTTP does not allow. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** Of the client, so that a kept connection shows. */
  readonly port: number;
}

export interface RegistryServer {
  readonly origin: string;
  readonly seen: Seen[];
  /** Answers the requests one after another; the last one serves for all that follow. */
  script: (...answers: readonly Answer[]) => void;
  close: () => Promise<void>;
}

/** A real server on a free port of this machine, whose every answer a test writes. */
export const startRegistryServer = async (options: { tls?: boolean } = {}): Promise<RegistryServer> => {
  const seen: Seen[] = [];
  let script: readonly Answer[] = [];
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      seen.push({
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString('utf8'),
        port: request.socket.remotePort ?? 0,
      });
      const answer = script[Math.min(seen.length, script.length) - 1];
      if (answer === undefined) throw new Error('No answer was scripted.');
      answer(request, response);
    });
  };
  const server: Server =
    options.tls === true
      ? createTlsServer({ cert: TEST_ONLY_CERTIFICATE, key: TEST_ONLY_KEY }, listener)
      : createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `${options.tls === true ? 'https' : 'http'}://127.0.0.1:${port}`,
    seen,
    script: (...answers) => {
      seen.length = 0;
      script = answers;
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
};
