import { type Context, Hono } from 'hono';
import { cors } from 'hono/cors';
import { z } from 'zod';
import { isLoopbackOrigin, type LoopbackServer, onlyLoopback, serveOnLoopback } from '../loopback.ts';
import {
  type Account,
  type Accounts,
  AuthApiError,
  makeAccounts,
  notImplemented,
  parseAccountChange,
  toUserInfo,
} from './accounts.ts';

const mintOptions = z.object({
  uid: z.string().min(1).max(128),
  email: z.string().optional(),
  /** Kept as the account's custom claims, such as `{ roles: ['admin'] }`. */
  claims: z.record(z.string(), z.unknown()).optional(),
  /** An hour by default, as Firebase's; negative for an expired token. */
  lifetimeSeconds: z.number().optional(),
});

export type MintOptions = z.output<typeof mintOptions>;

export interface LocalAuth extends LoopbackServer {
  /** The value of FIREBASE_AUTH_EMULATOR_HOST. */
  readonly emulatorHost: string;
  /**
   * Signs a person in who need not exist before, and gives the ID token. The account keeps the claims, so that
   * firebase-admin's `getUser` shows what its `verifyIdToken` accepts.
   * @throws AuthApiError 400 for a claim that Firebase reserves, or an e-mail address of another account.
   */
  mintIdToken(options: MintOptions): string;
}

/** The official Auth emulator's port. */
const DEFAULT_PORT = 9099;
const HOUR_SECONDS = 3_600;

/**
 * A development substitute for Firebase Authentication: unsigned tokens, accounts in memory, open to this machine only.
 * It speaks what firebase-admin's `verifyIdToken` and the operators' commands need, and 501 with the call's name for
 * everything else.
 */
export const startAuth = async ({
  projectId,
  port = DEFAULT_PORT,
}: {
  readonly projectId: string;
  readonly port?: number;
}): Promise<LocalAuth> => {
  const accounts = makeAccounts();
  const mintIdToken = ({ uid, email, claims, lifetimeSeconds = HOUR_SECONDS }: MintOptions): string => {
    const change = { ...(email !== undefined && { email }), ...(claims !== undefined && { claims }) };
    return makeIdToken(projectId, accounts.save(uid, change), lifetimeSeconds);
  };
  const server = await serveOnLoopback(makeAuthApp(projectId, accounts, mintIdToken).fetch, port);
  return { ...server, emulatorHost: new URL(server.url).host, mintIdToken };
};

/**
 * An ID token with the claims of a real one and no signature (`alg: none`). Only a program that has
 * FIREBASE_AUTH_EMULATOR_HOST set accepts it.
 */
const makeIdToken = (projectId: string, { uid, email, claims }: Account, lifetimeSeconds: number): string => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const payload = {
    ...claims,
    ...(email !== null && { email, email_verified: true }),
    auth_time: now,
    user_id: uid,
    firebase: { identities: email === null ? {} : { email: [email] }, sign_in_provider: 'custom' },
    iat: now,
    exp: now + lifetimeSeconds,
    aud: projectId,
    iss: `https://securetoken.google.com/${projectId}`,
    sub: uid,
  };
  return `${part({ alg: 'none', typ: 'JWT' })}.${part(payload)}.`;
};

const ADMIN = '/identitytoolkit.googleapis.com/v1/projects/:project';
/** firebase-admin's token when it talks to an emulator. */
const ADMIN_AUTHORIZATION = 'Bearer owner';

const lookupRequest = z.object({
  localId: z.array(z.string()).default([]),
  email: z.array(z.string()).default([]),
});

const makeAuthApp = (projectId: string, accounts: Accounts, mintIdToken: LocalAuth['mintIdToken']): Hono => {
  const app = new Hono();
  app.use(cors({ origin: (origin) => (isLoopbackOrigin(origin) ? origin : null) }));
  app.use(onlyLoopback);

  app.post('/_dev/tokens', async (context) =>
    context.json({ idToken: mintIdToken(await readBody(context, mintOptions)) }),
  );

  app.use(`${ADMIN}/*`, async (context, next) => {
    const isAdmin = context.req.header('authorization') === ADMIN_AUTHORIZATION;
    if (!isAdmin) throw new AuthApiError(401, 'UNAUTHENTICATED');
    if (context.req.param('project') !== projectId) throw new AuthApiError(404, 'PROJECT_NOT_FOUND');
    return next();
  });
  app.post(`${ADMIN}/accounts`, async (context) => {
    const { uid, change } = parseAccountChange(await readBody(context, z.unknown()));
    if (uid !== null && accounts.find(uid) !== null) throw new AuthApiError(400, 'DUPLICATE_LOCAL_ID');
    return context.json({ localId: accounts.save(uid, change).uid });
  });
  app.post(`${ADMIN}/accounts:update`, async (context) => {
    const { uid, change } = parseAccountChange(await readBody(context, z.unknown()));
    if (accounts.find(uid ?? '') === null) throw new AuthApiError(400, 'USER_NOT_FOUND');
    return context.json({ localId: accounts.save(uid, change).uid });
  });
  app.post(`${ADMIN}/accounts:lookup`, async (context) => {
    const { localId, email } = await readBody(context, lookupRequest);
    const found = [...localId.map(accounts.find), ...email.map(accounts.findByEmail)];
    const users = found.filter((account) => account !== null).map(toUserInfo);
    // No user at all is an answer without the key, which firebase-admin reads as `auth/user-not-found`.
    return context.json(users.length === 0 ? {} : { users });
  });
  // One page with everybody.
  app.get(`${ADMIN}/accounts:batchGet`, (context) =>
    context.json({ users: accounts.list().map(toUserInfo) }),
  );

  app.notFound(({ req }) => toAnswer(notImplemented(`speak ${req.method} ${req.path}`)));
  app.onError((error) => {
    if (error instanceof AuthApiError) return toAnswer(error);
    console.error(error);
    return Response.json({ error: { code: 500, message: 'INTERNAL' } }, { status: 500 });
  });
  return app;
};

const toAnswer = (error: AuthApiError): Response => Response.json(error, { status: error.status });

const readBody = async <S extends z.ZodType>(context: Context, schema: S): Promise<z.output<S>> => {
  const read = schema.safeParse(await context.req.json().catch(() => null));
  if (!read.success) throw new AuthApiError(400, 'INVALID_REQUEST');
  return read.data;
};
