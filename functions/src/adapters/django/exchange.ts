import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  brotliDecompressSync,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  gunzipSync,
  inflateSync,
} from 'node:zlib';
import type { Dispatcher } from 'undici';
import type { ZodType } from 'zod';
import { isSyncError, type SyncError } from '../../lib/errors.ts';
import { brokenOff, invalidAnswer, redirectFailure, statusFailure, tooLarge } from './failures.ts';

export interface ExchangeRequest {
  /** Method and route, for messages. */
  readonly where: string;
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly authorization: string;
  readonly body: string | undefined;
  readonly signal: AbortSignal;
  readonly maxBytes: number;
  readonly nowMs: number;
  /** Whether a 404 is an answer to read, since it may be the API's own word. */
  readonly takesNotFound: boolean;
}

const MAX_REDIRECTS = 3;
const REDIRECT_STATUSES = new Set([301, 302, 303, 307, 308]);
const SUCCESS_STATUSES = new Set([200, 201, 203]);

/**
 * One request and its complete answer. Redirects (a missing slash, a moved path) are followed for GET and on the same
 * origin only, which also keeps the token there and rules out https to http.
 * @throws SyncError by status; otherwise what undici or the body's stream threw.
 */
export const exchange = async (dispatcher: Dispatcher, request: ExchangeRequest): Promise<Answer> => {
  const { where, method, maxBytes } = request;
  let url = request.url;
  let redirectStatus: number | null = null;
  for (let redirects = 0; ; redirects += 1) {
    const { statusCode, headers, body } = await dispatcher.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method,
      headers: {
        accept: 'application/json',
        'accept-encoding': 'gzip, br',
        authorization: request.authorization,
        'user-agent': 'ekklesia-membership-sync',
        ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: request.body ?? null,
      signal: request.signal,
    });
    if (SUCCESS_STATUSES.has(statusCode) || (statusCode === 404 && request.takesNotFound)) {
      const encoding = asText(headers['content-encoding']);
      const text = await readBody(where, body, encoding, maxBytes);
      const isDelimited = 'content-length' in headers || 'transfer-encoding' in headers;
      const contentType = asText(headers['content-type']) ?? '';
      return { status: statusCode, text, contentType, isDelimited, redirectStatus };
    }
    discardBody(body);
    if (!REDIRECT_STATUSES.has(statusCode)) {
      throw statusFailure(where, statusCode, asText(headers['retry-after']), request.nowMs);
    }
    if (method !== 'GET') throw redirectFailure(where, statusCode, 'a request that changes something');
    if (redirects >= MAX_REDIRECTS) throw redirectFailure(where, statusCode, 'again and again');
    const location = asText(headers['location']) ?? '';
    const target = location === '' ? null : URL.parse(location, url.href);
    if (target === null) throw redirectFailure(where, statusCode, 'without an address');
    if (target.origin !== url.origin) throw redirectFailure(where, statusCode, 'to another origin');
    url = target;
    redirectStatus ??= statusCode;
  }
};

/** A header that came more than once is joined; none of the values used here can be read then, so none is half believed. */
const asText = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header.join(', ') : header;

type Body = Dispatcher.ResponseData['body'];

const DISCARD_BYTES = 64 * 1024;
const DISCARD_MS = 1_000;

/** Codings that `accept-encoding` asks for, or that servers send unasked. */
const DECODERS: Readonly<Record<string, Decoder>> = {
  gzip: { stream: createGunzip, whole: gunzipSync },
  'x-gzip': { stream: createGunzip, whole: gunzipSync },
  deflate: { stream: createInflate, whole: inflateSync },
  br: { stream: createBrotliDecompress, whole: brotliDecompressSync },
};

interface Decoder {
  readonly stream: () => Transform;
  readonly whole: (bytes: Buffer, options: { readonly maxOutputLength: number }) => Buffer;
}

/** What is shorter on the wire is decompressed at once, when it is there: the streams of zlib take two turns of a thread for it. */
const SHORT_BYTES = 64 * 1024;

/**
 * The whole body as text, decompressed; null when it is not UTF-8. Decoded as it comes: the bytes of a list of a million,
 * once more as a whole, would count against the function's memory. Bytes are counted as they leave the decompressor, so
 * that a few kilobytes which unpack to gigabytes end at the limit; the pool counts those on the wire.
 * @throws SyncError `registry_too_large`, `registry_invalid_response` (a coding that we do not know); otherwise what
 *   the socket or zlib threw.
 */
const readBody = async (
  where: string,
  body: Body,
  encoding: string | undefined,
  maxBytes: number,
): Promise<string | null> => {
  const collect = async (chunks: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<string | null> => {
    const decode = makeTextDecoder();
    let text: string | null = '';
    let bytes = 0;
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw tooLarge(where, maxBytes);
      const decoded: string | null = text === null ? null : decode(chunk);
      text = decoded === null ? null : text + decoded;
    }
    const rest = text === null ? null : decode();
    return rest === null ? null : text + rest;
  };
  const coding = encoding?.trim().toLowerCase() ?? '';
  if (coding === '' || coding === 'identity') return await pipeline(body, collect);
  const decoder = Object.hasOwn(DECODERS, coding) ? DECODERS[coding] : undefined;
  if (decoder === undefined) {
    discardBody(body);
    throw invalidAnswer(where, 'the body has a content-encoding that was not asked for');
  }
  const { start, rest } = await readStart(body);
  if (rest !== null) return await pipeline(rest, decoder.stream(), collect);
  try {
    return await collect([decoder.whole(start, { maxOutputLength: maxBytes })]);
  } catch (cause) {
    throw (cause as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(where, maxBytes) : cause;
  }
};

/** A short body; of a longer one all of it again, as it comes. */
const readStart = async (body: Body): Promise<{ start: Buffer; rest: AsyncIterable<Buffer> | null }> => {
  const chunks: Buffer[] = [];
  const iterator = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  for (let bytes = 0; bytes <= SHORT_BYTES; ) {
    const { done, value } = await iterator.next();
    if (done === true) return { start: Buffer.concat(chunks), rest: null };
    chunks.push(value);
    bytes += value.length;
  }
  async function* all() {
    try {
      yield* chunks.splice(0);
      yield* { [Symbol.asyncIterator]: () => iterator };
    } finally {
      // Whoever stops in the first of it, a bomb's reader for one, would leave the rest on its connection.
      body.destroy();
    }
  }
  return { start: Buffer.alloc(0), rest: all() };
};

/** Decodes piece by piece; without a piece it ends the text. Null once it is not UTF-8. */
const makeTextDecoder = (): ((chunk?: Buffer) => string | null) => {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  return (chunk) => {
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
    } catch {
      return null;
    }
  };
};

/** The rest of a body that nobody reads. A short one is drained, so that its connection can be used again. */
const discardBody = (body: Body): void => {
  // Whatever happens to it says nothing about the answer, which is known by its status.
  body.dump({ limit: DISCARD_BYTES, signal: AbortSignal.timeout(DISCARD_MS) }).catch(() => undefined);
};

interface Answer {
  readonly status: number;
  /** Null for a body that is not UTF-8. */
  readonly text: string | null;
  readonly contentType: string;
  /** Whether the answer says where it ends; otherwise a lost connection looks like its end. */
  readonly isDelimited: boolean;
  /** The status of the first redirect that was followed to it, null when it came directly. */
  readonly redirectStatus: number | null;
}

/**
 * A body as JSON. The parser's error quotes what it read, so neither its text nor the error itself (as a `cause`)
 * leaves this file.
 * @throws SyncError `registry_invalid_response`; `registry_rejected` for a web page at the end of a redirect, which is
 *   a login page; `registry_unreachable` for a part of an answer that does not say where it ends.
 */
export const parseJson = (where: string, answer: Answer): unknown => {
  const { text } = answer;
  if (text === null) throw invalidAnswer(where, 'the body is not UTF-8');
  try {
    return JSON.parse(text);
  } catch {
    if (isHtml(answer.contentType, text)) {
      if (answer.redirectStatus === null) throw invalidAnswer(where, 'the registry answered HTML, not JSON');
      throw redirectFailure(where, answer.redirectStatus, 'to a web page, probably a login page');
    }
    if (!answer.isDelimited) throw brokenOff(where);
    if (text.trim() === '') throw invalidAnswer(where, 'the body is empty');
    throw invalidAnswer(where, 'the body is not JSON, or only a part of it');
  }
};

/**
 * JSON as what its schema describes.
 * @throws SyncError `registry_invalid_response` naming the path of the first fault and what was expected there, never
 *   the value (which the schema's own error quotes).
 */
export const parseAnswer = <T>(where: string, value: unknown, schema: ZodType<T>): T => {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue === undefined ? 'the answer' : pathOf(issue.path);
  throw invalidAnswer(where, `${path} ${expectationOf(issue)}`, { path });
};

/** Whether a refusal is the API's own word and not a proxy's, a framework's or a web page. Never throws. */
export const isAgreedRefusal = (answer: Answer, schema: ZodType): boolean => {
  try {
    return schema.safeParse(parseJson('', answer)).success;
  } catch {
    return false;
  }
};

const isHtml = (contentType: string, text: string): boolean =>
  /^\s*(text\/html|application\/xhtml)/i.test(contentType) || /^\s*</.test(text);

/** `kennitalas[17]`. A key that does not look like a field's name may be data: a map's keys are the registry's. */
const pathOf = (path: readonly PropertyKey[]): string =>
  path.reduce<string>((before, segment) => {
    if (typeof segment === 'number') return `${before}[${segment}]`;
    const name = typeof segment === 'string' && /^[a-z][a-z_]{0,39}$/i.test(segment) ? segment : '*';
    return before === '' ? name : `${before}.${name}`;
  }, '') || 'the answer';

const expectationOf = (issue: { code?: string; expected?: unknown } | undefined): string => {
  if (issue?.code === 'invalid_type') return `is missing or not of type ${String(issue.expected)}`;
  if (issue?.code === 'too_small' || issue?.code === 'too_big') return 'is out of range';
  return 'is not of the agreed form';
};

/** A signal whose reason is always a SyncError. `clear` must be called, or the timer lives on. */
interface TimeLimit {
  readonly signal: AbortSignal;
  readonly clear: () => void;
}

/**
 * Aborts with `whenOver` after `ms`, or earlier when the parent does: with the parent's reason if that is a SyncError.
 *
 * An own timer, since AbortSignal.timeout and AbortSignal.any keep timers and listeners until they fire, which adds up
 * where a warm process makes thousands of short requests under a limit of half a minute.
 */
export const makeTimeLimit = (ms: number, whenOver: SyncError, parent?: AbortSignal): TimeLimit => {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(whenOver), ms);
  const onParent = (): void => {
    controller.abort(isSyncError(parent?.reason) ? parent.reason : whenOver);
  };
  if (parent?.aborted === true) onParent();
  else parent?.addEventListener('abort', onParent, { once: true });
  return {
    signal: controller.signal,
    clear: () => {
      clearTimeout(timer);
      parent?.removeEventListener('abort', onParent);
    },
  };
};

/** Ends with the promise, or rejects with the signal's reason as soon as it aborts. */
export const orAborted = async <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> => {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
};
