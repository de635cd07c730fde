import { type ServiceError, status } from '@grpc/grpc-js';

/** A refusal that a client sees with the code and the message given here. */
export class RpcError extends Error {
  readonly code: status;

  constructor(code: status, message: string) {
    super(message);
    this.name = 'RpcError';
    this.code = code;
  }
}

/** Keeps the code of our own and of the engine's errors; anything else is INTERNAL (13). */
export function toServiceError(error: unknown): Pick<ServiceError, 'code' | 'details'> & Error {
  const cause = error instanceof Error ? error : new Error(String(error));
  const code = 'code' in cause && typeof cause.code === 'number' ? cause.code : status.INTERNAL;
  return Object.assign(new Error(cause.message, { cause }), { code, details: cause.message });
}
