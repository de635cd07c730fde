import * as z from 'zod';
import { BUCKETS, DIGEST_SCHEME } from '../../domain/member/digest.ts';
import { isWire, numberIn } from '../../domain/member/wire.ts';
import { isSyncError, SyncError } from '../../lib/errors.ts';
import type { NoSums, RegistryDigests } from '../../proof/digest-ports.ts';
import type {
  ListSource,
  MemberPage,
  MemberPages,
  MemberPagesOptions,
  MemberReader,
} from '../../registry/ports.ts';
import { invalidAnswer } from './failures.ts';
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
  { signal, pageSize = PAGE_SIZE, modifiedSince, from }: MemberPagesOptions,
): AsyncGenerator<MemberPage> {
  const left = new AbortController();
  const stop = AbortSignal.any([signal, left.signal]);
  const fetchPage = (query: PageQuery): Promise<Page> => {
    const page = http.getJson(PAGES_ROUTE, pageSchema, { query, signal: stop, deadlineMs });
    // Nobody waits for a page that was fetched ahead when the walk ends early.
    page.catch(() => undefined);
    return page;
  };
  const checks = makePageChecks(from?.before ?? 0);
  let here: PageQuery = from?.query ?? {
    ...asked,
    page: '1',
    page_size: String(pageSize),
    ...(modifiedSince === undefined ? {} : { modified_since: modifiedSince.toISOString() }),
  };
  let ahead: Promise<Page> | null = fetchPage(here);
  try {
    while (ahead !== null) {
      const { count = null, next = null, results }: Page = await ahead;
      const query: PageQuery | null = next === null || next === '' ? null : parseNextPage(next, base);
      const place = { query: here, before: checks.received };
      assertPageFits(checks, { count, members: results, next: query });
      ahead = query === null ? null : fetchPage(query);
      here = query ?? here;
      yield { members: results, count, place };
    }
    assertWhole(checks);
  } finally {
    left.abort(invalidAnswer(`GET ${PAGES_ROUTE}`, 'the pages were not read to the end'));
  }
}

export type PageQuery = Readonly<Record<string, string>>;

const ROUTE = '/api/members/';

/**
 * The query of a `next` link; the request itself goes to our own address again. So a link can neither lead the token
 * to another server nor from https to http: behind a proxy that ends TLS, Django writes `http://` into its links
 * where it was not told better, and the scheme alone is therefore no reason to refuse one. Neither is a path that
 * lacks the prefix which the proxy takes off.
 *
 * @throws SyncError `registry_invalid_response` for another host, another route, or no address at all.
 */
const parseNextPage = (link: string, base: URL): PageQuery => {
  const url = URL.parse(link, new URL(`${base.pathname.replace(/\/$/, '')}${ROUTE}`, base).href);
  if (url === null) throw faulty('the link to the next page is no address');
  if (!/^https?:$/.test(url.protocol) || url.host !== base.host) {
    throw faulty('the link to the next page leads to another server');
  }
  if (!url.pathname.endsWith(ROUTE)) throw faulty('the link to the next page leads to another route');
  return Object.fromEntries(url.searchParams);
};

const faulty = (what: string) => invalidAnswer(`GET ${ROUTE}`, what);

/** What has been seen of one walk through the pages. */
interface PageChecks {
  /** Row numbers, or kennitalas as written where a member has no number. */
  readonly members: ReturnType<typeof makeNames>;
  readonly links: Set<string>;
  received: number;
  pages: number;
  count: number | null;
}

interface CheckedPage {
  readonly count: number | null;
  readonly members: readonly unknown[];
  readonly next: PageQuery | null;
}

const WHERE = 'GET /api/members/';

const makePageChecks = (before: number): PageChecks => ({
  members: makeNames(),
  links: new Set(),
  received: before,
  pages: 0,
  count: null,
});

/**
 * Pages are counted off by position, so a member who is created or deleted while they are read moves others over a
 * page's edge. Whatever shows that is refused: a whole second reading costs less than a member who is missed.
 * @throws SyncError `registry_invalid_response`
 */
const assertPageFits = (checks: PageChecks, { count, members, next }: CheckedPage): void => {
  checks.pages += 1;
  checks.received += members.length;
  if (count !== null && checks.count !== null && count < checks.count) {
    throw faultyPages('the total of members shrank while they were read', checks, { total: count });
  }
  checks.count = count ?? checks.count;
  noteMembers(checks, members);
  if (checks.count !== null && checks.received > checks.count) {
    throw faultyPages('there are more members on the pages than in all', checks, { total: checks.count });
  }
  if (next === null) return;
  if (members.length === 0) throw faultyPages('an empty page has a next one', checks);
  const link = new URLSearchParams({ ...next });
  link.sort();
  if (checks.links.has(link.toString()))
    throw faultyPages('the links to the next page go in a circle', checks);
  checks.links.add(link.toString());
};

/** @throws SyncError `incomplete_export` when fewer members came than the registry says it has. */
const assertWhole = ({ received, count, pages }: PageChecks): void => {
  if (count === null || received >= count) return;
  throw new SyncError(
    'incomplete_export',
    `The registry says it has ${count} members but sent ${received} on ${pages} pages. Nothing was changed. ` +
      'Look at the registry, then run again.',
    { details: { announced: count, received, pages } },
  );
};

const noteMembers = (checks: PageChecks, members: readonly unknown[]): void => {
  let repeated = 0;
  for (const member of members) {
    const name = nameOf(member);
    if (name === null) continue;
    if (!checks.members.add(name)) repeated += 1;
  }
  if (repeated === 0) return;
  throw repeated === members.length
    ? faultyPages('a page came twice', checks)
    : faultyPages(`${repeated} members came twice`, checks);
};

/** Row numbers up to it are held as bits, of which a million are an eighth of a megabyte. */
const MOST_BITS = 2 ** 26;

const makeNames = () => {
  let bits = new Uint8Array(1_024);
  const others = new Set<number | string>();
  return {
    /** False when it was there. */
    add: (name: number | string): boolean => {
      if (typeof name === 'string' || !Number.isInteger(name) || name < 0 || name >= MOST_BITS) {
        const size = others.size;
        return others.add(name).size > size;
      }
      const place = name >>> 3;
      const bit = 1 << (name & 7);
      if (place >= bits.length) {
        const larger = new Uint8Array(Math.max(place + 1, 2 * bits.length));
        larger.set(bits);
        bits = larger;
      }
      const isNew = ((bits[place] ?? 0) & bit) === 0;
      bits[place] = (bits[place] ?? 0) | bit;
      return isNew;
    },
  };
};

const nameOf = (member: unknown): number | string | null => {
  const id = isWire(member) ? member['id'] : null;
  return typeof id === 'number' || typeof id === 'string' ? id : numberIn(member);
};

const faultyPages = (what: string, checks: PageChecks, more: Record<string, number> = {}): SyncError =>
  invalidAnswer(WHERE, what, { page: checks.pages, received: checks.received, ...more });

const memberSchema = z.record(z.string(), z.unknown());

/**
 * How the API itself says that it has no such member. The 404 of a wrong base path, of a proxy or of the framework
 * (`{"detail": …}`) looks different, and must not pass for a deletion. Gateways say `{"error": "Not Found"}` too, with
 * the path beside it or without.
 */
const noSuchMember = z.strictObject({
  error: z
    .string()
    .refine((text) => !/^(404\W*)?((page|path|resource|route|url) )?not found\W*$/i.test(text)),
});

interface MemberReadConfig {
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

/**
 * Checked in place. `z.array(z.string())` would copy a list of a million entries, and collect a million issues for
 * a list of a million wrong ones.
 */
const stringListSchema = z.custom<string[]>().superRefine((value: unknown, context) => {
  if (!Array.isArray(value)) {
    context.addIssue({ code: 'invalid_type', expected: 'array' });
    return;
  }
  const fault = value.findIndex((entry) => typeof entry !== 'string');
  if (fault >= 0) context.addIssue({ code: 'invalid_type', expected: 'string', path: [fault] });
});

const exportSchema = z.object({
  count: z.int().min(0),
  kennitalas: stringListSchema,
  // It is recorded and published with the list, so it must be a time and nothing else. Without an offset it is read
  // as UTC, which is Iceland's time all year.
  exported_at: z.iso.datetime({ offset: true, local: true }).nullish(),
});

interface ListExportOptions {
  /** For the whole fetch with its retries, below the time limit of the function that runs it. */
  readonly deadlineMs?: number | undefined;
}

/**
 * `GET /api/members/kennitalas/`. Errors: those of RegistryHttp. An empty list, or one shorter than its count, is an
 * answer here; the roster decides what it means.
 */
export const makeListExport = (
  http: Pick<RegistryHttp, 'getJson'>,
  { deadlineMs }: ListExportOptions = {},
): ListSource => ({
  fetchKennitalaExport: async ({ signal }) => {
    const answer = await http.getJson('/api/members/kennitalas/', exportSchema, { signal, deadlineMs });
    return { count: answer.count, kennitalas: answer.kennitalas, exportedAt: answer.exported_at ?? null };
  },
});

const DIGESTS_ROUTE = '/api/sync/digests/';
const MAX_WORD = 0xffff_ffff;

const sum = z.int().nonnegative();
const sumsAnswer = z.object({
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
      const { newest_version, buckets } = await http.getJson(DIGESTS_ROUTE, sumsAnswer, {
        signal,
        deadlineMs: config.deadlineMs,
      });
      for (const [place, row] of buckets.entries()) {
        if (row.bucket !== place) throw faultySums('the buckets are not in order');
        if ([row.a, row.b, row.ka, row.kb].some((value) => value > row.count * MAX_WORD)) {
          throw faultySums('a sum is larger than its members can make it');
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

const faultySums = (what: string) => invalidAnswer(`GET ${DIGESTS_ROUTE}`, what);
