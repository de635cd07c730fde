import { AuthApiError } from './api-error.ts';

/** Custom claims: what `setCustomUserClaims` takes and what a token then carries. */
export type Claims = Readonly<Record<string, unknown>>;

/** What Firebase sets in a token itself. */
const RESERVED_CLAIMS = ['aud', 'auth_time', 'exp', 'firebase', 'iat', 'iss', 'nbf', 'sub', 'user_id'];

/** @throws AuthApiError 400 `FORBIDDEN_CLAIM`, as Firebase refuses them. */
export function assertNoReservedClaim(claims: Claims): void {
  const reserved = RESERVED_CLAIMS.find((name) => Object.hasOwn(claims, name));
  if (reserved !== undefined) throw new AuthApiError(400, `FORBIDDEN_CLAIM : ${reserved}`);
}
