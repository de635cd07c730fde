import { invalidAnswer } from './failures.ts';

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
export const parseNextPage = (link: string, base: URL): PageQuery => {
  const url = URL.parse(link, new URL(`${base.pathname.replace(/\/$/, '')}${ROUTE}`, base).href);
  if (url === null) throw faulty('the link to the next page is no address');
  if (!/^https?:$/.test(url.protocol) || url.host !== base.host) {
    throw faulty('the link to the next page leads to another server');
  }
  if (!url.pathname.endsWith(ROUTE)) throw faulty('the link to the next page leads to another route');
  return Object.fromEntries(url.searchParams);
};

const faulty = (what: string) => invalidAnswer(`GET ${ROUTE}`, what);
