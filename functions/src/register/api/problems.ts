import { randomUUID } from 'node:crypto';
import { HTTPException } from 'hono/http-exception';
import { answerProblem } from '../../http/problems.ts';
import { asSyncError, SyncError, stackFrames } from '../../lib/errors.ts';
import type { LogSink } from '../../lib/log.ts';

/**
 * A failure as a problem document with the request's id. What is not named is a bare 500 with a reference that the log
 * carries; Hono's own refusals are `too_large` and `invalid_request` (not JSON).
 */
export const toProblem = (cause: unknown, requestId: string, log: LogSink): Response => {
  const failure = cause instanceof HTTPException ? refusalOf(cause) : asSyncError(cause);
  if (failure.code !== 'internal') {
    const answer = answerProblem(failure.code, failure.message, { requestId });
    const { retryAfterSeconds } = failure.details;
    return new Response(JSON.stringify(answer.body), {
      status: answer.status,
      headers: {
        ...answer.headers,
        ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
      },
    });
  }
  const reference = randomUUID();
  log('ERROR', '[API] Unexpected failure', {
    event: 'api_failed',
    requestId,
    reference,
    stack: stackFrames(failure),
  });
  const detail = 'Something failed here. Give the operator the reference.';
  const answer = answerProblem('internal', detail, { requestId, reference });
  return new Response(JSON.stringify(answer.body), { status: answer.status, headers: { ...answer.headers } });
};

const refusalOf = (cause: HTTPException): SyncError =>
  cause.status === 413
    ? new SyncError('too_large', 'The body is over the limit.', { cause })
    : new SyncError('invalid_request', 'The body is not JSON.', { cause });
