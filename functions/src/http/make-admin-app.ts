import { randomUUID } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { asSyncError, SyncError } from '../lib/errors.ts';
import type { LogSink } from '../lib/log.ts';
import type { AdminCaller, AuthorizeAdmin } from './callers.ts';
import { answerFailure, type HttpAnswer } from './problems.ts';
import type { Route } from './route.ts';

export interface AdminAppOptions {
  readonly authorize: AuthorizeAdmin;
  readonly log: LogSink;
  /** Every route is served below each of these; '' is the root. */
  readonly prefixes?: readonly string[];
}

/**
 * Routes for administrators as an app of the Fetch API. The caller is proved before anything that was sent is read;
 * every failure is a problem document; every answer has an `x-request-id` that the log carries.
 */
export const makeAdminApp = (
  routes: readonly Route[],
  { authorize, log, prefixes = [''] }: AdminAppOptions,
): { fetch(request: Request): Response | Promise<Response> } => {
  const app = new Hono();

  const serve = (route: Route) => async (c: Context) => {
    const requestId = randomUUID();
    const startedAt = performance.now();
    const answer = await answerRoute(c, route, requestId, authorize, log);
    log('INFO', `[HTTP] ${route.method} ${route.path} ${answer.status}`, {
      event: 'http_served',
      requestId,
      route: `${route.method} ${route.path}`,
      status: answer.status,
      milliseconds: Math.round(performance.now() - startedAt),
    });
    return toResponse(answer, { 'x-request-id': requestId });
  };

  const allowed = new Map<string, string[]>();
  for (const route of routes) {
    const paths = prefixes.map((prefix) => `${prefix}${route.path}`);
    app.on(route.method, paths, serve(route));
    allowed.set(route.path, [...(allowed.get(route.path) ?? []), route.method]);
  }
  for (const [path, methods] of allowed) {
    for (const prefix of prefixes) {
      app.all(`${prefix}${path}`, () =>
        toResponse(
          answerFailure(new SyncError('method_not_allowed', `Served here: ${methods.join(', ')}.`), log),
          { allow: methods.join(', ') },
        ),
      );
    }
  }
  app.notFound(() => toResponse(answerFailure(new SyncError('not_found', 'No such route.'), log), {}));
  return { fetch: (request) => app.fetch(request) };
};

const answerRoute = async (
  c: Context,
  route: Route,
  requestId: string,
  authorize: AuthorizeAdmin,
  log: LogSink,
): Promise<HttpAnswer> => {
  try {
    const caller: AdminCaller = await authorize(c.req.header('authorization'));
    return await route.run({
      params: c.req.param(),
      query: c.req.query(),
      rawBody: new Uint8Array(await c.req.arrayBuffer()),
      caller,
      requestId,
    });
  } catch (cause) {
    return answerFailure(asSyncError(cause), log);
  }
};

const toResponse = ({ status, headers, body }: HttpAnswer, more: Record<string, string>): Response =>
  new Response(JSON.stringify(body), { status, headers: { ...headers, ...more } });
