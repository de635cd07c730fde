import { randomBytes } from 'node:crypto';
import type { Account, Accounts } from './accounts.ts';
import { AuthApiError } from './api-error.ts';
import type { Claims } from './claims.ts';
import { ID_TOKEN_SECONDS, makeIdToken, type SignInProvider } from './id-tokens.ts';

interface Session {
  readonly uid: string;
  readonly provider: SignInProvider;
  readonly claims: Claims;
  readonly authTime: number;
}

export interface SignedIn {
  readonly account: Account;
  readonly idToken: string;
  readonly refreshToken: string;
  readonly expiresInSeconds: number;
}

export interface SignInOptions {
  readonly provider: SignInProvider;
  readonly claims?: Claims;
  /** An hour by default; negative for an ID token that has expired already. */
  readonly lifetimeSeconds?: number;
}

export interface Sessions {
  /** @throws AuthApiError 400 `USER_DISABLED`. */
  signIn(account: Account, options: SignInOptions): SignedIn;
  /** A new ID token for the same sign-in. @throws AuthApiError 400 when the sign-in no longer holds. */
  refresh(refreshToken: string): SignedIn;
}

/** Sign-ins, by refresh token: each ID token is made from one. */
export function makeSessions(projectId: string, accounts: Accounts): Sessions {
  const sessions = new Map<string, Session>();

  function issue(
    refreshToken: string,
    session: Session,
    account: Account,
    lifetimeSeconds: number,
  ): SignedIn {
    const { provider, claims, authTime } = session;
    const issuedAt = nowSeconds();
    const idToken = makeIdToken({
      projectId,
      account,
      provider,
      claims,
      authTime,
      issuedAt,
      lifetimeSeconds,
    });
    return { account, idToken, refreshToken, expiresInSeconds: lifetimeSeconds };
  }

  return {
    signIn(found, { provider, claims = {}, lifetimeSeconds = ID_TOKEN_SECONDS }) {
      if (found.disabled) throw new AuthApiError(400, 'USER_DISABLED');
      const account = accounts.save(found.uid, { lastSignInAt: Date.now() });
      const session: Session = { uid: account.uid, provider, claims, authTime: nowSeconds() };
      const refreshToken = randomBytes(32).toString('base64url');
      const signedIn = issue(refreshToken, session, account, lifetimeSeconds);
      sessions.set(refreshToken, session);
      return signedIn;
    },
    refresh(refreshToken) {
      const session = sessions.get(refreshToken);
      if (session === undefined) throw new AuthApiError(400, 'INVALID_REFRESH_TOKEN');
      const account = accounts.find(session.uid);
      if (account === null) throw new AuthApiError(400, 'USER_NOT_FOUND');
      if (account.disabled) throw new AuthApiError(400, 'USER_DISABLED');
      if (session.authTime < account.validSince) throw new AuthApiError(400, 'TOKEN_EXPIRED');
      return issue(refreshToken, session, account, ID_TOKEN_SECONDS);
    },
  };
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
