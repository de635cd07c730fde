import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { ERROR_CODES, type ErrorCode, SyncError, stackFrames } from '../lib/errors.ts';
import { type LogSink, severityOfFault } from '../lib/log.ts';

/** An answer: always JSON, never cached. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: object;
}

const MAX_BODY_BYTES = 64 * 1024;

export const answerJson = (status: number, body: object): HttpAnswer => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8', ...NOT_CACHED },
  body,
});

/** A problem document: `type`, `title`, `status`, `code`, `detail`, and what else the caller needs to know. */
export const answerProblem = (code: ErrorCode, detail: string, extra: object = {}): HttpAnswer => {
  const { httpStatus, meaning, retryable } = ERROR_CODES[code];
  return {
    status: httpStatus,
    headers: {
      'content-type': 'application/problem+json; charset=utf-8',
      ...NOT_CACHED,
      ...(httpStatus === 401 ? { 'www-authenticate': 'Bearer' } : {}),
      ...(httpStatus === 405 ? { allow: 'POST' } : {}),
      ...(httpStatus === 503 && retryable ? { 'retry-after': '60' } : {}),
    },
    body: { type: 'about:blank', title: meaning, status: httpStatus, code, detail, ...extra },
  };
};

const NOT_CACHED = { 'cache-control': 'no-store' };

/** A failure as a problem document, logged once. What is not named becomes a bare 500 with a reference that the log carries. */
export const answerFailure = (failure: SyncError, log: LogSink): HttpAnswer => {
  if (failure.code !== 'internal') {
    const severity = failure.httpStatus >= 500 ? severityOfFault(log, failure.code) : 'NOTICE';
    log(severity, `[HTTP] Refused: ${failure.code}`, {
      event: 'http_refused',
      code: failure.code,
    });
    return answerProblem(failure.code, failure.message);
  }
  const reference = randomUUID();
  const stack = stackFrames(failure);
  log(severityOfFault(log, stack), '[HTTP] Unexpected failure', { event: 'http_failed', reference, stack });
  return answerProblem('internal', 'Something failed here. Give the operator the reference.', { reference });
};

/** A JSON body under a schema; no bytes count as `{}`. Throws `invalid_request` that names the fields, never their values. */
export const parseBody = <Schema extends z.ZodType>(
  rawBody: Uint8Array | undefined,
  schema: Schema,
): z.output<Schema> => {
  const bytes = rawBody ?? new Uint8Array();
  if (bytes.byteLength > MAX_BODY_BYTES) {
    throw new SyncError('too_large', `The body is over ${MAX_BODY_BYTES} bytes.`);
  }
  return parseInput('body', bytes.byteLength === 0 ? {} : parseJson(bytes), schema);
};

/** What a caller sent, under a schema. Throws `invalid_request`. */
export const parseInput = <Schema extends z.ZodType>(
  what: 'body' | 'query' | 'path',
  input: unknown,
  schema: Schema,
): z.output<Schema> => {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw invalidRequest(what, parsed.error.issues);
};

/** The first faults of a request: where, and what belongs there. Never the value, and no name that the caller made up. */
export const invalidRequest = (
  what: string,
  issues: readonly {
    readonly code?: string | undefined;
    readonly path: PropertyKey[];
    readonly message: string;
  }[],
): SyncError => {
  const faults = issues.slice(0, 5).map(({ code, path, message }) => {
    const where = path.length === 0 ? what : path.map(String).join('.');
    return `${where}: ${code === 'unrecognized_keys' ? 'has a key that is not known here' : message}`;
  });
  return new SyncError('invalid_request', `The ${what} is not of the agreed form: ${faults.join('; ')}`);
};

const parseJson = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new SyncError('invalid_request', 'The body is not JSON.');
  }
};
