import { z } from 'zod';
import type { AuthorizeAdmin } from '../../http/callers.ts';
import { SyncError } from '../../lib/errors.ts';

const ADMIN_ROLES = new Set(['admin', 'superuser']);
const GOOGLE_ISSUERS = new Set(['https://accounts.google.com', 'accounts.google.com']);

/** Checks a Firebase ID token: signature, project, expiry, and that the user is neither disabled nor signed out. */
export type VerifyFirebaseToken = (
  token: string,
) => Promise<{ readonly uid: string; readonly [claim: string]: unknown }>;

/** Checks a Google-signed OIDC token: signature, audience, expiry. Answers its claims. */
export type VerifyGoogleToken = (token: string, audiences: string[]) => Promise<Record<string, unknown>>;

export interface AuthorizeAdminOptions {
  readonly verifyFirebaseToken: VerifyFirebaseToken;
  readonly verifyGoogleToken: VerifyGoogleToken;
  /** E-mail addresses of the service accounts that may call. */
  readonly serviceAccounts: readonly string[];
  readonly audiences: readonly string[];
}

/**
 * Admits a Firebase user whose `roles` claim is a list that holds `admin` or `superuser`, and a service account
 * of the allow-list with a Google-signed token made for one of our audiences. Which of the two checks applies is
 * read from the token's unverified issuer; that check then verifies everything, the issuer included.
 */
export const makeAuthorizeAdmin = (options: AuthorizeAdminOptions): AuthorizeAdmin => {
  const authorizeServiceAccount: AuthorizeAdmin = async (token = '') => {
    const claims = await options.verifyGoogleToken(token, [...options.audiences]);
    const email = claims['email'];
    if (
      typeof email !== 'string' ||
      claims['email_verified'] !== true ||
      !options.serviceAccounts.includes(email)
    ) {
      throw new SyncError('forbidden', 'This service account is not in ADMIN_SERVICE_ACCOUNTS.');
    }
    return { kind: 'service-account', id: email };
  };

  const authorizePerson: AuthorizeAdmin = async (token = '') => {
    const claims = await options.verifyFirebaseToken(token);
    const roles: unknown = claims['roles'];
    if (!Array.isArray(roles) || !roles.some((role) => ADMIN_ROLES.has(role))) {
      throw new SyncError('forbidden', 'This needs the role admin or superuser.');
    }
    return { kind: 'person', id: claims.uid };
  };

  return async (header) => {
    const token = bearerTokenIn(header);
    const authorize = GOOGLE_ISSUERS.has(issuerOf(token)) ? authorizeServiceAccount : authorizePerson;
    try {
      return await authorize(token);
    } catch (cause) {
      if (cause instanceof SyncError) throw cause;
      throw new SyncError('unauthenticated', 'The token is not valid here, or not any more. Sign in again.', {
        cause,
      });
    }
  };
};

const bearerTokenIn = (header: string | undefined): string => {
  const token = /^Bearer ([A-Za-z0-9._~+/=-]+)$/i.exec(header ?? '')?.[1];
  if (token === undefined) {
    throw new SyncError('unauthenticated', 'Send "Authorization: Bearer <ID token>".');
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
