import { randomUUID } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { lazy } from '../lib/concurrency.ts';
import { asSyncError, SyncError } from '../lib/errors.ts';
import type { LogSink } from '../lib/log.ts';
import type { Authorize, Caller, RateLimit } from './callers.ts';
import { answerFailure, answerJson, type FetchApp } from './front.ts';
import type { Described, DocumentOptions } from './openapi.ts';
import { EVERYBODY, type Route, type WhoMayCall } from './route.ts';

export interface AppOptions {
  /** Who may call the routes that do not say so themselves. */
  readonly authorize: Authorize;
  readonly log: LogSink;
  /** Every route is served below each of these; '' is the root. */
  readonly prefixes?: readonly string[];
  readonly limits?: {
    /** An address that has not proved who it is. */
    readonly address: RateLimit;
    /** A caller that has. */
    readonly caller: RateLimit;
  };
  /** Serves `/openapi.json` and `/docs`, to everybody where it is public and else to who may call the app. */
  readonly document?: DocumentOptions & { readonly isPublic: boolean };
}

interface AppEnv {
  Variables: { requestId: string; route: string; caller: Caller };
}

/** What a function's front lets in at most; whoever serves an app without a front is protected all the same. */
const MAX_BODY_BYTES = 64 * 1024;
const NOBODY: Caller = { kind: 'api-key', id: 'nobody' };

/**
 * Routes as an app of the Fetch API. The caller is proved before anything that was sent is read; every failure is a
 * problem document; every answer has an `x-request-id`, is not cached unless it says so, and is logged by its route's
 * template, since addresses and bodies hold what may not be logged.
 */
export const makeApp = (routes: readonly Route[], options: AppOptions): FetchApp => {
  const { log, limits, prefixes = [''], document } = options;
  const app = new Hono<AppEnv>();

  app.use(async (c, next) => {
    const startedAt = performance.now();
    // Never the caller's own id: it could be anything, and it is logged.
    const requestId = randomUUID();
    c.set('requestId', requestId);
    await next();
    c.header('x-request-id', requestId);
    c.header('x-content-type-options', 'nosniff');
    const route = `${c.req.method} ${c.get('route') ?? 'no route'}`;
    log('INFO', `[HTTP] ${route} ${c.res.status}`, {
      event: 'http_served',
      requestId,
      route,
      status: c.res.status,
      milliseconds: Math.round(performance.now() - startedAt),
      caller: nameOf(c.get('caller')),
    });
  });
  const refuse = (c: Context<AppEnv>, failure: SyncError): Response =>
    answerFailure(failure, log, { requestId: c.get('requestId') });
  app.onError((cause, c) => refuse(c, asSyncError(cause)));
  app.notFound((c) => refuse(c, new SyncError('not_found', 'No such route.')));

  const admit = async (c: Context<AppEnv>, path: string, who: ReturnType<WhoMayCall>): Promise<Caller> => {
    c.set('route', path);
    limits?.address(addressIn(c.req.header('x-forwarded-for')));
    if (who === EVERYBODY) return NOBODY;
    const caller = await who(c.req.header('authorization'));
    c.set('caller', caller);
    limits?.caller(caller.id);
    return caller;
  };

  const serve = (route: Route) => async (c: Context<AppEnv>) => {
    const query = c.req.query();
    const caller = await admit(c, route.path, route.who === undefined ? options.authorize : route.who(query));
    if (caller !== NOBODY) route.limit?.(caller.id);
    const rawBody = new Uint8Array(await c.req.arrayBuffer());
    if (rawBody.byteLength > MAX_BODY_BYTES) {
      throw new SyncError('too_large', `The body is over ${MAX_BODY_BYTES} bytes.`);
    }
    const requestId = c.get('requestId');
    const { status, body } = await route.run({ params: c.req.param(), query, rawBody, caller, requestId });
    return answerJson(status, body);
  };

  const below = (path: string): string[] => prefixes.map((prefix) => `${prefix}${path}`);
  for (const route of routes) app.on(route.method, below(route.path), serve(route));
  for (const [path, served] of Map.groupBy(routes, (route) => route.path)) {
    const allow = served.map(({ method }) => method).join(', ');
    for (const one of below(path)) {
      app.all(one, (c) => {
        c.set('route', path);
        throw new SyncError('method_not_allowed', `Served here: ${allow}.`, { details: { allow } });
      });
    }
  }
  // Loaded when it is asked for: describing the routes takes more code than serving them, and nobody waits for it.
  if (document !== undefined) {
    const described = lazy(async () => (await import('./openapi.ts')).describeRoutes(routes, document));
    const who = document.isPublic ? EVERYBODY : options.authorize;
    const show = (path: string, answer: (c: Context<AppEnv>, found: Described) => Response) => {
      for (const one of below(path)) {
        app.get(one, async (c) => {
          await admit(c, path, who);
          return answer(c, await described());
        });
      }
    };
    show('/openapi.json', (_c, { document: made }) => answerJson(200, made));
    show('/docs', (_c, { page, headers }) => new Response(String(page), { headers }));
  }
  return { fetch: (request) => app.fetch(request) };
};

/** People are not named in the log: what they did is on record where it matters. */
const nameOf = (caller: Caller | undefined): string => {
  if (caller === undefined) return 'nobody';
  return caller.kind === 'person' ? 'a person' : caller.id;
};

/** Google's front end adds the address that it saw as the last one; what stands before it the caller wrote. */
const addressIn = (forwardedFor: string | undefined): string =>
  forwardedFor?.split(',').at(-1)?.trim() ?? 'direct';
