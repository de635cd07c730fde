import { randomUUID } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { cors } from 'hono/cors';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { z } from 'zod';
import { isLoopbackOrigin, onlyLoopback, serveOnLoopback } from '../loopback.ts';

interface Account {
  readonly uid: string;
  readonly email: string | null;
  /** Custom claims: what `setCustomUserClaims` takes and what a token then carries. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** Unix seconds. ID tokens of earlier sign-ins are revoked. */
  readonly validSince: number;
}

const mintOptions = z.object({
  uid: z.string().min(1).max(128),
  email: z.string().optional(),
  /** Kept as the account's custom claims, such as `{ roles: ['admin'] }`. */
  claims: z.record(z.string(), z.unknown()).optional(),
  /** An hour by default, as Firebase's; negative for an expired token. */
  lifetimeSeconds: z.number().default(3_600),
});

export type LocalAuth = Awaited<ReturnType<typeof startAuth>>;

/** The official Auth emulator's port. */
const DEFAULT_PORT = 9099;
const ADMIN = '/identitytoolkit.googleapis.com/v1/projects/:project';
/** firebase-admin's token when it talks to an emulator. */
const ADMIN_AUTHORIZATION = 'Bearer owner';

/**
 * A development substitute for Firebase Authentication: unsigned tokens, accounts in memory, open to this machine only.
 * It speaks what firebase-admin's `verifyIdToken` and the operators' commands need, and 501 with the call's name for
 * everything else.
 */
export const startAuth = async (options: { readonly projectId: string; readonly port?: number }) => {
  const { projectId, port = DEFAULT_PORT } = options;
  const accounts = new Map<string, Account>();
  const findByEmail = (email: string): Account | undefined =>
    [...accounts.values()].find((account) => account.email === email.toLowerCase());

  /** Makes an account, or changes the one that is there. @throws HTTPException 400 for an e-mail address of another one */
  const save = (uid: string, { email, ...change }: Partial<Account>): Account => {
    const owner = email ? findByEmail(email) : undefined;
    if (owner !== undefined && owner.uid !== uid) throw refusal(400, 'EMAIL_EXISTS');
    const fresh = { uid, email: null, claims: {}, validSince: Math.floor(Date.now() / 1000) };
    const saved = {
      ...(accounts.get(uid) ?? fresh),
      ...change,
      ...(email && { email: email.toLowerCase() }),
    };
    accounts.set(uid, saved);
    return saved;
  };

  /**
   * Signs a person in who need not exist before, and gives the ID token. The account keeps the claims, so that
   * firebase-admin's `getUser` shows what its `verifyIdToken` accepts.
   * @throws HTTPException 400 for an e-mail address of another account.
   */
  const mintIdToken = (wanted: z.input<typeof mintOptions>): string => {
    const { uid, email = null, claims, lifetimeSeconds } = mintOptions.parse(wanted);
    return makeIdToken(projectId, save(uid, { email, ...(claims && { claims }) }), lifetimeSeconds);
  };

  const app = new Hono();
  app.use(cors({ origin: (origin) => (isLoopbackOrigin(origin) ? origin : null) }));
  app.use(onlyLoopback);
  app.post('/_dev/tokens', async (context) =>
    context.json({ idToken: mintIdToken(await readBody(context, mintOptions)) }),
  );

  app.use(`${ADMIN}/*`, async (context, next) => {
    const isAdmin = context.req.header('authorization') === ADMIN_AUTHORIZATION;
    if (!isAdmin) throw refusal(401, 'UNAUTHENTICATED');
    if (context.req.param('project') !== projectId) throw refusal(404, 'PROJECT_NOT_FOUND');
    return next();
  });
  app.post(`${ADMIN}/accounts`, async (context) => {
    const { email, localId = randomUUID() } = await readBody(context, newAccount);
    return context.json({ localId: save(localId, { email }).uid });
  });
  app.post(`${ADMIN}/accounts:update`, async (context) => {
    const { localId, customAttributes: claims, validSince } = await readBody(context, accountChange);
    if (!accounts.has(localId)) throw refusal(400, 'USER_NOT_FOUND');
    save(localId, { ...(claims && { claims }), ...(validSince && { validSince }) });
    return context.json({ localId });
  });
  app.post(`${ADMIN}/accounts:lookup`, async (context) => {
    const { localId, email } = await readBody(context, lookupRequest);
    const found = [...localId.map((uid) => accounts.get(uid)), ...email.map(findByEmail)];
    const users = found.filter((account) => account !== undefined).map(toUserInfo);
    // No user at all is an answer without the key, which firebase-admin reads as `auth/user-not-found`.
    return context.json(users.length === 0 ? {} : { users });
  });
  // One page with everybody.
  app.get(`${ADMIN}/accounts:batchGet`, (context) =>
    context.json({ users: [...accounts.values()].map(toUserInfo) }),
  );

  app.notFound(({ req }) => {
    throw notImplemented(`speak ${req.method} ${req.path}`);
  });
  app.onError((error, context) => {
    const { status, message } = error instanceof HTTPException ? error : refusal(500, 'INTERNAL');
    if (status === 500) console.error(error);
    const errors = [{ message, reason: 'invalid', domain: 'global' }];
    return context.json({ error: { code: status, message, errors } }, status);
  });
  const server = await serveOnLoopback(app.fetch, port);
  /** `emulatorHost`: the value of FIREBASE_AUTH_EMULATOR_HOST. */
  return { ...server, emulatorHost: new URL(server.url).host, mintIdToken };
};

/** Clients read the code, such as `EMAIL_EXISTS`, from the message's first word. */
const refusal = (status: ContentfulStatusCode, message: string): HTTPException =>
  new HTTPException(status, { message });

const notImplemented = (what: string): HTTPException =>
  refusal(501, `NOT_IMPLEMENTED : the local Auth endpoint does not ${what}`);

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

/** An account as `accounts:lookup` answers it: Identity Toolkit's `UserInfo`. */
const toUserInfo = ({ uid, email, claims, validSince }: Account): object => ({
  localId: uid,
  ...(email !== null && { email, emailVerified: true }),
  customAttributes: JSON.stringify(claims),
  validSince: String(validSince),
});

const newAccount = z.strictObject({ localId: z.string().optional(), email: z.string() });
const accountChange = z.strictObject({
  localId: z.string(),
  customAttributes: z
    .string()
    .transform((json): unknown => JSON.parse(json))
    .pipe(z.record(z.string(), z.unknown()))
    .optional(),
  validSince: z.coerce.number().optional(),
});
const lookupRequest = z.object({
  localId: z.array(z.string()).default([]),
  email: z.array(z.string()).default([]),
});

/** @throws HTTPException 501 for a field that this substitute does not keep, which would otherwise be lost in silence */
const readBody = async <S extends z.ZodType>(context: Context, schema: S): Promise<z.output<S>> => {
  const { data, error } = schema.safeParse(await context.req.json().catch(() => null));
  if (error === undefined) return data as z.output<S>;
  const unknown = error.issues.find(({ code }) => code === 'unrecognized_keys');
  throw unknown ? notImplemented(`keep this: ${unknown.message}`) : refusal(400, 'INVALID_REQUEST');
};
