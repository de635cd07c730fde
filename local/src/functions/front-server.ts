import {
  createServer,
  request as forward,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { pipeline } from 'node:stream';
import { isLocalCall } from '../loopback.ts';
import type { FunctionEndpoint } from './endpoint.ts';

export interface FrontServerOptions {
  readonly projectId: string;
  readonly endpoints: () => readonly FunctionEndpoint[];
  /** The port of the function's process, started where it does not run. */
  readonly portOf: (endpoint: FunctionEndpoint) => Promise<number>;
}

/**
 * One server before all functions, as Google's front end is: it finds the function, adds what Cloud Scheduler would send, and
 * hands the bytes on. It reads nothing of a body. Callers of another machine, and pages of
 * another origin, are refused (403).
 */
export const makeFrontServer = ({ projectId, endpoints, portOf }: FrontServerOptions): Server => {
  const serve = async (
    request: IncomingMessage,
    response: ServerResponse,
    { endpoint, path }: NonNullable<ReturnType<typeof routeOf>>,
  ): Promise<void> => {
    if (endpoint.kind === 'schedule') {
      // A browser that prefetches an address must not start a run.
      if (request.method !== 'POST') return answerText(response, 405, 'A scheduled function runs on POST\n');
      addScheduleHeaders(request, endpoint);
    }
    try {
      handOn(request, response, await portOf(endpoint), path);
    } catch {
      // Why it could not be started is in the log.
      request.socket.destroy();
    }
  };

  return createServer((request, response) => {
    const { host, origin } = request.headers;
    if (!isLocalCall({ address: request.socket.remoteAddress, host, origin })) {
      return answerText(response, 403, 'served to this machine only\n');
    }
    const route = routeOf(request.url ?? '/', projectId, endpoints());
    if (route !== null) return void serve(request, response, route);
    const served = endpoints().map(({ region, name }) => `/${projectId}/${region}/${name}`);
    answerText(response, 404, `No such function. Served here: ${served.join(', ')}\n`);
  });
};

/**
 * Resolves a request's URL. A function is at `/<project>/<region>/<name>[/rest][?query]` and sees only
 * `/rest?query`, as on Cloud Run. A scheduled function also answers to `<name>-0`, which is what the official
 * Functions emulator calls it.
 */
const routeOf = (url: string, projectId: string, endpoints: readonly FunctionEndpoint[]) => {
  const [, place = '', query = ''] = /^([^?]*)(.*)$/s.exec(url) ?? [];
  const [, project, region = '', name = '', ...rest] = place.split('/');
  if (project !== projectId) return null;
  const endpoint = endpoints.find(
    (one) =>
      (one.name === name || (one.kind === 'schedule' && `${one.name}-0` === name)) && one.region === region,
  );
  return endpoint === undefined ? null : { endpoint, path: `/${rest.join('/')}${query}` };
};

/**
 * What Cloud Scheduler sends with a job's request. `X-CloudScheduler-ScheduleTime` is when the run was due: functions dedupe
 * on it, so a caller who imitates a duplicate delivery gives the same time twice.
 */
const addScheduleHeaders = ({ headers }: IncomingMessage, { name, region }: FunctionEndpoint): void => {
  headers['x-cloudscheduler'] = 'true';
  headers['x-cloudscheduler-jobname'] ??= `firebase-schedule-${name}-${region}`;
  // Cloud Scheduler's times have no fraction of a second.
  headers['x-cloudscheduler-scheduletime'] ??= new Date().toISOString().replace(/\.\d{3}Z$/, 'Z');
  headers['user-agent'] = 'Google-Cloud-Scheduler';
};

/** A function that breaks the connection, or dies, breaks it for its caller too. */
const handOn = (request: IncomingMessage, response: ServerResponse, port: number, path: string): void => {
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
};

const answerText = (response: ServerResponse, status: number, text: string): void => {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
};
