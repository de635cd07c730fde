import { isIPv4 } from 'node:net';
import { SyncError } from '../../lib/errors.ts';

export interface RoutePart {
  /** One value for each `:name` of the route. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
}

/**
 * The registry's address, such as `https://registry.example.is/felagar`, checked before anything is sent to it.
 * @throws SyncError `config_invalid`. The message never repeats the value, which may hold a password.
 */
export const parseBaseUrl = (text: string, allowInsecure = false): URL => {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw invalid('is not an address; write it like https://registry.example.is/felagar.');
  }
  if (url.username !== '' || url.password !== '') {
    throw invalid('holds a user name or password; the token comes from Secret Manager, so take them out.');
  }
  if (url.search !== '' || url.hash !== '') {
    throw invalid('ends in a query or a fragment; only a host and a path belong there.');
  }
  if (url.protocol === 'http:' && !allowInsecure && !isLoopback(url.hostname)) {
    throw invalid(
      'is plain http, which would send the token readable; use https (or, knowing this, set ALLOW_INSECURE_REGISTRY=true).',
    );
  }
  // A base without the last slash would lose its last path segment.
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
};

/**
 * The address of a route such as `/api/sync/member/:ssn/` below the base. Callers name the route and hand values over
 * apart from it, so that messages and logs, which show the route, cannot show a member's number.
 */
export const buildUrl = (base: URL, route: string, { params = {}, query = {} }: RoutePart): URL => {
  const path = route.replace(/:([a-z_]+)/gi, (_, name: string) => {
    const value = params[name];
    // An empty value or a dot segment would address another route.
    if (value === undefined || value === '' || /^\.{1,2}$/.test(value)) {
      throw new SyncError('internal', `${route}: no usable value was given for :${name}.`);
    }
    return encodeURIComponent(value);
  });
  const url = new URL(base);
  url.pathname = `${base.pathname}${path.replace(/^\//, '')}`;
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url;
};

const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || (isIPv4(hostname) && hostname.startsWith('127.'));

const invalid = (what: string): SyncError => new SyncError('config_invalid', `DJANGO_BASE_URL ${what}`);
