import * as z from 'zod';
import { BUCKETS, DIGEST_SCHEME } from '../../domain/member/digest.ts';
import { isSyncError } from '../../lib/errors.ts';
import type { NoSums, RegistryDigests } from '../../proof/digest-ports.ts';
import { invalidAnswer } from './failures.ts';
import { type MemberPagesConfig, makeMemberPages } from './read-members.ts';
import type { RegistryHttp } from './registry-http.ts';

const ROUTE = '/api/sync/digests/';
const MAX_WORD = 0xffff_ffff;

const sum = z.int().nonnegative();
const answer = z.object({
  scheme: z.literal(DIGEST_SCHEME),
  newest_version: z.int().nonnegative(),
  buckets: z
    .array(z.object({ bucket: z.int(), count: sum, a: sum, b: sum, ka: sum, kb: sum }))
    .length(BUCKETS),
});

/** How a registry says that it gives no sums. Anything else is a failure. */
const NO_SUMS: Readonly<Record<string, NoSums>> = { 404: 'no_companion_app', 409: 'digests_missing' };

/** The companion app's sums of members' digests, and the members of one bucket. Errors: those of RegistryHttp. */
export const makeRegistryDigests = (
  http: Pick<RegistryHttp, 'getJson'>,
  config: MemberPagesConfig,
): RegistryDigests => ({
  sums: async ({ signal }) => {
    try {
      const { newest_version, buckets } = await http.getJson(ROUTE, answer, {
        signal,
        deadlineMs: config.deadlineMs,
      });
      for (const [place, row] of buckets.entries()) {
        if (row.bucket !== place) throw faulty('the buckets are not in order');
        if ([row.a, row.b, row.ka, row.kb].some((value) => value > row.count * MAX_WORD)) {
          throw faulty('a sum is larger than its members can make it');
        }
      }
      return {
        newestVersion: newest_version,
        buckets: buckets.map(({ count, a, b, ka, kb }) => ({
          members: { count, a, b },
          keys: { count, a: ka, b: kb },
        })),
      };
    } catch (cause) {
      const status = isSyncError(cause, 'registry_rejected') ? cause.details['status'] : null;
      const none = NO_SUMS[String(status)];
      if (none === undefined) throw cause;
      return none;
    }
  },
  members: async (bucket, { signal }) => {
    const members: unknown[] = [];
    const pages = makeMemberPages(http, { ...config, query: { bucket: String(bucket) } });
    for await (const page of pages.pages({ signal })) members.push(...page.members);
    return members;
  },
});

const faulty = (what: string) => invalidAnswer(`GET ${ROUTE}`, what);
