import { randomBytes, randomUUID, scryptSync, timingSafeEqual } from 'node:crypto';
import { AuthApiError } from './api-error.ts';
import { assertNoReservedClaim, type Claims } from './claims.ts';

export interface Account {
  readonly uid: string;
  readonly email: string | null;
  readonly emailVerified: boolean;
  readonly displayName: string | null;
  readonly disabled: boolean;
  readonly claims: Claims;
  /** Unix seconds. ID tokens of earlier sign-ins are revoked. */
  readonly validSince: number;
  /** Unix milliseconds. */
  readonly createdAt: number;
  readonly lastSignInAt: number | null;
  readonly password: PasswordHash | null;
}

export interface PasswordHash {
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** `password` in clear; the other fields as they are stored. */
export type AccountChange = Partial<Omit<Account, 'uid' | 'createdAt' | 'password'>> & {
  readonly password?: string;
};

export interface Accounts {
  find(uid: string): Account | null;
  findByEmail(email: string): Account | null;
  list(): readonly Account[];
  /**
   * Makes an account, or changes the one that is there. A `uid` is made up where none is given.
   * @throws AuthApiError 400 for an e-mail address of another account, a reserved claim, or a short password.
   */
  save(uid: string | null, change: AccountChange): Account;
  remove(uid: string): boolean;
}

const HASH_BYTES = 32;
const MIN_PASSWORD_LENGTH = 6;

/** Accounts of one project, in memory: they are gone when the endpoint ends. */
export function makeAccounts(): Accounts {
  const accounts = new Map<string, Account>();

  function findByEmail(email: string): Account | null {
    const wanted = email.toLowerCase();
    return [...accounts.values()].find((account) => account.email === wanted) ?? null;
  }

  return {
    find: (uid) => accounts.get(uid) ?? null,
    findByEmail,
    list: () => [...accounts.values()],
    save(uid, { password, ...change }) {
      const id = uid ?? randomUUID();
      const owner = change.email == null ? null : findByEmail(change.email);
      if (owner !== null && owner.uid !== id) throw new AuthApiError(400, 'EMAIL_EXISTS');
      if (password !== undefined && password.length < MIN_PASSWORD_LENGTH)
        throw new AuthApiError(
          400,
          `WEAK_PASSWORD : Password should be at least ${MIN_PASSWORD_LENGTH} characters`,
        );
      assertNoReservedClaim(change.claims ?? {});
      const saved: Account = {
        ...(accounts.get(id) ?? makeAccount(id)),
        ...change,
        ...(password === undefined ? {} : { password: hashPassword(password) }),
        ...(change.email == null ? {} : { email: change.email.toLowerCase() }),
      };
      accounts.set(id, saved);
      return saved;
    },
    remove: (uid) => accounts.delete(uid),
  };
}

/** Whether this is the account's password; false for an account without one. */
export function isPasswordOf(account: Account, password: string): boolean {
  if (account.password === null) return false;
  const { salt, hash } = account.password;
  return timingSafeEqual(scryptSync(password, salt, HASH_BYTES), hash);
}

function makeAccount(uid: string): Account {
  const now = Date.now();
  return {
    uid,
    email: null,
    emailVerified: false,
    displayName: null,
    disabled: false,
    claims: {},
    validSince: Math.floor(now / 1000),
    createdAt: now,
    lastSignInAt: null,
    password: null,
  };
}

function hashPassword(password: string): PasswordHash {
  const salt = randomBytes(16);
  return { salt, hash: scryptSync(password, salt, HASH_BYTES) };
}
