import type { Dispatcher } from 'undici';
import { redirectFailure, statusFailure } from './failures.ts';
import type { Answer } from './parse-answer.ts';
import { discardBody, readBody } from './read-body.ts';

export interface ExchangeRequest {
  /** Method and route, for messages. */
  readonly where: string;
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly authorization: string;
  readonly body: string | undefined;
  readonly signal: AbortSignal;
  readonly maxBytes: number;
  readonly nowMs: number;
  /** Whether a 404 is an answer to read, since it may be the API's own word. */
  readonly takesNotFound: boolean;
}

const MAX_REDIRECTS = 3;
const REDIRECT_STATUSES = new Set([301, 302, 303, 307, 308]);
const SUCCESS_STATUSES = new Set([200, 201, 203]);

/**
 * One request and its complete answer. Redirects (a missing slash, a moved path) are followed for GET and on the same
 * origin only, which also keeps the token there and rules out https to http.
 * @throws SyncError by status; otherwise what undici or the body's stream threw.
 */
export const exchange = async (dispatcher: Dispatcher, request: ExchangeRequest): Promise<Answer> => {
  const { where, method, maxBytes } = request;
  let url = request.url;
  let redirectStatus: number | null = null;
  for (let redirects = 0; ; redirects += 1) {
    const { statusCode, headers, body } = await dispatcher.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method,
      headers: {
        accept: 'application/json',
        'accept-encoding': 'gzip, br',
        authorization: request.authorization,
        'user-agent': 'ekklesia-membership-sync',
        ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: request.body ?? null,
      signal: request.signal,
    });
    if (SUCCESS_STATUSES.has(statusCode) || (statusCode === 404 && request.takesNotFound)) {
      const encoding = asText(headers['content-encoding']);
      const text = await readBody(where, body, encoding, maxBytes);
      const isDelimited = 'content-length' in headers || 'transfer-encoding' in headers;
      const contentType = asText(headers['content-type']) ?? '';
      return { status: statusCode, text, contentType, isDelimited, redirectStatus };
    }
    discardBody(body);
    if (!REDIRECT_STATUSES.has(statusCode)) {
      throw statusFailure(where, statusCode, asText(headers['retry-after']), request.nowMs);
    }
    if (method !== 'GET') throw redirectFailure(where, statusCode, 'a request that changes something');
    if (redirects >= MAX_REDIRECTS) throw redirectFailure(where, statusCode, 'again and again');
    const location = asText(headers['location']) ?? '';
    const target = location === '' ? null : URL.parse(location, url.href);
    if (target === null) throw redirectFailure(where, statusCode, 'without an address');
    if (target.origin !== url.origin) throw redirectFailure(where, statusCode, 'to another origin');
    url = target;
    redirectStatus ??= statusCode;
  }
};

/** A header that came more than once is joined; none of the values used here can be read then, so none is half believed. */
const asText = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header.join(', ') : header;
