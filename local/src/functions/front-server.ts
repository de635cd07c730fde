import {
  createServer,
  request as forward,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { pipeline } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { isLocalCall } from '../auth/loopback.ts';
import type { FunctionEndpoint } from './endpoint.ts';
import type { HttpCloudEvent } from './post-event.ts';
import { type Route, routeOf } from './route.ts';
import { addScheduleHeaders } from './schedule-headers.ts';
import { limitTime } from './time-limit.ts';

export interface FrontServerOptions {
  readonly projectId: string;
  readonly endpoints: () => readonly FunctionEndpoint[];
  /** The port of the function's process, started where it does not run. */
  readonly portOf: (endpoint: FunctionEndpoint) => Promise<number>;
  readonly onEvent: (name: string, event: HttpCloudEvent) => void;
  readonly onTimeLimit: (endpoint: FunctionEndpoint) => void;
}

/**
 * One server before all functions, as Google's front end is: it finds the function, adds what Cloud Scheduler would send,
 * keeps the function's time limit, and hands the bytes on. It reads nothing of a body. Callers of another machine, and pages of
 * another origin, are refused (403).
 */
export function makeFrontServer(options: FrontServerOptions): Server {
  const { projectId, endpoints } = options;

  return createServer((request, response) => {
    const { host, origin } = request.headers;
    if (!isLocalCall({ address: request.socket.remoteAddress, host, origin }))
      return answerText(response, 403, 'served to this machine only\n');
    const route = routeOf(request.url ?? '/', projectId, endpoints());
    const endpoint = route.kind === 'none' ? undefined : endpoints().find((one) => one.name === route.name);
    if (route.kind === 'function' && endpoint !== undefined) return serve(request, response, endpoint, route);
    if (route.kind === 'event' && endpoint?.kind === 'event')
      return acceptEvent(request, response, (event) => options.onEvent(route.name, event));
    answerText(response, 404, `No such function. Served here: ${paths().join(', ')}\n`);
  });

  async function serve(
    request: IncomingMessage,
    response: ServerResponse,
    endpoint: FunctionEndpoint,
    route: Route & { kind: 'function' },
  ): Promise<void> {
    if (endpoint.kind === 'schedule') {
      // A browser that prefetches an address must not start a run.
      if (request.method !== 'POST') return answerText(response, 405, 'A scheduled function runs on POST\n');
      addScheduleHeaders(request.headers, { name: endpoint.name, region: route.region, now: new Date() });
    }
    try {
      const port = await options.portOf(endpoint);
      limitTime(request, response, {
        seconds: endpoint.timeoutSeconds,
        onExceeded: () => options.onTimeLimit(endpoint),
      });
      handOn(request, response, port, route.url);
    } catch {
      // Why it could not be started is in the log.
      request.socket.destroy();
    }
  }

  function paths(): string[] {
    return endpoints().flatMap((one) => one.regions.map((region) => `/${projectId}/${region}/${one.name}`));
  }
}

/** A function that breaks the connection, or dies, breaks it for its caller too. */
function handOn(request: IncomingMessage, response: ServerResponse, port: number, path: string): void {
  const { method, headers } = request;
  const handed = forward({ host: '127.0.0.1', port, method, path, headers, agent: false }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    pipeline(answer, response, () => {});
  });
  handed.on('error', () => {
    // An answer may have come before all that was sent was read.
    if (!response.headersSent) request.socket.destroy();
  });
  response.once('close', () => handed.destroy());
  request.pipe(handed);
}

/** The host owns delivery, since it outlives the functions; 202 says that it has the event, not that it ran. */
async function acceptEvent(
  request: IncomingMessage,
  response: ServerResponse,
  onEvent: (event: HttpCloudEvent) => void,
): Promise<void> {
  if (request.method !== 'POST') return answerText(response, 405, 'An event is POSTed\n');
  const body = await buffer(request);
  const headers: Record<string, string> = {};
  for (const [key, value] of Object.entries(request.headers))
    if (
      typeof value === 'string' &&
      (key === 'content-type' || key === 'traceparent' || key.startsWith('ce-'))
    )
      headers[key] = value;
  onEvent({ headers, body });
  answerText(response, 202, '');
}

function answerText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
}
