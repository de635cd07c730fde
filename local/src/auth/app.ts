import { type Context, Hono } from 'hono';
import { cors } from 'hono/cors';
import type { Accounts } from './accounts.ts';
import { AuthApiError } from './api-error.ts';
import type { Claims } from './claims.ts';
import { type Body, type Calls, makeAdminCalls, makeClientCalls } from './identity-toolkit.ts';
import { isLoopbackOrigin, onlyLoopback } from './loopback.ts';
import type { Sessions } from './sessions.ts';

const TOOLKIT = '/identitytoolkit.googleapis.com/v1/';

/** firebase-admin's token when it talks to an emulator. */
const ADMIN_AUTHORIZATION = 'Bearer owner';

export interface MintOptions {
  readonly uid: string;
  readonly email?: string;
  /** Kept as the account's custom claims, such as `{ roles: ['admin'] }`. */
  readonly claims?: Claims;
  /** An hour by default; negative for an expired token. */
  readonly lifetimeSeconds?: number;
}

export interface AppOptions {
  readonly projectId: string;
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly mint: (options: MintOptions) => { readonly idToken: string; readonly refreshToken: string };
}

/** The endpoint's HTTP side: what it speaks, and 501 with the call's name for everything else. */
export function makeAuthApp({ projectId, accounts, sessions, mint }: AppOptions): Hono {
  const admin = makeAdminCalls(accounts);
  const client = makeClientCalls(projectId, accounts, sessions);
  const app = new Hono();
  app.use(cors({ origin: (origin) => (isLoopbackOrigin(origin) ? origin : null) }));
  app.use(onlyLoopback);

  app.all(`${TOOLKIT}projects/:project/*`, async (context) => {
    if (context.req.header('authorization') !== ADMIN_AUTHORIZATION)
      throw new AuthApiError(401, 'UNAUTHENTICATED');
    if (context.req.param('project') !== projectId) throw new AuthApiError(404, 'PROJECT_NOT_FOUND');
    return answer(context, admin, `${TOOLKIT}projects/${projectId}/`);
  });
  app.all(`${TOOLKIT}*`, (context) => answer(context, client, TOOLKIT));

  app.post('/securetoken.googleapis.com/v1/token', async (context) => {
    const form = await context.req.parseBody();
    const { account, idToken, refreshToken, expiresInSeconds } = sessions.refresh(
      String(form['refresh_token']),
    );
    const token = {
      id_token: idToken,
      access_token: idToken,
      refresh_token: refreshToken,
      token_type: 'Bearer',
    };
    return context.json({
      ...token,
      expires_in: String(expiresInSeconds),
      user_id: account.uid,
      project_id: projectId,
    });
  });

  app.post('/_dev/tokens', async (context) => context.json(mint(parseMintOptions(await readBody(context)))));

  app.notFound((context) => toAnswer(context, notImplemented(`${context.req.method} ${context.req.path}`)));
  app.onError((error, context) => {
    if (error instanceof AuthApiError) return toAnswer(context, error);
    console.error(error);
    return context.json({ error: { code: 500, message: 'INTERNAL' } }, 500);
  });
  return app;
}

async function answer(context: Context, calls: Calls, prefix: string): Promise<Response> {
  const name = `${context.req.method} ${context.req.path.slice(prefix.length)}`;
  const call = Object.hasOwn(calls, name) ? calls[name] : undefined;
  if (call === undefined) throw notImplemented(name);
  return context.json(call(context.req.method === 'GET' ? {} : await readBody(context)));
}

function notImplemented(call: string): AuthApiError {
  return new AuthApiError(501, `NOT_IMPLEMENTED : the local Auth endpoint does not speak ${call}`);
}

function toAnswer(context: Context, error: AuthApiError): Response {
  return context.json(error.toJSON(), error.status);
}

async function readBody(context: Context): Promise<Body> {
  const body: unknown = await context.req.json().catch(() => null);
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new AuthApiError(400, 'INVALID_JSON');
  return { ...body };
}

function parseMintOptions(body: Body): MintOptions {
  const { uid, email, claims, lifetimeSeconds } = body;
  if (typeof uid !== 'string' || uid === '' || uid.length > 128) throw new AuthApiError(400, 'INVALID_UID');
  return {
    uid,
    ...(typeof email === 'string' ? { email } : {}),
    ...(typeof claims === 'object' && claims !== null ? { claims: { ...claims } } : {}),
    ...(typeof lifetimeSeconds === 'number' ? { lifetimeSeconds } : {}),
  };
}
