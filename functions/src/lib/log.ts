import type { ErrorCode } from './errors.ts';

export type Severity = 'DEBUG' | 'INFO' | 'NOTICE' | 'WARNING' | 'ERROR';

/** Non-personal facts: ids of runs, counts, codes, durations. */
export type LogFields = Readonly<
  Record<string, string | number | boolean | null | undefined | readonly (string | number)[]>
>;

/**
 * Where log entries go: one structured entry a call. Called only by the named functions of a feature's log file,
 * so that every message and every field that can reach a log stands in a few files, and none can carry personal data.
 */
export type LogSink = (severity: Severity, message: string, fields: LogFields) => void;

/** How long a fault that has been told as an ERROR is repeated as a WARNING only. */
const FAULT_TOLD_MS = 10 * 60_000;
const faultsTold = new WeakMap<LogSink, Map<string, number>>();

/**
 * The severity of a fault that any caller can set off again, known or not, as while a setting is wrong or a secret out of
 * reach: an ERROR once in ten minutes for each cause and process, so that strangers cannot fill the log with errors and the
 * fault still shows while it lasts. Every entry is written; the repeated ones are warnings.
 */
export const severityOfFault = (log: LogSink, cause: string): 'ERROR' | 'WARNING' => {
  const told = faultsTold.get(log) ?? new Map<string, number>();
  faultsTold.set(log, told);
  const now = Date.now();
  if (now - (told.get(cause) ?? Number.NEGATIVE_INFINITY) < FAULT_TOLD_MS) return 'WARNING';
  told.set(cause, now);
  return 'ERROR';
};

/** `1 member`, `2 members`: a number with its noun, for messages that people read. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;

export interface RegistryRetry {
  /** A path template: it holds no values. */
  readonly route: string;
  readonly attempt: number;
  readonly code: ErrorCode;
  readonly delayMs: number;
}

export const logRegistryRetry =
  (log: LogSink) =>
  ({ route, attempt, code, delayMs }: RegistryRetry): void =>
    log('WARNING', `[REGISTRY] Attempt ${attempt} failed: ${code}; next in ${delayMs} ms`, {
      event: 'registry_retry',
      route,
      attempt,
      code,
      delayMs,
    });
