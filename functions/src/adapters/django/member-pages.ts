import * as z from 'zod';
import type { MemberPage, MemberPages, MemberPagesOptions } from '../../registry/ports.ts';
import { invalidAnswer } from './failures.ts';
import { assertPageFits, assertWhole, makePageChecks } from './page-checks.ts';
import { type PageQuery, parseNextPage } from './page-link.ts';
import type { RegistryHttp } from './registry-http.ts';

export const PAGES_ROUTE = '/api/members/';
const PAGE_SIZE = 500;

/** Checked in place, since a copy of every page serves nothing. */
const anyList = z.custom<readonly unknown[]>((value) => Array.isArray(value));

const pageSchema = z.object({
  count: z.int().min(0).nullish(),
  next: z.string().nullish(),
  results: anyList,
});
type Page = z.output<typeof pageSchema>;

export interface MemberPagesConfig {
  /** `DJANGO_BASE_URL`, which the `next` links must stay on. */
  readonly baseUrl: string;
  /** For one page with its retries, in milliseconds. */
  readonly deadlineMs?: number | undefined;
  /** Asked of each page besides its place. */
  readonly query?: PageQuery;
}

/**
 * `GET /api/members/`, page after page. While one is worked on the next is fetched, so two are in memory at most.
 *
 * Throws what RegistryHttp throws; `registry_invalid_response` for mistakes of paging (a page or a member that
 * comes twice, links in a circle, an empty page in the middle, a total that shrinks while it is read, more members
 * than the total); `incomplete_export` when fewer came. An answer with `results` alone is one whole page.
 */
export const makeMemberPages = (
  http: Pick<RegistryHttp, 'getJson'>,
  { baseUrl, ...config }: MemberPagesConfig,
): MemberPages => ({
  pages: (options) => walk(http, new URL(baseUrl), config, options),
});

async function* walk(
  http: Pick<RegistryHttp, 'getJson'>,
  base: URL,
  { deadlineMs, query: asked = {} }: Omit<MemberPagesConfig, 'baseUrl'>,
  { signal, pageSize = PAGE_SIZE, modifiedSince }: MemberPagesOptions,
): AsyncGenerator<MemberPage> {
  const left = new AbortController();
  const stop = AbortSignal.any([signal, left.signal]);
  const fetchPage = (query: PageQuery): Promise<Page> => {
    const page = http.getJson(PAGES_ROUTE, pageSchema, { query, signal: stop, deadlineMs });
    // Nobody waits for a page that was fetched ahead when the walk ends early.
    page.catch(() => undefined);
    return page;
  };
  const checks = makePageChecks();
  let ahead: Promise<Page> | null = fetchPage({
    ...asked,
    page: '1',
    page_size: String(pageSize),
    ...(modifiedSince === undefined ? {} : { modified_since: modifiedSince.toISOString() }),
  });
  try {
    while (ahead !== null) {
      const { count = null, next = null, results }: Page = await ahead;
      const query: PageQuery | null = next === null || next === '' ? null : parseNextPage(next, base);
      assertPageFits(checks, { count, members: results, next: query });
      ahead = query === null ? null : fetchPage(query);
      yield { members: results, count };
    }
    assertWhole(checks);
  } finally {
    left.abort(invalidAnswer(`GET ${PAGES_ROUTE}`, 'the pages were not read to the end'));
  }
}
