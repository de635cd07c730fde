import { asSyncError, type ErrorDetails, isSyncError, SyncError } from '../../lib/errors.ts';
import { tryRetryAfterMs } from '../../lib/retry.ts';

/** Statuses that may pass by themselves. Other 5xx (501, 505) say that they will not. */
const RETRIED_STATUSES = new Set([408, 429, 500, 502, 503, 504]);
/** Of all headers of an answer; Node's own limit. */
export const MAX_HEADER_BYTES = 16 * 1024;
const CLOSED = 'closed';

/**
 * A status that is no success, as an error. `where` is the method and the route. The body is not read: Django's error
 * pages quote the request and its data.
 */
export const statusFailure = (
  where: string,
  status: number,
  retryAfter: string | undefined,
  nowMs: number,
): SyncError => {
  const details: ErrorDetails = { status };
  if (status === 401 || status === 403) {
    return new SyncError(
      'registry_unauthorized',
      `${where}: the registry refused our token (${status}). Store a valid one in Secret Manager, and check the rights of its user and DJANGO_AUTH_SCHEME.`,
      { details },
    );
  }
  if (status >= 500 || RETRIED_STATUSES.has(status)) {
    const askedDelayMs = tryRetryAfterMs(retryAfter, nowMs);
    return new SyncError(
      'registry_unavailable',
      `${where}: the registry answered ${status}. It is overloaded or broken; its own log says why.`,
      { details: askedDelayMs === null ? details : { ...details, retryAfterMs: askedDelayMs } },
    );
  }
  if (status >= 300 && status < 400) return redirectFailure(where, status, 'without saying where');
  if (status >= 400) {
    return new SyncError(
      'registry_rejected',
      `${where}: the registry refused the request (${status}). Check the path in DJANGO_BASE_URL and that the registry serves this call.`,
      { details },
    );
  }
  return invalidAnswer(where, `the registry answered ${status}, which this call does not know`, details);
};

export const redirectFailure = (where: string, status: number, why: string): SyncError =>
  new SyncError(
    'registry_rejected',
    `${where}: the registry redirected (${status}) ${why}. Check DJANGO_BASE_URL (scheme, host, path), and that the token's user need not log in.`,
    { details: { status } },
  );

export const invalidAnswer = (where: string, what: string, details: ErrorDetails = {}): SyncError =>
  new SyncError(
    'registry_invalid_response',
    `${where}: ${what}. The registry and this project disagree on the format.`,
    { details },
  );

export const tooLarge = (where: string, maxBytes: number): SyncError =>
  new SyncError(
    'registry_too_large',
    `${where}: the registry's answer is over the limit of ${maxBytes} bytes. No member list is that long; look at what the registry serves.`,
    { details: { maxBytes } },
  );

export const tooSlow = (where: string, limitMs: number): SyncError =>
  new SyncError('registry_timeout', `${where}: the registry gave no complete answer within ${limitMs} ms.`, {
    details: { limitMs },
  });

/**
 * What undici, TLS, DNS, the socket or zlib threw, as an error of ours. The system's code goes into the details; only
 * an error that has one becomes the `cause`, since the HTTP parser's error carries the bytes that it could not read.
 */
export const networkFailure = (where: string, error: unknown, maxBytes: number): SyncError => {
  if (isSyncError(error)) return error;
  if (error instanceof Error && error.name === 'HTTPParserError') {
    // undici gives no code here; this is llhttp's reason for an end in the middle of an answer.
    if (error.message.includes('Invalid EOF state')) return brokenOff(where);
    return invalidAnswer(where, 'what answered does not speak HTTP/1.1');
  }
  const reason = codeOf(error);
  if (
    reason === null ||
    /^(ERR_INVALID_|ERR_ASSERTION|UND_ERR_INVALID_|UND_ERR_NOT_SUPPORTED)/.test(reason)
  ) {
    return asSyncError(error);
  }
  if (reason === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return tooLarge(where, maxBytes);
  if (reason === 'UND_ERR_HEADERS_OVERFLOW') return tooLarge(where, MAX_HEADER_BYTES);
  if (reason === 'Z_BUF_ERROR') return brokenOff(where);
  // ERR__ERROR_… is how Node spells the codes of brotli's decoder.
  if (/^(Z_|ERR_BROTLI_|ERR__ERROR_)/.test(reason)) {
    return invalidAnswer(where, 'the body is not compressed as its content-encoding says', { reason });
  }
  return unreachable(where, reason, error);
};

/** An answer of which only the beginning arrived. */
export const brokenOff = (where: string): SyncError => unreachable(where, 'broken off');

const unreachable = (where: string, reason: string, cause?: unknown): SyncError =>
  new SyncError(
    'registry_unreachable',
    `${where}: no connection to the registry, or it broke off (${reason}). Check DJANGO_BASE_URL, DNS, the firewall and the certificate.`,
    { cause, details: { reason } },
  );

export const closedClient = (): SyncError =>
  new SyncError('registry_unreachable', 'The registry client was closed while it was in use.', {
    details: { reason: CLOSED },
  });

/** Whether the same request may be sent again within one fetch. A secret's failure was already retried at its source. */
export const isRetriedInFetch = (error: unknown): boolean => {
  if (!isSyncError(error)) return false;
  if (error.code === 'registry_unavailable') return RETRIED_STATUSES.has(Number(error.details['status']));
  if (error.code === 'registry_unreachable') return error.details['reason'] !== CLOSED;
  return error.code === 'registry_timeout';
};

export const askedDelayMs = (error: unknown): number | null => {
  const asked = isSyncError(error) ? error.details['retryAfterMs'] : undefined;
  return typeof asked === 'number' ? asked : null;
};

/** The same error, saying how often it was tried. */
export const afterAttempts = (error: SyncError, attempts: number): SyncError =>
  attempts < 2
    ? error
    : new SyncError(error.code, `${error.message} (Tried ${attempts} times.)`, {
        cause: error.cause,
        details: { ...error.details, attempts },
      });

const codeOf = (error: unknown): string | null => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code) ? code : null;
};
