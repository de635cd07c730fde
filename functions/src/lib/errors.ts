/**
 * Every failure that this project names, in one table: who may try again, what a caller over HTTP is told,
 * and what an operator does about it. The runbook has a section for each code, and a test proves it.
 *
 * Messages are built by our own code from counts, codes and paths of fields. They never quote what a member
 * or an upstream server wrote: an error leaves the process, so it must not carry personal data.
 */
export const ERROR_CODES = {
  registry_unreachable: { retryable: true, httpStatus: 503, meaning: 'no connection to the registry' },
  registry_timeout: { retryable: true, httpStatus: 503, meaning: 'the registry answered too slowly' },
  registry_unauthorized: { retryable: false, httpStatus: 503, meaning: 'the registry refused our token' },
  registry_rejected: { retryable: false, httpStatus: 503, meaning: 'the registry refused the request' },
  registry_unavailable: { retryable: true, httpStatus: 503, meaning: 'the registry is overloaded or broken' },
  registry_invalid_response: {
    retryable: false,
    httpStatus: 503,
    meaning: 'the registry answered something that is not the agreed format',
  },
  registry_too_large: {
    retryable: false,
    httpStatus: 503,
    meaning: 'the registry answered more than the limit',
  },
  empty_export: { retryable: false, httpStatus: 422, meaning: 'the export holds no member' },
  incomplete_export: {
    retryable: false,
    httpStatus: 422,
    meaning: 'the export holds fewer members than it says',
  },
  member_invalid: {
    retryable: false,
    httpStatus: 422,
    meaning: 'the registry sent a member that cannot be read',
  },
  guard_tripped: {
    retryable: false,
    httpStatus: 422,
    meaning: 'the plan would hurt, so nothing was changed',
  },
  plan_changed: {
    retryable: false,
    httpStatus: 409,
    meaning: 'what was approved is no longer what would happen',
  },
  second_person_needed: {
    retryable: false,
    httpStatus: 403,
    meaning: 'somebody else than who asked for the plan has to approve it',
  },
  storage_conflict: {
    retryable: true,
    httpStatus: 409,
    meaning: 'another writer changed the published list',
  },
  storage_unavailable: { retryable: true, httpStatus: 503, meaning: 'Cloud Storage did not answer' },
  storage_rejected: { retryable: false, httpStatus: 503, meaning: 'Cloud Storage refused the request' },
  audit_unavailable: {
    retryable: true,
    httpStatus: 503,
    meaning: 'Firestore did not take the record of the run',
  },
  store_unavailable: { retryable: true, httpStatus: 503, meaning: 'Firestore did not take the change' },
  database_unavailable: { retryable: true, httpStatus: 503, meaning: 'PostgreSQL did not answer' },
  database_rejected: { retryable: false, httpStatus: 503, meaning: 'PostgreSQL refused what was asked' },
  schema_outdated: {
    retryable: false,
    httpStatus: 503,
    meaning: 'the database has another schema than this code',
  },
  lease_held: { retryable: false, httpStatus: 409, meaning: 'another run of this mirror is under way' },
  paused: { retryable: false, httpStatus: 409, meaning: 'an operator has paused this mirror' },
  lease_lost: { retryable: true, httpStatus: 409, meaning: 'another run took over while this one worked' },
  already_done: { retryable: false, httpStatus: 409, meaning: 'this scheduled run has already been done' },
  abandoned: { retryable: true, httpStatus: 500, meaning: 'a run ended without closing its record' },
  deadline_exceeded: { retryable: true, httpStatus: 503, meaning: 'the run reached its time limit' },
  load_moved: {
    retryable: true,
    httpStatus: 503,
    meaning: 'the registry changed while a plan was applied over several runs',
  },
  still_a_member: { retryable: false, httpStatus: 409, meaning: 'the registry has this person as a member' },
  still_published: { retryable: false, httpStatus: 409, meaning: 'a mirror has this person as a member' },
  events_waiting: {
    retryable: true,
    httpStatus: 409,
    meaning: 'the registry has undelivered events about this person',
  },
  chain_broken: {
    retryable: false,
    httpStatus: 409,
    meaning: 'the record of runs and operators is not as it was written',
  },
  roll_unknown: {
    retryable: false,
    httpStatus: 404,
    meaning: 'which list was in force then is not known',
  },
  secret_unavailable: { retryable: true, httpStatus: 503, meaning: 'a secret could not be read' },
  config_invalid: { retryable: false, httpStatus: 500, meaning: 'a setting is missing or wrong' },
  invalid_request: { retryable: false, httpStatus: 400, meaning: 'the request is not of the agreed form' },
  unauthenticated: { retryable: false, httpStatus: 401, meaning: 'the caller did not prove who it is' },
  forbidden: { retryable: false, httpStatus: 403, meaning: 'the caller may not do this' },
  not_found: { retryable: false, httpStatus: 404, meaning: 'there is no such thing' },
  rate_limited: { retryable: true, httpStatus: 429, meaning: 'too many requests at once' },
  unsupported_encoding: {
    retryable: false,
    httpStatus: 415,
    meaning: 'the body came in an encoding that is not read here',
  },
  too_large: { retryable: false, httpStatus: 413, meaning: 'the request is over its size limit' },
  method_not_allowed: { retryable: false, httpStatus: 405, meaning: 'this method is not served' },
  front_missing: {
    retryable: false,
    httpStatus: 500,
    meaning: 'the platform reads requests before this project does',
  },
  internal: { retryable: false, httpStatus: 500, meaning: 'a fault in this project' },
} as const satisfies Record<string, { retryable: boolean; httpStatus: number; meaning: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Non-personal facts about a failure: counts, statuses, field paths. Logged and recorded as they stand. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null>>;

export interface SyncErrorOptions {
  readonly cause?: unknown;
  readonly details?: ErrorDetails;
  readonly answer?: object;
}

/**
 * The one error class. `message` says what failed, where, and what to do; it holds no personal data.
 * `cause` is for the debugger only: it is never logged or answered, since upstream errors quote their input.
 */
export class SyncError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  /** What an HTTP caller, who has proved who it is, is told besides: the record of the run that failed, say. Never logged. */
  readonly answer?: object;

  constructor(code: ErrorCode, message: string, options: SyncErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SyncError';
    this.code = code;
    this.details = options.details ?? {};
    if (options.answer !== undefined) this.answer = options.answer;
  }

  /** Whether the same call may succeed later with nothing changed on our side. */
  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }

  /** The status that an HTTP caller of ours is answered. */
  get httpStatus(): number {
    return ERROR_CODES[this.code].httpStatus;
  }
}

export const isSyncError = (error: unknown, code?: ErrorCode): error is SyncError =>
  error instanceof SyncError && (code === undefined || error.code === code);

/**
 * Any thrown value as a SyncError. What is not ours becomes `internal`: its class name is kept (it names the
 * fault), its message is not (it may quote data).
 */
export const asSyncError = (error: unknown): SyncError => {
  if (error instanceof SyncError) return error;
  const kind = error instanceof Error ? error.name : typeof error;
  return new SyncError('internal', `Unexpected ${kind}; the stack in the log says where.`, { cause: error });
};

/**
 * The stack without its first lines, which repeat the message: frames name files and lines only, so they can be
 * logged and recorded even for errors whose message quotes data. Empty when there is none.
 */
export const stackFrames = (error: unknown): string => {
  const root = error instanceof SyncError && error.code === 'internal' ? error.cause : error;
  const stack = root instanceof Error ? (root.stack ?? '') : '';
  return stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .map((line) => line.trim())
    .join('\n');
};
