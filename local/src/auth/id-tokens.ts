import type { Account } from './accounts.ts';
import { AuthApiError } from './api-error.ts';
import { assertNoReservedClaim, type Claims } from './claims.ts';

/** The lifetime of Firebase's ID tokens. */
export const ID_TOKEN_SECONDS = 3600;

/** The audience of custom tokens, by which they are told from ID tokens. */
const CUSTOM_TOKEN_AUDIENCE =
  'https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit';

export type SignInProvider = 'custom' | 'password' | 'anonymous';

export interface IdTokenOptions {
  readonly projectId: string;
  readonly account: Account;
  readonly provider: SignInProvider;
  /** Claims of this sign-in alone, which a custom token may carry; they win over the account's. */
  readonly claims: Claims;
  /** When the person signed in, Unix seconds. */
  readonly authTime: number;
  /** Unix seconds. */
  readonly issuedAt: number;
  /** Negative for a token that has expired already. */
  readonly lifetimeSeconds: number;
}

/**
 * Makes an ID token with the claims of a real one and no signature (`alg: none`). Only a program that has
 * FIREBASE_AUTH_EMULATOR_HOST set accepts it.
 * @throws AuthApiError 400 for a claim that Firebase reserves.
 */
export function makeIdToken(options: IdTokenOptions): string {
  const { account, projectId, authTime, issuedAt } = options;
  assertNoReservedClaim(options.claims);
  return makeUnsignedToken({
    ...account.claims,
    ...options.claims,
    ...(account.displayName === null ? {} : { name: account.displayName }),
    ...(account.email === null ? {} : { email: account.email, email_verified: account.emailVerified }),
    auth_time: authTime,
    user_id: account.uid,
    firebase: {
      identities: account.email === null ? {} : { email: [account.email] },
      sign_in_provider: options.provider,
    },
    iat: issuedAt,
    exp: issuedAt + options.lifetimeSeconds,
    aud: projectId,
    iss: `https://securetoken.google.com/${projectId}`,
    sub: account.uid,
  });
}

/**
 * Reads a custom token of firebase-admin's `createCustomToken`. Its signature, if any, is not checked.
 * @throws AuthApiError 400 when it is none.
 */
export function parseCustomToken(token: string): { readonly uid: string; readonly claims: Claims } {
  const payload = parsePayload(token, 'INVALID_CUSTOM_TOKEN');
  const uid = payload['uid'];
  if (payload['aud'] !== CUSTOM_TOKEN_AUDIENCE || typeof uid !== 'string' || uid === '')
    throw new AuthApiError(400, 'INVALID_CUSTOM_TOKEN');
  const claims = payload['claims'];
  return { uid, claims: typeof claims === 'object' && claims !== null ? { ...claims } : {} };
}

/**
 * Reads whose ID token this is.
 * @throws AuthApiError 400 when it is of another project, expired, or no ID token.
 */
export function parseIdTokenUid(token: string, projectId: string): string {
  const payload = parsePayload(token, 'INVALID_ID_TOKEN');
  if (payload['aud'] !== projectId || typeof payload['sub'] !== 'string')
    throw new AuthApiError(400, 'INVALID_ID_TOKEN');
  if (Number(payload['exp']) <= Date.now() / 1000) throw new AuthApiError(400, 'TOKEN_EXPIRED');
  return payload['sub'];
}

function makeUnsignedToken(payload: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none', typ: 'JWT' })}.${part(payload)}.`;
}

function parsePayload(token: string, code: string): Record<string, unknown> {
  try {
    const payload: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    if (typeof payload === 'object' && payload !== null) return { ...payload };
  } catch {
    // Answered below, like JSON that is no object.
  }
  throw new AuthApiError(400, code);
}
