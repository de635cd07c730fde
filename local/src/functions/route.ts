import type { FunctionEndpoint } from './endpoint.ts';

/** The path under which an event is handed over for delivery with production's retries. */
export const EVENTS_PREFIX = '/_events/';

export type Route =
  | { readonly kind: 'function'; readonly name: string; readonly region: string; readonly url: string }
  | { readonly kind: 'event'; readonly name: string }
  | { readonly kind: 'none' };

/**
 * Resolves a request's URL. A function is at `/<project>/<region>/<name>[/rest][?query]` and sees only
 * `/rest?query`, as on Cloud Run. A scheduled function also answers to `<name>-0`, which is what the official
 * Functions emulator calls it.
 */
export function routeOf(url: string, projectId: string, endpoints: readonly FunctionEndpoint[]): Route {
  const [path = '/', query] = splitOnce(url, '?');
  if (path.startsWith(EVENTS_PREFIX)) return { kind: 'event', name: path.slice(EVENTS_PREFIX.length) };
  const [, project, region, name, ...rest] = path.split('/');
  if (project !== projectId || region === undefined || name === undefined) return { kind: 'none' };
  const endpoint = endpoints.find(
    (candidate) => answersTo(candidate, name) && candidate.regions.includes(region),
  );
  if (endpoint === undefined) return { kind: 'none' };
  const relative = `/${rest.join('/')}${query === undefined ? '' : `?${query}`}`;
  return { kind: 'function', name: endpoint.name, region, url: relative };
}

function answersTo(endpoint: FunctionEndpoint, name: string): boolean {
  return endpoint.name === name || (endpoint.kind === 'schedule' && `${endpoint.name}-0` === name);
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
