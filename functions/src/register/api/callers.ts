import { createHash, timingSafeEqual } from 'node:crypto';
import type { AuthorizeAdmin } from '../../http/callers.ts';
import { SyncError } from '../../lib/errors.ts';
import { SHARED_KEY } from '../../mirror/mirror.ts';

/** Who called, as it goes to records and logs. */
export interface ApiCaller {
  readonly kind: 'api-key' | 'person' | 'service-account';
  readonly id: string;
}

/** Throws `unauthenticated`, `forbidden`, and `secret_unavailable` when the keys cannot be read. */
export type AuthorizeCaller = (authorizationHeader: string | undefined) => Promise<ApiCaller>;

export interface AdminCallersOptions {
  /** `ADMIN_API_KEY`: every version in force. */
  readonly readKeys: () => Promise<readonly string[]>;
  /** People by Firebase ID token, and service accounts of the administrators' list. */
  readonly authorizeAdmin: AuthorizeAdmin;
}

const BEARER = /^Bearer ([A-Za-z0-9._~+/=-]{1,8192})$/i;
/** Header, payload, signature. A key has no dot in it: docs/deploy.md makes it of hexadecimal digits. */
const ID_TOKEN = /^[^.]+\.[^.]+\.[^.]*$/;

/** Admits an API key that is in force, or whoever `authorizeAdmin` admits. */
export const makeAuthorizeAdminCaller =
  ({ readKeys, authorizeAdmin }: AdminCallersOptions): AuthorizeCaller =>
  async (header) => {
    const token = BEARER.exec(header ?? '')?.[1];
    if (token === undefined) {
      throw new SyncError('unauthenticated', 'Send "Authorization: Bearer <key or ID token>".');
    }
    if (ID_TOKEN.test(token)) return authorizeAdmin(header);
    const digest = sha256(token);
    // Every key is compared, so that the time does not tell which of them is near.
    const matches = (await readKeys()).map((key) => timingSafeEqual(sha256(key), digest));
    if (!matches.includes(true)) throw new SyncError('unauthenticated', 'The API key is not in force.');
    return { kind: 'api-key', id: `${SHARED_KEY}${digest.toString('hex').slice(0, 8)}` };
  };

/** Checks a Google-signed OIDC token: signature, audience, expiry. Answers its claims. */
type VerifyGoogleToken = (token: string, audiences: string[]) => Promise<Record<string, unknown>>;

export interface ServiceCallersOptions {
  readonly verifyGoogleToken: VerifyGoogleToken;
  /** E-mail addresses of the service accounts of the elections and events services. */
  readonly serviceAccounts: readonly string[];
  readonly audiences: readonly string[];
}

/** Admits a service account of the allow-list with a Google-signed token made for one of our audiences. */
export const makeAuthorizeService =
  ({ verifyGoogleToken, serviceAccounts, audiences }: ServiceCallersOptions): AuthorizeCaller =>
  async (header) => {
    const token = BEARER.exec(header ?? '')?.[1];
    if (token === undefined || !ID_TOKEN.test(token)) {
      throw new SyncError('unauthenticated', 'Send "Authorization: Bearer <Google-signed ID token>".');
    }
    let claims: Record<string, unknown>;
    try {
      claims = await verifyGoogleToken(token, [...audiences]);
    } catch (cause) {
      throw new SyncError('unauthenticated', 'The token is not valid here, or not any more.', { cause });
    }
    const email = claims['email'];
    if (typeof email !== 'string' || claims['email_verified'] !== true || !serviceAccounts.includes(email)) {
      throw new SyncError('forbidden', 'This service account is not in REGISTER_SERVICE_ACCOUNTS.');
    }
    return { kind: 'service-account', id: email };
  };

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
