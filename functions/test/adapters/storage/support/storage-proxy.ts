import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Transform } from 'node:stream';
import { makeClient, type TemporaryStorage } from './temporary-storage.ts';

interface Changes {
  /** Answers in the server's place. Missing: as the server does. */
  readonly change?: (answer: IncomingMessage, response: ServerResponse) => void;
  /** What a request's body goes through on its way. */
  readonly through?: () => Transform;
  readonly timeout?: number | undefined;
}

const pass = (answer: IncomingMessage, response: ServerResponse): void => {
  response.writeHead(answer.statusCode ?? 500, answer.headers);
  answer.pipe(response);
};

/** The storage server with its requests or answers changed on their way, and a client to it. */
export const startStorageProxy = async (
  { url }: Pick<TemporaryStorage, 'url'>,
  { change = pass, through, timeout }: Changes,
) => {
  const { port } = new URL(url);
  const proxy = createServer((incoming, response) => {
    const { method, headers } = incoming;
    const outgoing = request({ port, path: incoming.url, method, headers }, (answer) =>
      change(answer, response),
    );
    // A late repetition may come when the server is closed already, as the test is over.
    outgoing.once('error', () => response.destroy());
    if (through === undefined) incoming.pipe(outgoing);
    else incoming.pipe(through()).pipe(outgoing);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return {
    client: makeClient(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, timeout),
    close: () =>
      new Promise<void>((resolve) => {
        proxy.closeAllConnections();
        proxy.close(() => resolve());
      }),
  };
};
