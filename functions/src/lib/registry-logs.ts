import type { ErrorCode } from './errors.ts';
import type { LogSink } from './log.ts';

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
