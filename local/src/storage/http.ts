import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { type JsonObject, parseJsonObject } from './attributes.ts';
import type { Buckets } from './buckets.ts';
import { badRequest } from './errors.ts';
import type { ObjectResource } from './resource.ts';
import type { UploadSessions } from './upload-sessions.ts';

const MAX_JSON_BYTES = 1 << 20;

/** A request as the routes see it. */
export interface ApiRequest {
  readonly method: string;
  /** Still percent-encoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Throws when the connection ends before the body does, so that a part is never taken for the whole. */
  readonly body: AsyncIterable<Buffer>;
}

/** An answer that is not sent yet: a fault can still replace it after the request took effect. */
export interface Reply {
  readonly status: number;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Readable;
}

export function jsonReply(value: unknown, status = 200, headers: OutgoingHttpHeaders = {}): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=UTF-8', ...headers },
    body: JSON.stringify(value),
  };
}

export const NO_CONTENT: Reply = { status: 204 };

/** @throws ApiError 400 */
export async function readJson(request: ApiRequest): Promise<JsonObject> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.byteLength;
    if (size > MAX_JSON_BYTES) throw badRequest('The JSON body is too large.');
    chunks.push(chunk);
  }
  return parseJsonObject(Buffer.concat(chunks).toString('utf8'));
}

/** What all routes work on. */
export interface Api {
  readonly buckets: Buckets;
  readonly sessions: UploadSessions;
  readonly origin: () => string;
  /** Never throws or rejects; an answer does not wait for it. */
  readonly finalized: (object: ObjectResource) => Promise<void>;
}

/** @param params the path's variables, percent-decoded */
export type Route = (api: Api, request: ApiRequest, params: readonly string[]) => Promise<Reply>;
