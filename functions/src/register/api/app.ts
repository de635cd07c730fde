import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { OpenAPIHono } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { invalidRequest } from '../../http/problems.ts';
import { makeRateLimit } from '../../http/rate-limit.ts';
import { SyncError } from '../../lib/errors.ts';
import type { LogSink } from '../../lib/log.ts';
import type { Approval } from '../../mirror/mirror.ts';
import type { ReferTo } from '../ports.ts';
import type { RegisterReader } from '../reading.ts';
import type { RegisterReport } from '../register.ts';
import { makeRegisterLogs } from '../register-logs.ts';
import type { ApiCaller, AuthorizeCaller } from './callers.ts';
import { DOCS_HEADERS, makeDocsPage } from './docs-page.ts';
import { handlers } from './handlers.ts';
import { toProblem } from './problems.ts';
import * as routes from './routes.ts';

export interface ApiEnv {
  Variables: { requestId: string; caller: ApiCaller };
}

export interface ApiOptions {
  readonly reader: RegisterReader;
  readonly run: (request: {
    readonly dryRun: boolean;
    readonly approve?: Approval | undefined;
    readonly requestedBy: string;
  }) => Promise<RegisterReport>;
  readonly authorizeAdmin: AuthorizeCaller;
  readonly authorizeService: AuthorizeCaller;
  /** Asks the registry anything; throws the `registry_*` codes. */
  readonly checkRegistry: () => Promise<void>;
  readonly referTo: ReferTo;
  readonly now: () => Date;
  readonly log: LogSink;
  /** A `pending` row that is older belongs to a run that crashed. */
  readonly abandonedAfterMs: number;
}

const MAX_BODY_BYTES = 64 * 1024;
/** An address that has not proved who it is; a caller that has; a caller that starts runs. */
const LIMITS_PER_MINUTE = { address: 300, caller: 120, runs: 10 } as const;

/**
 * The REST API, as an app over web requests. Every answer has `x-request-id`, is never cached, and is logged with its
 * route's template: addresses and bodies are not.
 */
export const makeApi = (options: ApiOptions): OpenAPIHono<ApiEnv> => {
  const { log, now } = options;
  const logs = makeRegisterLogs(log);
  const limits = {
    address: makeRateLimit(LIMITS_PER_MINUTE.address, now),
    caller: makeRateLimit(LIMITS_PER_MINUTE.caller, now),
    runs: makeRateLimit(LIMITS_PER_MINUTE.runs, now),
  };
  const app = new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (!result.success) throw invalidRequest('request', result.error.issues);
    },
  });

  const secure =
    (authorize: AuthorizeCaller, startsRuns = false): MiddlewareHandler<ApiEnv> =>
    async (c, next) => {
      const caller = await authorize(c.req.header('authorization'));
      limits.caller(caller.id);
      if (startsRuns) limits.runs(caller.id);
      c.set('caller', caller);
      await next();
    };

  app.use(async (c, next) => {
    const started = performance.now();
    // Never the caller's own id: it could be anything, and it is logged.
    const requestId = randomUUID();
    c.set('requestId', requestId);
    await next();
    c.header('x-request-id', requestId);
    if (!c.res.headers.has('cache-control')) c.header('cache-control', 'no-store');
    c.header('x-content-type-options', 'nosniff');
    const route = c.req.routePath === '/*' ? 'no route' : c.req.routePath;
    logs.request({
      requestId,
      route: `${c.req.method} ${route}`,
      status: c.res.status,
      milliseconds: Math.round(performance.now() - started),
      caller: c.get('caller')?.id ?? 'nobody',
    });
  });
  app.onError((cause, c) => toProblem(cause, c.get('requestId'), log));
  app.notFound((c) =>
    toProblem(new SyncError('not_found', 'See /docs for the routes.'), c.get('requestId'), log),
  );
  app.use(async (c, next) => {
    limits.address(addressIn(c.req.header('x-forwarded-for')));
    await next();
  });
  app.use(bodyLimit({ maxSize: MAX_BODY_BYTES }));
  app.use(readAsJson);

  const admin = secure(options.authorizeAdmin);
  const starter = secure(options.authorizeAdmin, true);
  const service = secure(options.authorizeService);
  app.use('/sync', starter);
  app.use('/sync/dry-run', starter);
  app.use('/sync/status', admin);
  app.use('/sync/logs', admin);
  app.use('/sync/runs/*', service);
  app.use('/members/*', service);

  const handle = handlers(options);
  app.openapi(routes.healthRoute, handle.health);
  app.openapi(routes.syncRoute, handle.sync);
  app.openapi(routes.dryRunRoute, handle.dryRun);
  app.openapi(routes.statusRoute, handle.status);
  app.openapi(routes.logsRoute, handle.logs);
  app.openapi(routes.changesRoute, handle.changes);
  app.openapi(routes.eligibilityRoute, handle.eligibility);

  addSecuritySchemes(app);
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'membership-sync',
      version: '1.0.0',
      description: 'The register: members in PostgreSQL, kept equal to the registry.',
    },
  });
  app.get('/openapi.json', (c) => c.json(document));
  const page = makeDocsPage(document);
  app.get('/docs', (c) => c.html(page, 200, DOCS_HEADERS));
  return app;
};

const addSecuritySchemes = (app: OpenAPIHono<ApiEnv>): void => {
  const register = app.openAPIRegistry.registerComponent.bind(app.openAPIRegistry, 'securitySchemes');
  register('adminKey', { type: 'http', scheme: 'bearer', description: 'ADMIN_API_KEY' });
  register('firebase', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description:
      'A Firebase ID token with the role admin or superuser, or of an administrators’ service account',
  });
  register('google', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'A Google-signed ID token of a service account in REGISTER_SERVICE_ACCOUNTS',
  });
};

/** Google's front end adds the address that it saw as the last one; what stands before it the caller wrote. */
const addressIn = (forwardedFor: string | undefined): string =>
  forwardedFor?.split(',').at(-1)?.trim() ?? 'direct';

/** As everywhere, a body is JSON whatever its type says, and none is `{}`: Hono would pass over one of another type. */
const readAsJson: MiddlewareHandler<ApiEnv> = async (c, next) => {
  if (c.req.method === 'POST') {
    const bytes = new Uint8Array(await c.req.raw.arrayBuffer());
    if (!isUtf8(bytes)) throw new SyncError('invalid_request', 'The body is not JSON.');
    const headers = new Headers(c.req.raw.headers);
    headers.set('content-type', 'application/json');
    c.req.raw = new Request(c.req.raw.url, {
      method: 'POST',
      headers,
      body: bytes.byteLength === 0 ? '{}' : bytes,
    });
  }
  await next();
};
