import { createHash, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { SHARED_KEY } from '../domain/storable.ts';
import { SyncError } from '../lib/errors.ts';

/** Somebody who has proved who they are. `id` goes to the record of who did what. */
export interface Caller {
  readonly kind: 'person' | 'service-account' | 'api-key';
  /** A Firebase user id, a service account's e-mail address, or the fingerprint of a key. */
  readonly id: string;
}

/**
 * Proves who calls, by the `authorization` header. Throws `unauthenticated` when there is no token or it is not valid now,
 * `forbidden` when it is valid but its owner may not call, and `secret_unavailable` when the keys cannot be read.
 */
export type Authorize = (header: string | undefined) => Promise<Caller>;

/** Checks a Firebase ID token: signature, project, expiry, and that the user is neither disabled nor signed out. */
export type VerifyFirebaseToken = (
  token: string,
) => Promise<{ readonly uid: string; readonly [claim: string]: unknown }>;

/** Checks a Google-signed OIDC token: signature, audience, expiry. Answers its claims. */
export type VerifyGoogleToken = (token: string, audiences: string[]) => Promise<Record<string, unknown>>;

export interface ServiceCallersOptions {
  readonly verifyGoogleToken: VerifyGoogleToken;
  /** E-mail addresses of the service accounts that may call. */
  readonly serviceAccounts: readonly string[];
  readonly audiences: readonly string[];
  /** The setting that holds those addresses, for who is refused. */
  readonly setting: string;
}

export interface AdminCallersOptions extends Omit<ServiceCallersOptions, 'setting'> {
  readonly verifyFirebaseToken: VerifyFirebaseToken;
}

const ADMIN_ROLES = new Set(['admin', 'superuser']);
const GOOGLE_ISSUERS = new Set(['https://accounts.google.com', 'accounts.google.com']);
const BEARER = /^Bearer ([A-Za-z0-9._~+/=-]{1,8192})$/i;
/** Header, payload, signature. A key has no dot in it: docs/deploy.md makes it of hexadecimal digits. */
const ID_TOKEN = /^[^.]+\.[^.]+\.[^.]*$/;
const NOT_VALID = 'The token is not valid here, or not any more. Sign in again.';

/**
 * Admits a Firebase user whose `roles` claim is a list that holds `admin` or `superuser`, and a service account
 * of the allow-list with a Google-signed token made for one of our audiences. Which of the two checks applies is
 * read from the token's unverified issuer; that check then verifies everything, the issuer included.
 */
export const makeAuthorizeAdmin = ({ verifyFirebaseToken, ...options }: AdminCallersOptions): Authorize => {
  const serviceAccount = makeVerifyServiceAccount({ ...options, setting: 'ADMIN_SERVICE_ACCOUNTS' });
  return async (header) => {
    const token = bearerTokenIn(header, 'ID token');
    return GOOGLE_ISSUERS.has(issuerOf(token))
      ? serviceAccount(token)
      : verifyAdministrator(token, verifyFirebaseToken);
  };
};

/** Admits a service account of the allow-list with a Google-signed token made for one of our audiences. */
export const makeAuthorizeService = (options: ServiceCallersOptions): Authorize => {
  const serviceAccount = makeVerifyServiceAccount(options);
  return async (header) => {
    const token = bearerTokenIn(header, 'Google-signed ID token');
    if (!ID_TOKEN.test(token)) throw new SyncError('unauthenticated', NOT_VALID);
    return serviceAccount(token);
  };
};

export interface KeyCallersOptions {
  /** `ADMIN_API_KEY`: every version in force. */
  readonly readKeys: () => Promise<readonly string[]>;
  /** People by Firebase ID token, and service accounts of the administrators' list. */
  readonly authorizeAdmin: Authorize;
}

/** Admits an API key that is in force, or whoever `authorizeAdmin` admits. */
export const makeAuthorizeKeyOrAdmin =
  ({ readKeys, authorizeAdmin }: KeyCallersOptions): Authorize =>
  async (header) => {
    const token = bearerTokenIn(header, 'key or ID token');
    if (ID_TOKEN.test(token)) return authorizeAdmin(header);
    const digest = sha256(token);
    // Every key is compared, so that the time does not tell which of them is near.
    const matches = (await readKeys()).map((key) => timingSafeEqual(sha256(key), digest));
    if (!matches.includes(true)) throw new SyncError('unauthenticated', 'The API key is not in force.');
    return { kind: 'api-key', id: `${SHARED_KEY}${digest.toString('hex').slice(0, 8)}` };
  };

const makeVerifyServiceAccount =
  ({ verifyGoogleToken, serviceAccounts, audiences, setting }: ServiceCallersOptions) =>
  async (token: string): Promise<Caller> => {
    const { email, email_verified } = await verified(() => verifyGoogleToken(token, [...audiences]));
    if (typeof email !== 'string' || email_verified !== true || !serviceAccounts.includes(email)) {
      throw new SyncError('forbidden', `This service account is not in ${setting}.`);
    }
    return { kind: 'service-account', id: email };
  };

const verifyAdministrator = async (token: string, verify: VerifyFirebaseToken): Promise<Caller> => {
  const { uid, roles } = await verified(() => verify(token));
  if (!Array.isArray(roles) || !roles.some((role) => ADMIN_ROLES.has(role))) {
    throw new SyncError('forbidden', 'This needs the role admin or superuser.');
  }
  return { kind: 'person', id: uid };
};

/** The claims of a token. Whatever a library says of one that it does not take is told nobody. */
const verified = async <Claims>(verify: () => Promise<Claims>): Promise<Claims> => {
  try {
    return await verify();
  } catch (cause) {
    if (cause instanceof SyncError) throw cause;
    throw new SyncError('unauthenticated', NOT_VALID, { cause });
  }
};

const bearerTokenIn = (header: string | undefined, what: string): string => {
  const token = BEARER.exec(header ?? '')?.[1];
  if (token === undefined) {
    throw new SyncError('unauthenticated', `Send "Authorization: Bearer <${what}>".`);
  }
  return token;
};

const claimsShape = z.object({ iss: z.string() });

const issuerOf = (token: string): string => {
  try {
    const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8');
    return claimsShape.parse(JSON.parse(payload)).iss;
  } catch {
    throw new SyncError('unauthenticated', 'The bearer token is not an ID token.');
  }
};

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Takes one from the caller's allowance. Throws `rate_limited` with the seconds to wait in its details. */
export type RateLimit = (caller: string) => void;

interface Bucket {
  tokens: number;
  at: number;
}

/** Callers that are remembered; the one that was longest silent is forgotten first, which is to its advantage. */
const REMEMBERED = 10_000;

/**
 * A token bucket a caller: `perMinute` at once, refilled evenly. It counts in this process: the limit of the whole
 * service is this times the function's `maxInstances`.
 */
export const makeRateLimit = (perMinute: number, now: () => Date): RateLimit => {
  const buckets = new Map<string, Bucket>();
  return (caller) => {
    const at = now().getTime();
    const before = buckets.get(caller) ?? { tokens: perMinute, at };
    const tokens = Math.min(perMinute, before.tokens + ((at - before.at) * perMinute) / 60_000);
    buckets.delete(caller);
    buckets.set(caller, { tokens: Math.max(0, tokens - 1), at });
    if (buckets.size > REMEMBERED) {
      for (const oldest of buckets.keys()) {
        buckets.delete(oldest);
        break;
      }
    }
    if (tokens >= 1) return;
    buckets.set(caller, { tokens, at });
    const retryAfterSeconds = Math.ceil((1 - tokens) * (60 / perMinute));
    throw new SyncError(
      'rate_limited',
      `At most ${perMinute} requests a minute. Wait ${retryAfterSeconds} s.`,
      {
        details: { retryAfterSeconds },
      },
    );
  };
};
