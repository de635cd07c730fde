import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { cloudEvent, http } from '@google-cloud/functions-framework';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import type { DiscoveredFunction } from './discover.ts';
import type { ChildMessage } from './messages.ts';
import { type Route, routeOf } from './route.ts';
import { addScheduleHeaders } from './schedule-headers.ts';
import { limitTime } from './time-limit.ts';

type EventMessage = Extract<ChildMessage, { type: 'event' }>;

export interface ChildServerOptions {
  readonly projectId: string;
  readonly functions: readonly DiscoveredFunction[];
  readonly onEvent: (event: EventMessage) => void;
}

/**
 * One server in front of all functions. Behind it each function has a server of Google's Functions Framework,
 * the program that runs it in production: parsing of bodies, `rawBody`, CloudEvents and the answer to a
 * thrown error are its own.
 */
export function makeChildServer(options: ChildServerOptions): Server {
  const { projectId } = options;
  const functions = new Map(options.functions.map((one) => [one.endpoint.name, one]));
  const servers = new Map(options.functions.map((one) => [one.endpoint.name, makeFunctionServer(one)]));
  const endpoints = options.functions.map((one) => one.endpoint);

  return createServer((request, response) => {
    const route = routeOf(request.url ?? '/', projectId, endpoints);
    if (route.kind === 'function') serveFunction(request, response, route);
    else if (route.kind === 'event' && functions.get(route.name)?.endpoint.kind === 'event')
      acceptEvent(request, response, route.name, options.onEvent);
    else answerText(response, 404, `No such function. Served here: ${paths().join(', ')}\n`);
  });

  function serveFunction(
    request: IncomingMessage,
    response: ServerResponse,
    route: Route & { kind: 'function' },
  ) {
    const endpoint = functions.get(route.name)?.endpoint;
    const server = servers.get(route.name);
    if (endpoint === undefined || server === undefined)
      return answerText(response, 404, 'No such function\n');
    if (endpoint.kind === 'schedule') {
      // A browser that prefetches an address must not start a run.
      if (request.method !== 'POST') return answerText(response, 405, 'A scheduled function runs on POST\n');
      addScheduleHeaders(request.headers, { name: endpoint.name, region: route.region, now: new Date() });
    }
    limitTime(request, response, {
      seconds: endpoint.timeoutSeconds,
      onExceeded: () => warnOfTimeLimit(endpoint.name, endpoint.timeoutSeconds),
    });
    request.url = route.url;
    server.emit('request', request, response);
  }

  function paths(): string[] {
    return endpoints.flatMap((one) => one.regions.map((region) => `/${projectId}/${region}/${one.name}`));
  }
}

function makeFunctionServer({ endpoint, handler }: DiscoveredFunction): Server {
  if (endpoint.kind === 'event') cloudEvent(endpoint.name, handler);
  else http(endpoint.name, handler);
  return getTestServer(endpoint.name);
}

/** The host owns delivery, since it outlives this process; 202 says that it has the event, not that it ran. */
async function acceptEvent(
  request: IncomingMessage,
  response: ServerResponse,
  name: string,
  onEvent: (event: EventMessage) => void,
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
  onEvent({ type: 'event', name, headers, body });
  answerText(response, 202, '');
}

function answerText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
}

function warnOfTimeLimit(name: string, seconds: number): void {
  const message = 'function did not answer in time: its caller got a 504';
  console.error(JSON.stringify({ severity: 'ERROR', message, function: name, timeoutSeconds: seconds }));
}
