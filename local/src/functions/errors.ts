/**
 * Why the functions cannot be served:
 * - `module_missing`: the built module is not there;
 * - `load_failed`: it threw while it was imported, or exports no function;
 * - `port_in_use`: another process listens on the port;
 * - `ended`: the functions' process ended before it listened.
 */
export type FunctionsHostErrorCode = 'module_missing' | 'load_failed' | 'port_in_use' | 'ended';

/** A failure of the local host itself, never of a function; the message says what to do. */
export class FunctionsHostError extends Error {
  readonly code: FunctionsHostErrorCode;

  constructor(code: FunctionsHostErrorCode, message: string) {
    super(message);
    this.name = 'FunctionsHostError';
    this.code = code;
  }
}
