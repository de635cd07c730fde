import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Ends a request that its function has not answered in time, as Cloud Run does: the caller gets a 504,
 * the function's response goes nowhere, and the function itself is not stopped.
 */
export function limitTime(
  request: IncomingMessage,
  response: ServerResponse,
  limit: { readonly seconds: number; readonly onExceeded: () => void },
): void {
  const timer = setTimeout(() => {
    limit.onExceeded();
    // Past the response object, which the function may still write to at any time.
    if (response.headersSent) request.socket.destroy();
    else request.socket.end(GATEWAY_TIMEOUT, () => request.socket.destroy());
  }, limit.seconds * 1000);
  response.once('close', () => clearTimeout(timer));
}

const TEXT = 'upstream request timeout';
const GATEWAY_TIMEOUT = [
  'HTTP/1.1 504 Gateway Timeout',
  'Content-Type: text/plain',
  `Content-Length: ${TEXT.length}`,
  'Connection: close',
  '',
  TEXT,
].join('\r\n');
