import { randomUUID } from 'node:crypto';
import { ERROR_CODES, type SyncError, stackFrames } from '../lib/errors.ts';
import { type LogSink, severityOfFault } from '../lib/log.ts';

/** JSON that nobody keeps: answers hold what was true a moment ago, and some of them people. */
export const answerJson = (
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Response =>
  new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', ...headers },
  });

/**
 * A failure as a problem document (RFC 9457): `type`, `title`, `status`, `code`, `detail`, and `failure.answer` where the
 * caller is told more. It is logged once, here, unless what it answers is on record already. What is not named becomes
 * a bare 500 with a reference that the log carries.
 */
export const answerFailure = (
  failure: SyncError,
  log: LogSink,
  about: { readonly requestId?: string } = {},
): Response => {
  if (failure.answer !== undefined) return problem(failure, failure.message, { ...about, ...failure.answer });
  if (failure.code !== 'internal') {
    const severity = failure.httpStatus >= 500 ? severityOfFault(log, failure.code) : 'NOTICE';
    log(severity, `[HTTP] Refused: ${failure.code}`, {
      event: 'http_refused',
      code: failure.code,
      ...about,
    });
    return problem(failure, failure.message, about);
  }
  const reference = randomUUID();
  const stack = stackFrames(failure);
  log(severityOfFault(log, stack), '[HTTP] Unexpected failure', {
    event: 'http_failed',
    reference,
    stack,
    ...about,
  });
  return problem(failure, 'Something failed here. Give the operator the reference.', { ...about, reference });
};

const problem = ({ code, details }: SyncError, detail: string, more: object): Response => {
  const { httpStatus: status, meaning, retryable } = ERROR_CODES[code];
  const { retryAfterSeconds = retryable && status === 503 ? 60 : null, allow = 'POST' } = details;
  return answerJson(
    status,
    { type: 'about:blank', title: meaning, status, code, detail, ...more },
    {
      'content-type': 'application/problem+json; charset=utf-8',
      ...(status === 401 && { 'www-authenticate': 'Bearer' }),
      ...(status === 405 && { allow: String(allow) }),
      ...(retryAfterSeconds !== null && { 'retry-after': String(retryAfterSeconds) }),
    },
  );
};
