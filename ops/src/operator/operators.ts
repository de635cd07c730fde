import type { Auth, UserRecord } from 'firebase-admin/auth';

/** What a person who operates is called in the `roles` claim; the functions take `superuser` for the same. */
const ROLE = 'admin';
const OPERATING = new Set([ROLE, 'superuser']);

export class OperatorError extends Error {}

/** Gives the role. Answers whether it was new. It counts from the next sign-in, or within an hour. */
export const addOperator = async (auth: Auth, email: string): Promise<boolean> => {
  const user = await findUser(auth, email);
  if (isOperator(user)) return false;
  await setRoles(auth, user, [...rolesOf(user), ROLE]);
  return true;
};

/** Takes the role, and ends the sessions that were opened with it. Answers whether there was one. */
export const removeOperator = async (auth: Auth, email: string): Promise<boolean> => {
  const user = await findUser(auth, email);
  if (!isOperator(user)) return false;
  await setRoles(
    auth,
    user,
    rolesOf(user).filter((role) => !OPERATING.has(role)),
  );
  await auth.revokeRefreshTokens(user.uid);
  return true;
};

/** Addresses, in their order. */
export const listOperators = async (auth: Auth): Promise<string[]> => {
  const found: UserRecord[] = [];
  let page: string | undefined;
  do {
    const { users, pageToken } = await auth.listUsers(1_000, page);
    found.push(...users.filter(isOperator));
    page = pageToken;
  } while (page);
  return found.map(({ email, uid }) => email ?? uid).sort();
};

const findUser = async (auth: Auth, email: string): Promise<UserRecord> => {
  try {
    return await auth.getUserByEmail(email);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'auth/user-not-found') {
      throw new OperatorError(
        'Nobody has an account with that address. Make one in the Firebase console: Authentication, Add user.',
      );
    }
    throw cause;
  }
};

const rolesOf = ({ customClaims }: UserRecord): string[] => {
  const roles: unknown = customClaims?.['roles'];
  return Array.isArray(roles) ? roles.filter((role) => typeof role === 'string') : [];
};

const isOperator = (user: UserRecord): boolean => rolesOf(user).some((role) => OPERATING.has(role));

/** Other claims are the portal's, and stay. */
const setRoles = (auth: Auth, { uid, customClaims }: UserRecord, roles: readonly string[]): Promise<void> =>
  auth.setCustomUserClaims(uid, { ...customClaims, roles });
