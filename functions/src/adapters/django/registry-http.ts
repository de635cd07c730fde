import { isIPv4 } from 'node:net';
import type { Dispatcher } from 'undici';
import type { ZodType } from 'zod';
import { asSyncError, type ErrorCode, isSyncError, SyncError } from '../../lib/errors.ts';
import { type RetryClock, type RetryPolicy, systemClock, withRetry } from '../../lib/retry.ts';
import { exchange, isAgreedRefusal, makeTimeLimit, orAborted, parseAnswer, parseJson } from './exchange.ts';
import {
  afterAttempts,
  askedDelayMs,
  closedClient,
  isRetriedInFetch,
  MAX_HEADER_BYTES,
  networkFailure,
  statusFailure,
  tooSlow,
} from './failures.ts';

export interface RegistryHttpOptions {
  /** `DJANGO_BASE_URL`; a path prefix is kept. */
  readonly baseUrl: string;
  readonly authScheme: 'Token' | 'Bearer';
  readonly token: TokenSource;
  /** One request: connection, headers and the whole body. Default 30 s. */
  readonly requestTimeoutMs?: number | undefined;
  /** One answer, on the wire and unpacked. Default 64 MiB. */
  readonly maxAnswerBytes?: number | undefined;
  /** Plain http to hosts other than this machine. */
  readonly allowInsecure?: boolean | undefined;
  readonly retry?: RetryPolicy | undefined;
  readonly log?: RegistryLog | undefined;
  /** Certificate authorities (PEM) to trust instead of the well-known ones. */
  readonly ca?: string | undefined;
  readonly clock?: RetryClock | undefined;
}

export interface RegistryLog {
  /** Before a wait, or (with 0) before the second try after a 401. All of it may be logged: a route holds no values. */
  readonly onRetry: (notice: { route: string; attempt: number; code: ErrorCode; delayMs: number }) => void;
}

export interface CallOptions extends RoutePart {
  /** For the call with all its tries, in milliseconds from now. Default 90 s. */
  readonly deadlineMs?: number | undefined;
  /** Ends the call as its deadline does, but with its own reason where that is a SyncError. */
  readonly signal?: AbortSignal | undefined;
}

export interface PostOptions extends CallOptions {
  /** Whether sending it twice does what sending it once does. Only then is it retried. */
  readonly idempotent?: boolean | undefined;
}

/** `route` is a path below the base URL, such as `/api/sync/member/:ssn/`; values go into `params` and `query`. */
export interface RegistryHttp {
  readonly getJson: <T>(route: string, schema: ZodType<T>, options?: CallOptions) => Promise<T>;
  /** The same, or null for a 404 whose body is `notFound`: how the API says that there is none. */
  readonly findJson: <T>(
    route: string,
    schema: ZodType<T>,
    options: CallOptions & { readonly notFound: ZodType },
  ) => Promise<T | null>;
  readonly postJson: <T>(
    route: string,
    body: unknown,
    schema: ZodType<T>,
    options?: PostOptions,
  ) => Promise<T>;
  /** Ends what is under way and closes the connections, for good. */
  readonly close: () => Promise<void>;
}

/** Below the 120 s of the function that has the shortest time. */
const DEFAULT_DEADLINE_MS = 90_000;
const DEFAULT_REQUEST_TIMEOUT_MS = 30_000;
const DEFAULT_MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const DEFAULT_RETRY: RetryPolicy = { baseDelayMs: 250, maxDelayMs: 10_000 };

interface Call extends PostOptions {
  readonly route: string;
  readonly method: 'GET' | 'POST';
  readonly body?: string;
  readonly notFound?: ZodType | undefined;
}

/** No JSON can be mistaken for it. */
const NOT_FOUND = Symbol('not found');

/**
 * JSON over HTTP to the registry. Nothing is loaded or opened before the first call.
 *
 * A call ends with the parsed answer or with one of `registry_unreachable`, `registry_timeout`,
 * `registry_unauthorized`, `registry_rejected`, `registry_unavailable`, `registry_invalid_response`,
 * `registry_too_large`, `secret_unavailable`. The first two, and the statuses 408, 429, 500, 502, 503 and 504, are
 * tried again until the deadline. Where the deadline cuts a try short, the failure before it is the call's error.
 *
 * @throws SyncError `config_invalid`, at once, for a base URL that cannot be used.
 */
export const makeRegistryHttp = (options: RegistryHttpOptions): RegistryHttp => {
  const base = parseBaseUrl(options.baseUrl, options.allowInsecure);
  const { requestTimeoutMs = DEFAULT_REQUEST_TIMEOUT_MS, maxAnswerBytes = DEFAULT_MAX_ANSWER_BYTES } =
    options;
  const { retry = DEFAULT_RETRY, clock = systemClock } = options;
  const pool = makePool({ maxAnswerBytes, ca: options.ca });
  const tokens = makeTokenKeeper(options.token);

  const send = async (call: Call, token: HeldToken, parent: AbortSignal): Promise<unknown> => {
    const where = `${call.method} ${call.route}`;
    const url = buildUrl(base, call.route, call);
    // Before the limit starts: loading undici in a cold start is not the registry's slowness.
    const dispatcher = await orAborted(pool.open(), parent);
    const limit = makeTimeLimit(requestTimeoutMs, tooSlow(where, requestTimeoutMs), parent);
    try {
      const answer = await exchange(dispatcher, {
        where,
        method: call.method,
        url,
        authorization: `${options.authScheme} ${token.text}`,
        body: call.body,
        signal: limit.signal,
        maxBytes: maxAnswerBytes,
        nowMs: clock.now(),
        takesNotFound: call.notFound !== undefined,
      });
      if (answer.status !== 404) return parseJson(where, answer);
      if (call.notFound !== undefined && isAgreedRefusal(answer, call.notFound)) return NOT_FOUND;
      throw statusFailure(where, answer.status, undefined, clock.now());
    } catch (error) {
      // After an abort, undici and the streams throw whatever the abort broke.
      throw limit.signal.aborted ? limit.signal.reason : networkFailure(where, error, maxAnswerBytes);
    } finally {
      limit.clear();
    }
  };

  const fetchJson = async (call: Call): Promise<unknown> => {
    const { method, route, deadlineMs = DEFAULT_DEADLINE_MS } = call;
    const deadlineAt = clock.now() + deadlineMs;
    const { signal, clear } = makeTimeLimit(
      deadlineMs,
      tooSlow(`${method} ${route}`, deadlineMs),
      call.signal,
    );
    let attempts = 0;
    let hasRenewed = false;
    let lastFailure: SyncError | undefined;

    const attempt = async (): Promise<unknown> => {
      attempts += 1;
      const token = await orAborted(tokens.current(), signal);
      try {
        return await send(call, token, signal);
      } catch (error) {
        if (hasRenewed || !isSyncError(error) || error.details['status'] !== 401) throw error;
        hasRenewed = true;
        options.log?.onRetry({ route, attempt: attempts, code: error.code, delayMs: 0 });
        attempts += 1;
        return await send(call, await orAborted(tokens.renew(token), signal), signal);
      }
    };

    try {
      return await withRetry(attempt, {
        policy: method === 'POST' && call.idempotent !== true ? { ...retry, attempts: 1 } : retry,
        isRetryable: isRetriedInFetch,
        askedDelayMs,
        deadlineAt,
        signal,
        clock,
        onRetry: ({ error, delayMs }) => {
          lastFailure = asSyncError(error);
          options.log?.onRetry({ route, attempt: attempts, code: lastFailure.code, delayMs });
        },
      });
    } catch (error) {
      if (isSyncError(call.signal?.reason)) throw call.signal.reason;
      const isCutShort = error === signal.reason;
      throw afterAttempts(asSyncError(isCutShort ? (lastFailure ?? error) : error), attempts);
    } finally {
      clear();
    }
  };

  return {
    getJson: async (route, schema, callOptions = {}) =>
      parseAnswer(`GET ${route}`, await fetchJson({ ...callOptions, route, method: 'GET' }), schema),
    findJson: async (route, schema, callOptions) => {
      const found = await fetchJson({ ...callOptions, route, method: 'GET' });
      return found === NOT_FOUND ? null : parseAnswer(`GET ${route}`, found, schema);
    },
    postJson: async (route, body, schema, callOptions = {}) => {
      const call: Call = { ...callOptions, route, method: 'POST', body: JSON.stringify(body) };
      return parseAnswer(`POST ${route}`, await fetchJson(call), schema);
    },
    close: pool.close,
  };
};

interface RoutePart {
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

/** Where the registry's token comes from. `drop` forgets a cached one, so that the next `read` asks again. */
export interface TokenSource {
  readonly read: () => Promise<string>;
  readonly drop: () => void;
}

/** A token, and the number of renewals before it was read. */
interface HeldToken {
  readonly text: string;
  readonly generation: number;
}

interface TokenKeeper {
  readonly current: () => Promise<HeldToken>;
  /** After a 401 for `refused`: reads the secret again, once for all requests that were sent with that token. */
  readonly renew: (refused: HeldToken) => Promise<HeldToken>;
}

/**
 * Requests that are under way together all meet the same 401. The generation tells a late one that the token has been
 * renewed since it was sent, even when the secret turned out unchanged, so that it does not renew it once more.
 */
const makeTokenKeeper = (source: TokenSource): TokenKeeper => {
  let generation = 0;
  const current = async (): Promise<HeldToken> => {
    const held = generation;
    return { text: asHeaderText(await source.read()), generation: held };
  };
  return {
    current,
    renew: async (refused) => {
      if (refused.generation === generation) {
        generation += 1;
        source.drop();
      }
      return await current();
    },
  };
};

const asHeaderText = (token: string): string => {
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new SyncError(
    'secret_unavailable',
    'The registry token holds characters that no header can carry (a line break or a space?); store it again.',
  );
};

interface PoolOptions {
  /** Of one answer, on the wire. */
  readonly maxAnswerBytes: number;
  /** Certificate authorities (PEM) to trust instead of the well-known ones. */
  readonly ca?: string | undefined;
}

/** Connections that stay open between requests. undici is loaded and the pool made at the first use. */
interface ConnectionPool {
  readonly open: () => Promise<Dispatcher>;
  /** Ends requests that are under way. Using it afterwards is refused, so that a retry cannot open it again. */
  readonly close: () => Promise<void>;
}

const CONNECT_TIMEOUT_MS = 10_000;

const makePool = ({ maxAnswerBytes, ca }: PoolOptions): ConnectionPool => {
  let opened: Promise<Dispatcher> | undefined;
  let isClosed = false;
  const openAgent = async (): Promise<Dispatcher> => {
    const { Agent } = await import('undici');
    return new Agent({
      // HTTP/1.1 is what each row of the table of answers is tested against.
      allowH2: false,
      maxHeaderSize: MAX_HEADER_BYTES,
      maxResponseSize: maxAnswerBytes,
      // The caller's time limit covers the whole request; these would be second, coarser ones.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: { timeout: CONNECT_TIMEOUT_MS, ...(ca === undefined ? {} : { ca }) },
    });
  };
  return {
    open: async () => {
      if (isClosed) throw closedClient();
      opened ??= openAgent();
      return await opened;
    },
    close: async () => {
      isClosed = true;
      await (await opened)?.destroy();
    },
  };
};
