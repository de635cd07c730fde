import * as z from 'zod';
import type { MemberReader } from '../../registry/ports.ts';
import type { RegistryHttp } from './registry-http.ts';

const memberSchema = z.record(z.string(), z.unknown());

/**
 * How the API itself says that it has no such member. The 404 of a wrong base path, of a proxy or of the framework
 * (`{"detail": …}`) looks different, and must not pass for a deletion.
 */
const noSuchMember = z.object({ error: z.string() });

export interface MemberReadConfig {
  /** For one member with its retries, in milliseconds. */
  readonly deadlineMs?: number | undefined;
}

/** `GET /api/sync/member/<ssn>/`. Errors: those of RegistryHttp; a 404 that is not the API's own is `registry_rejected`. */
export const makeMemberReader = (
  http: Pick<RegistryHttp, 'findJson'>,
  { deadlineMs }: MemberReadConfig = {},
): MemberReader => ({
  readMember: (kennitala, { signal }) =>
    http.findJson('/api/sync/member/:ssn/', memberSchema, {
      params: { ssn: kennitala },
      notFound: noSuchMember,
      signal,
      deadlineMs,
    }),
});
