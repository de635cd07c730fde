import { parseAccountChange, toUserInfo } from './account-wire.ts';
import { type Accounts, isPasswordOf } from './accounts.ts';
import { AuthApiError } from './api-error.ts';
import { parseCustomToken, parseIdTokenUid } from './id-tokens.ts';
import type { Sessions, SignedIn } from './sessions.ts';

export type Body = Readonly<Record<string, unknown>>;
export type Call = (body: Body) => object;
export type Calls = Readonly<Record<string, Call>>;

/** Identity Toolkit's calls of firebase-admin, keyed by what follows `/projects/<project>/`. */
export function makeAdminCalls(accounts: Accounts): Calls {
  return {
    'POST accounts'(body) {
      const uid = textOf(body, 'localId');
      if (uid !== null && accounts.find(uid) !== null) throw new AuthApiError(400, 'DUPLICATE_LOCAL_ID');
      return { localId: accounts.save(uid, parseAccountChange(body)).uid };
    },
    'POST accounts:lookup'(body) {
      const byUid = textsOf(body, 'localId').map((uid) => accounts.find(uid));
      const byEmail = textsOf(body, 'email').map((email) => accounts.findByEmail(email));
      const users = [...byUid, ...byEmail].filter((account) => account !== null).map(toUserInfo);
      // No user at all is an answer without the key, which firebase-admin reads as `auth/user-not-found`.
      return users.length === 0 ? {} : { users };
    },
    'POST accounts:update'(body) {
      const uid = textOf(body, 'localId') ?? '';
      if (accounts.find(uid) === null) throw new AuthApiError(400, 'USER_NOT_FOUND');
      return { localId: accounts.save(uid, parseAccountChange(body)).uid };
    },
    'POST accounts:delete'(body) {
      if (!accounts.remove(textOf(body, 'localId') ?? '')) throw new AuthApiError(400, 'USER_NOT_FOUND');
      return {};
    },
    'GET accounts:batchGet': () => ({ users: accounts.list().map(toUserInfo) }),
  };
}

/** Identity Toolkit's calls of a browser's Firebase SDK, keyed by what follows `/v1/`. */
export function makeClientCalls(projectId: string, accounts: Accounts, sessions: Sessions): Calls {
  return {
    'POST accounts:signUp'(body) {
      const account = accounts.save(null, parseAccountChange(ownFields(body)));
      const provider = account.email === null ? 'anonymous' : 'password';
      return toSignInAnswer(sessions.signIn(account, { provider }), true);
    },
    'POST accounts:signInWithPassword'(body) {
      const account = accounts.findByEmail(textOf(body, 'email') ?? '');
      // One answer for both, as Firebase gives it with email enumeration protection.
      if (account === null || !isPasswordOf(account, textOf(body, 'password') ?? ''))
        throw new AuthApiError(400, 'INVALID_LOGIN_CREDENTIALS');
      return toSignInAnswer(sessions.signIn(account, { provider: 'password' }), false);
    },
    'POST accounts:signInWithCustomToken'(body) {
      const { uid, claims } = parseCustomToken(textOf(body, 'token') ?? '');
      const isNewUser = accounts.find(uid) === null;
      return toSignInAnswer(
        sessions.signIn(accounts.save(uid, {}), { provider: 'custom', claims }),
        isNewUser,
      );
    },
    'POST accounts:lookup'(body) {
      const account = accounts.find(parseIdTokenUid(textOf(body, 'idToken') ?? '', projectId));
      if (account === null) throw new AuthApiError(400, 'USER_NOT_FOUND');
      return { users: [toUserInfo(account)] };
    },
  };
}

function toSignInAnswer(
  { account, idToken, refreshToken, expiresInSeconds }: SignedIn,
  isNewUser: boolean,
): object {
  const email = account.email === null ? {} : { email: account.email };
  return {
    localId: account.uid,
    ...email,
    idToken,
    refreshToken,
    expiresIn: String(expiresInSeconds),
    isNewUser,
  };
}

/** What a person may set of their own account; roles and the like are an administrator's. */
function ownFields({ email, password, displayName }: Body): Body {
  return Object.fromEntries(
    Object.entries({ email, password, displayName }).filter(([, value]) => value !== undefined),
  );
}

function textOf(body: Body, field: string): string | null {
  const value = body[field];
  return typeof value === 'string' ? value : null;
}

function textsOf(body: Body, field: string): string[] {
  const value = body[field];
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}
