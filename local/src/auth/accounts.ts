import { randomUUID } from 'node:crypto';
import { z } from 'zod';

/** Custom claims: what `setCustomUserClaims` takes and what a token then carries. */
export type Claims = Readonly<Record<string, unknown>>;

export interface Account {
  readonly uid: string;
  readonly email: string | null;
  readonly claims: Claims;
  /** Unix seconds. ID tokens of earlier sign-ins are revoked. */
  readonly validSince: number;
}

export type AccountChange = Partial<Omit<Account, 'uid'>>;

/** Accounts of one project, in memory: they are gone when the endpoint ends. */
export interface Accounts {
  find(uid: string): Account | null;
  findByEmail(email: string): Account | null;
  list(): readonly Account[];
  /**
   * Makes an account, or changes the one that is there. A `uid` is made up where none is given.
   * @throws AuthApiError 400 for an e-mail address of another account or a reserved claim.
   */
  save(uid: string | null, change: AccountChange): Account;
}

/**
 * An answer other than success, in Identity Toolkit's form. Its clients read the code from the message's first word,
 * such as `EMAIL_EXISTS`.
 */
export class AuthApiError extends Error {
  readonly status: 400 | 401 | 404 | 501;

  constructor(status: AuthApiError['status'], message: string) {
    super(message);
    this.name = 'AuthApiError';
    this.status = status;
  }

  toJSON(): object {
    const { status: code, message } = this;
    return { error: { code, message, errors: [{ message, reason: 'invalid', domain: 'global' }] } };
  }
}

export const notImplemented = (what: string): AuthApiError =>
  new AuthApiError(501, `NOT_IMPLEMENTED : the local Auth endpoint does not ${what}`);

/** What Firebase sets in a token itself. */
const RESERVED_CLAIMS = ['aud', 'auth_time', 'exp', 'firebase', 'iat', 'iss', 'nbf', 'sub', 'user_id'];

export const makeAccounts = (): Accounts => {
  const accounts = new Map<string, Account>();
  const findByEmail = (email: string): Account | null =>
    [...accounts.values()].find((account) => account.email === email.toLowerCase()) ?? null;

  return {
    find: (uid) => accounts.get(uid) ?? null,
    findByEmail,
    list: () => [...accounts.values()],
    save: (uid, change) => {
      const id = uid ?? randomUUID();
      const email = change.email?.toLowerCase();
      const owner = email === undefined ? null : findByEmail(email);
      if (owner !== null && owner.uid !== id) throw new AuthApiError(400, 'EMAIL_EXISTS');
      const reserved = RESERVED_CLAIMS.find((name) => Object.hasOwn(change.claims ?? {}, name));
      if (reserved !== undefined) throw new AuthApiError(400, `FORBIDDEN_CLAIM : ${reserved}`);
      const fresh: Account = { uid: id, email: null, claims: {}, validSince: Math.floor(Date.now() / 1000) };
      const saved = { ...fresh, ...accounts.get(id), ...change, ...(email !== undefined && { email }) };
      accounts.set(id, saved);
      return saved;
    },
  };
};

/** An account as `accounts:lookup` answers it: Identity Toolkit's `UserInfo`. */
export const toUserInfo = ({ uid, email, claims, validSince }: Account): object => ({
  localId: uid,
  ...(email !== null && { email, emailVerified: true }),
  customAttributes: JSON.stringify(claims),
  validSince: String(validSince),
});

const accountChange = z.strictObject({
  localId: z.string().optional(),
  email: z.string().optional(),
  customAttributes: z.string().optional(),
  validSince: z.coerce.number().optional(),
});

/**
 * Reads what `accounts` and `accounts:update` are to change, and of whom.
 * @throws AuthApiError 501 for a field that this substitute does not keep, which would otherwise be lost in silence.
 */
export const parseAccountChange = (
  body: unknown,
): { readonly uid: string | null; readonly change: AccountChange } => {
  const read = accountChange.safeParse(body);
  if (!read.success) throw notImplemented(`keep this: ${read.error.issues[0]?.message}`);
  const { localId = null, email, customAttributes, validSince } = read.data;
  return {
    uid: localId,
    change: {
      ...(email !== undefined && { email }),
      ...(customAttributes !== undefined && { claims: parseClaims(customAttributes) }),
      ...(validSince !== undefined && { validSince }),
    },
  };
};

const parseClaims = (json: string): Claims => {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(json));
  } catch {
    throw new AuthApiError(400, 'INVALID_CLAIMS');
  }
};
