import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { getConnInfo } from '@hono/node-server/conninfo';
import { createMiddleware } from 'hono/factory';

const LOOPBACK = '127.0.0.1';
const LOOPBACK_NAMES = ['localhost', LOOPBACK, '[::1]'];
const LOOPBACK_ADDRESSES = [LOOPBACK, '::1', `::ffff:${LOOPBACK}`];

/** Whether an origin, such as `http://localhost:5000`, is a page that this machine serves. */
export const isLoopbackOrigin = (origin: string): boolean =>
  LOOPBACK_NAMES.includes(URL.parse(origin)?.hostname ?? '');

/**
 * Whether a request comes from this machine, and from no page of a foreign site. The connection's address alone does not
 * tell: a page of any site that is open in the developer's browser connects from here too. So its `Origin` must be loopback,
 * and so must `Host`, which differs when a foreign name was made to resolve to 127.0.0.1.
 */
export const isLocalCall = (call: {
  readonly address: string | undefined;
  readonly host: string | undefined;
  readonly origin: string | undefined;
}): boolean =>
  call.address !== undefined &&
  LOOPBACK_ADDRESSES.includes(call.address) &&
  isLoopbackOrigin(`http://${call.host}`) &&
  (call.origin === undefined || isLoopbackOrigin(call.origin));

/** Refuses (403) what is no local call. */
export const onlyLoopback = createMiddleware(async (context, next) => {
  const { address } = getConnInfo(context).remote;
  const isLocal = isLocalCall({
    address,
    host: context.req.header('host'),
    origin: context.req.header('origin'),
  });
  if (!isLocal) return context.json({ error: 'served to this machine only' }, 403);
  return next();
});

export type LoopbackServer = Awaited<ReturnType<typeof serveOnLoopback>>;

/**
 * Serves an app on this machine. Port 0 takes a free one.
 * @throws Error when the port is in use, naming it and what to do.
 */
export const serveOnLoopback = async (
  fetch: Parameters<typeof createAdaptorServer>[0]['fetch'],
  port: number,
) => {
  // The global Request and Response stay Node's own. Without TLS options the adaptor makes a plain HTTP/1 server.
  const server = createAdaptorServer({ fetch, overrideGlobalObjects: false }) as Server;
  await listenOnLoopback(server, port);
  const { port: taken } = server.address() as AddressInfo;
  let closed: Promise<void> | undefined;
  return {
    url: `http://${LOOPBACK}:${taken}`,
    port: taken,
    /** May be called twice. */
    close: (): Promise<void> => {
      server.closeAllConnections();
      closed ??= server[Symbol.asyncDispose]();
      return closed;
    },
  };
};

/** @throws Error when the port is in use, naming it and what to do. */
export const listenOnLoopback = async (server: Server, port: number): Promise<void> => {
  server.listen(port, LOOPBACK);
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    const advice = 'stop what uses it, or choose others with --port-offset';
    throw new Error(`port ${port} is in use: ${advice}`, { cause: error });
  });
};
