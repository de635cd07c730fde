import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ApiError, errorBody } from './errors.ts';
import type { Faults } from './faults.ts';
import type { ApiRequest, Reply } from './http.ts';

/**
 * Plain node:http: bodies of megabytes go from the socket to the disk without an adapter's copies, and an
 * object's name stays encoded until its route has been found (`a%2Fb` is one segment).
 */
export function makeServer(handle: (request: ApiRequest) => Promise<Reply>, faults: Faults): Server {
  const server = createServer(async (incoming, outgoing) => {
    const request = toApiRequest(incoming);
    try {
      await faults.delay();
      const refusal = await faults.meet(request, 'before');
      if (refusal !== null) return await strike(incoming, outgoing, refusal);
      const reply = await handle(request).catch(errorReply);
      const loss = await faults.meet(request, 'after');
      if (loss !== null) {
        if (reply.body instanceof Readable) reply.body.destroy();
        return await strike(incoming, outgoing, loss);
      }
      await send(incoming, outgoing, reply);
    } catch {
      // The client went away, or a file broke off in the middle: it must not look like an end.
      outgoing.destroy();
    }
  });
  // An upload may take as long as it likes; the default would cut it after five minutes.
  server.requestTimeout = 0;
  return server;
}

function toApiRequest(incoming: IncomingMessage): ApiRequest {
  const [path = '/', query = ''] = (incoming.url ?? '/').split('?', 2);
  return {
    method: incoming.method ?? 'GET',
    path,
    query: new URLSearchParams(query),
    headers: incoming.headers,
    // A refused upload must still be answered, so leaving the loop early keeps the connection.
    body: incoming.iterator({ destroyOnReturn: false }),
  };
}

async function send(incoming: IncomingMessage, outgoing: ServerResponse, reply: Reply): Promise<void> {
  drain(incoming);
  outgoing.writeHead(reply.status, reply.headers);
  if (incoming.method === 'HEAD' || !(reply.body instanceof Readable)) {
    if (reply.body instanceof Readable) reply.body.destroy();
    outgoing.end(reply.body instanceof Readable ? undefined : reply.body);
    return;
  }
  await pipeline(reply.body, outgoing);
}

/**
 * Reads what a refused upload still sends, so that the connection can carry the next request. A body that
 * was left in the middle still has the iterator's `readable` listener, which would keep `resume` from working.
 */
function drain(incoming: IncomingMessage): void {
  if (incoming.readableEnded) return;
  incoming.removeAllListeners('readable');
  incoming.resume();
}

async function strike(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  answer: number | 'destroy',
): Promise<void> {
  if (answer === 'destroy') {
    // The request object may be done already; destroying it would then leave the connection open.
    incoming.socket.destroy();
    return;
  }
  await send(incoming, outgoing, errorReply(new ApiError(answer, 'backendError', 'Injected fault.')));
}

function errorReply(error: unknown): Reply {
  const known = error instanceof ApiError ? error : internalError(error);
  if (known.status === 304) return { status: 304 };
  return {
    status: known.status,
    headers: { 'content-type': 'application/json; charset=UTF-8' },
    body: errorBody(known),
  };
}

function internalError(error: unknown): ApiError {
  const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
  return new ApiError(500, 'internalError', `The local Cloud Storage server failed${code}.`);
}
