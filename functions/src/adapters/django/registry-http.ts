import type { ZodType } from 'zod';
import { asSyncError, type ErrorCode, isSyncError, type SyncError } from '../../lib/errors.ts';
import { type RetryClock, type RetryPolicy, systemClock, withRetry } from '../../lib/retry.ts';
import { buildUrl, parseBaseUrl, type RoutePart } from './base-url.ts';
import { exchange } from './exchange.ts';
import {
  afterAttempts,
  askedDelayMs,
  isRetriedInFetch,
  networkFailure,
  statusFailure,
  tooSlow,
} from './failures.ts';
import { isAgreedRefusal, parseAnswer, parseJson } from './parse-answer.ts';
import { makePool } from './pool.ts';
import { makeTimeLimit, orAborted } from './time-limit.ts';
import { type HeldToken, makeTokenKeeper, type TokenSource } from './token.ts';

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
