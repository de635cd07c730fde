import { randomUUID } from 'node:crypto';
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { asSyncError, ERROR_CODES, SyncError, stackFrames } from '../lib/errors.ts';
import { type LogSink, severityOfFault } from '../lib/log.ts';

/** An app of the Fetch API. It is given the body as the bytes that came, and answers its own failures. */
export interface FetchApp {
  fetch(request: Request): Response | Promise<Response>;
}

export interface FrontOptions {
  readonly maxBodyBytes: number;
  /** Made at the first request; may throw, for example `config_invalid`. */
  readonly app: () => FetchApp | Promise<FetchApp>;
  /** How this function tells a failure that came before its app, and logs it. */
  readonly toAnswer: (failure: SyncError) => Response | Promise<Response>;
}

/** `pass` hands the request on to the platform's own handling. */
type Listener = (request: IncomingMessage, response: ServerResponse, pass: () => void) => void;

/** What is still let in after a refusal, so that a sender who writes before it reads comes to the answer. */
const MAX_IGNORED_BYTES = 2 * 1024 * 1024;
/** For a request to arrive whole: a sender that trickles must not hold an instance. */
const ARRIVAL_LIMIT_MS = 30_000;

/** Requests that nobody has read before us. */
const untouched = new WeakSet<IncomingMessage>();

/**
 * Puts `listener` before whatever answers the requests of the **next** server that this process makes, which is the
 * platform's: `@google-cloud/functions-framework` loads the deployed module and makes its server afterwards, and so does
 * the Functions emulator. Both would parse a body before our code is called, of any size and encoding, and print
 * what they cannot parse.
 *
 * Should a platform make its server in another way, nothing is put before it, and `serveFront` refuses every request.
 */
export const takeNextServer = (listener: Listener): void => {
  const createServer = http.createServer;
  const createOwned = (...given: unknown[]): Server => {
    http.createServer = createServer;
    const server: Server = Reflect.apply(createServer, http, given);
    server.requestTimeout = ARRIVAL_LIMIT_MS;
    const emit = server.emit;
    // In `emit`, not among the listeners: those of the platform may be added before or after this.
    server.emit = (event: string | symbol, ...values: unknown[]): boolean => {
      if (event !== 'request' && event !== 'checkExpectation') {
        return Reflect.apply(emit, server, [event, ...values]);
      }
      const [request, response] = values as [IncomingMessage, ServerResponse];
      untouched.add(request);
      listener(request, response, () => Reflect.apply(emit, server, ['request', request, response]));
      return true;
    };
    // Without a listener Node answers such requests itself.
    server.on('checkExpectation', () => {});
    return server;
  };
  http.createServer = createOwned as typeof http.createServer;
};

/**
 * Serves one request of which nobody has read anything: refuses what no app of ours can want (415 encoded, 413 too large, as
 * soon as that is known; 400 a path with a bad escape), reads the body within the limit, and gives it to the app. Never throws.
 */
export const serveFront = async (
  request: IncomingMessage,
  response: ServerResponse,
  { maxBodyBytes, app, toAnswer }: FrontOptions,
): Promise<void> => {
  let answer: Response;
  try {
    if (!untouched.has(request)) {
      throw new SyncError(
        'front_missing',
        'The platform read this request before us, so it is not served. Deploy with the tested version of the functions framework.',
      );
    }
    const url = parseTarget(request.url ?? '/');
    const read = toFetchRequest(request, url, await readBody(request, maxBodyBytes));
    answer = await (await app()).fetch(read);
  } catch (cause) {
    // The sender went away: nobody is left to answer.
    if (request.destroyed && !request.complete) return;
    answer = await toAnswer(asSyncError(cause));
  }
  await send(answer, request, response);
};

const BASE = 'http://function.invalid';

/** The path and query of a request. A path that cannot be decoded is refused here; it is not quoted. */
const parseTarget = (target: string): URL => {
  const url = target.startsWith('/') ? URL.parse(BASE + target) : null;
  if (url === null || !isDecodable(url.pathname)) {
    throw new SyncError('invalid_request', 'The path is not a path, or has a bad escape in it.');
  }
  return url;
};

const isDecodable = (path: string): boolean => {
  try {
    // The result is looked at, since a bundler takes a call whose result is not for one without effect.
    return decodeURIComponent(path).length > 0;
  } catch {
    return false;
  }
};

/** Throws `unsupported_encoding`, and `too_large` before more than the limit is held. */
const readBody = async (request: IncomingMessage, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> => {
  const encoding = request.headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (encoding !== '' && encoding !== 'identity') {
    throw new SyncError('unsupported_encoding', 'Send the body as it is, without a Content-Encoding.');
  }
  const tooLarge = () => new SyncError('too_large', `The body is over ${maxBytes} bytes.`);
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let size = 0;
    const take = (chunk: Uint8Array): void => {
      size += chunk.byteLength;
      if (size <= maxBytes) {
        chunks.push(chunk);
        return;
      }
      request.off('data', take);
      request.pause();
      reject(tooLarge());
    };
    request.on('data', take);
    request.once('end', () => resolve(new Uint8Array(Buffer.concat(chunks))));
    request.once('error', reject);
    request.once('close', () => {
      // It closes after it was read whole, too, and then nobody waits for a failure to be made.
      if (!request.readableEnded) reject(new SyncError('invalid_request', 'The request ended half-way.'));
    });
  });
};

const toFetchRequest = (request: IncomingMessage, url: URL, body: Uint8Array<ArrayBuffer>): Request => {
  const { method = 'GET' } = request;
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  const hasBody = method !== 'GET' && method !== 'HEAD';
  try {
    return new Request(url, { method, headers, ...(hasBody && { body }) });
  } catch (cause) {
    // TRACE and CONNECT: the Fetch API does not know them.
    throw new SyncError('method_not_allowed', 'This method is not served.', { cause });
  }
};

const send = async (answer: Response, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const body = Buffer.from(await answer.arrayBuffer());
  if (!request.complete) ignoreRest(request);
  response.writeHead(answer.status, {
    ...Object.fromEntries(answer.headers),
    'content-length': body.byteLength,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
};

/**
 * Lets a little of the rest go, and then takes nothing more, since each chunk costs memory until it is collected. The
 * connection stays: closing it would reset it under a sender that has not read the answer yet. It ends with the sender,
 * or by the server's limit for a request to arrive.
 */
const ignoreRest = (request: IncomingMessage): void => {
  let ignored = 0;
  request.on('error', () => {});
  request.on('data', (chunk: Uint8Array) => {
    ignored += chunk.byteLength;
    if (ignored > MAX_IGNORED_BYTES) request.pause();
  });
  request.resume();
};

/** Makes a request one without a body, for a function that reads none; what comes all the same is let go unread. */
export const withoutBody = (request: IncomingMessage): void => {
  for (const name of ['content-length', 'transfer-encoding', 'content-encoding', 'content-type']) {
    delete request.headers[name];
  }
  request.url = '/';
};

/** @throws SyncError `invalid_request` for what is no JSON in UTF-8; nothing of it is quoted. */
export const parseJsonBody = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new SyncError('invalid_request', 'The body is not JSON.', { details: { path: 'body' } });
  }
};

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
