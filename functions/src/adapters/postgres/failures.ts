import { type ErrorDetails, SyncError } from '../../lib/errors.ts';
import { backoffMs, type RetryClock, type RetryPolicy, systemClock } from '../../lib/retry.ts';

/** Short and often: the other transaction is done in moments. */
const AGAIN_SOON: RetryPolicy = { attempts: 5, baseDelayMs: 50, maxDelayMs: 2_000 };
/** The server restarts, fails over, or others hold all its connections. */
const AGAIN_LATER: RetryPolicy = { attempts: 4, baseDelayMs: 250, maxDelayMs: 5_000 };

/**
 * SQLSTATE codes after which the same transaction may succeed, and how it is tried again
 * (https://www.postgresql.org/docs/15/errcodes-appendix.html). Every other code is a refusal.
 */
export const RETRIED_STATES: Readonly<Record<string, RetryPolicy>> = {
  '40001': AGAIN_SOON, // serialization_failure
  '40P01': AGAIN_SOON, // deadlock_detected
  '55P03': AGAIN_SOON, // lock_not_available
  '57014': AGAIN_LATER, // query_canceled: a statement over its time limit
  '25P03': AGAIN_LATER, // idle_in_transaction_session_timeout
  '08000': AGAIN_LATER, // connection_exception
  '08001': AGAIN_LATER, // sqlclient_unable_to_establish_sqlconnection
  '08003': AGAIN_LATER, // connection_does_not_exist
  '08004': AGAIN_LATER, // sqlserver_rejected_establishment_of_sqlconnection
  '08006': AGAIN_LATER, // connection_failure
  '08P01': AGAIN_LATER, // protocol_violation: a pooler between us that restarts
  '53300': AGAIN_LATER, // too_many_connections
  '53400': AGAIN_LATER, // configuration_limit_exceeded
  '57P01': AGAIN_LATER, // admin_shutdown
  '57P02': AGAIN_LATER, // crash_shutdown
  '57P03': AGAIN_LATER, // cannot_connect_now
  '57P05': AGAIN_LATER, // idle_session_timeout
};

/** Refusals that an operator meets, with what to do. */
const REMEDIES: Readonly<Record<string, string>> = {
  '23503': 'A row of another table still points at the member. Let its service delete that row first.',
  '25006': 'The database is read-only. Point the connection at the primary, or end its read-only mode.',
  '28000': 'The database does not know this user. Create the IAM database user and grant it its roles.',
  '28P01': 'The password is wrong. Set DATABASE_URL anew.',
  '3D000': 'The database does not exist. Create it, or set DATABASE_NAME.',
  '42501': 'The user lacks a privilege. Grant it the roles of docs/deploy.md.',
  '53100': "The database's disk is full. Enlarge it.",
};

/** A table, column or function that is not there: the schema is not the one that this code was written for. */
const SCHEMA_STATES = new Set(['42P01', '42703', '42883', '3F000']);

const SQLSTATE = /^[0-9A-Z]{5}$/;

/**
 * Any error of the driver as a SyncError. Only its code is kept: PostgreSQL's messages quote values ("Key
 * (kennitala)=…"). An error without a code is a connection that was not made or was lost.
 */
export const databaseFailure = (what: string, cause: unknown): SyncError => {
  if (cause instanceof SyncError) return cause;
  const code = codeOf(cause);
  const details: ErrorDetails = code === null ? {} : { sqlState: code };
  if (code !== null && SQLSTATE.test(code) && RETRIED_STATES[code] === undefined) {
    if (SCHEMA_STATES.has(code)) {
      return new SyncError(
        'schema_outdated',
        `The database did not ${what}: its schema is not the one of this version (SQLSTATE ${code}). Run npm run migrate.`,
        { cause, details },
      );
    }
    const remedy = REMEDIES[code] ?? 'The runbook says what each SQLSTATE means.';
    return new SyncError('database_rejected', `The database did not ${what}: SQLSTATE ${code}. ${remedy}`, {
      cause,
      details,
    });
  }
  return new SyncError(
    'database_unavailable',
    `The database did not ${what}: ${code ?? 'the connection was lost or not made'}. Nothing is half written.`,
    { cause, details },
  );
};

/** How a failed transaction is tried again; null for one that is not. */
export const retryPolicyOf = (error: unknown): RetryPolicy | null => {
  if (!(error instanceof SyncError) || error.code !== 'database_unavailable') return null;
  return RETRIED_STATES[String(error.details['sqlState'])] ?? AGAIN_LATER;
};

const codeOf = (cause: unknown): string | null => {
  const code = (cause as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : null;
};

export interface RetriedOptions {
  readonly signal?: AbortSignal | undefined;
  /** At most so many tries, whatever the table of codes allows. */
  readonly attempts?: number | undefined;
  readonly clock?: RetryClock | undefined;
  readonly onRetry?: ((notice: { readonly attempt: number; readonly error: unknown }) => void) | undefined;
}

/**
 * Runs a whole transaction, and again by the table of codes when it could not be made. `work` must begin a new
 * transaction each time.
 */
export const retried = async <T>(work: () => Promise<T>, options: RetriedOptions = {}): Promise<T> => {
  const { attempts = Number.POSITIVE_INFINITY, signal, clock = systemClock, onRetry } = options;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const policy = retryPolicyOf(error);
      const tries = Math.min(policy?.attempts ?? 1, attempts);
      if (policy === null || attempt >= tries || signal?.aborted === true) throw error;
      onRetry?.({ attempt, error });
      await clock.sleep(backoffMs(policy, attempt, clock.random()), signal);
      if (isAborted(signal)) throw error;
    }
  }
};

/** A call, since the compiler believes that `aborted` keeps the value that it was tested for, over an await. */
const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted === true;
