import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import type { Hono } from 'hono';

export interface ListeningServer {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves an app. Port 0 takes a free one.
 * @throws Error when the port is in use, naming it and what to do.
 */
export async function listen(app: Hono, host: string, port: number): Promise<ListeningServer> {
  // Without TLS options the adaptor makes a plain HTTP/1 server.
  const server = createAdaptorServer({ fetch: app.fetch, hostname: host }) as Server;
  server.listen(port, host);
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    const advice = 'stop what uses it, or choose others with --port-offset';
    throw new Error(`port ${port} is in use: ${advice}`, { cause: error });
  });
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${taken}`,
    port: taken,
    async close() {
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
}
