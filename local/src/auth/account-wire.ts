import type { Account, AccountChange } from './accounts.ts';
import { AuthApiError } from './api-error.ts';

/** An account as `accounts:lookup` answers it: Identity Toolkit's `UserInfo`. */
export function toUserInfo(account: Account): Record<string, unknown> {
  const { email, displayName } = account;
  const providers =
    email === null ? [] : [{ providerId: 'password', rawId: email, federatedId: email, email }];
  return {
    localId: account.uid,
    ...(email === null ? {} : { email, emailVerified: account.emailVerified }),
    ...(displayName === null ? {} : { displayName }),
    disabled: account.disabled,
    customAttributes: JSON.stringify(account.claims),
    validSince: String(account.validSince),
    createdAt: String(account.createdAt),
    ...(account.lastSignInAt === null ? {} : { lastLoginAt: String(account.lastSignInAt) }),
    providerUserInfo: providers,
  };
}

/** Fields of a request that say which account or how to answer; they change nothing. */
const NOT_A_CHANGE = ['localId', 'idToken', 'returnSecureToken', 'targetProjectId', 'clientType'];

/**
 * Reads what `accounts` and `accounts:update` are to change.
 * @throws AuthApiError 501 for a field that this substitute does not keep, which would otherwise be lost in silence.
 */
export function parseAccountChange(body: Readonly<Record<string, unknown>>): AccountChange {
  const change: { -readonly [Field in keyof AccountChange]: AccountChange[Field] } = {};
  for (const [field, value] of Object.entries(body)) {
    if (NOT_A_CHANGE.includes(field)) continue;
    else if (field === 'email' && typeof value === 'string') change.email = value;
    else if (field === 'emailVerified' && typeof value === 'boolean') change.emailVerified = value;
    else if (field === 'displayName' && typeof value === 'string') change.displayName = value;
    else if (field === 'password' && typeof value === 'string') change.password = value;
    else if ((field === 'disabled' || field === 'disableUser') && typeof value === 'boolean')
      change.disabled = value;
    else if (field === 'customAttributes' && typeof value === 'string') change.claims = parseClaims(value);
    else if (field === 'validSince') change.validSince = Number(value);
    else throw new AuthApiError(501, `NOT_IMPLEMENTED : the local Auth endpoint does not keep "${field}"`);
  }
  return change;
}

function parseClaims(json: string): Record<string, unknown> {
  try {
    const claims: unknown = JSON.parse(json);
    if (typeof claims === 'object' && claims !== null && !Array.isArray(claims)) return { ...claims };
  } catch {
    // Answered below, like JSON that is no object.
  }
  throw new AuthApiError(400, 'INVALID_CLAIMS');
}
