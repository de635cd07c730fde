import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { BucketSettings, ObjectVersion, SoftDeletedVersion } from './versions.ts';

/** A request as the routes see it, with its whole body. */
export interface ApiRequest {
  readonly method: string;
  /** Still percent-encoded, without the query: `a%2Fb` is one segment. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** An answer that is not sent yet: a fault can still replace it after the request took effect. */
export interface Reply {
  readonly status: number;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
}

/** A refusal in the form of the JSON API: an HTTP status, one machine-readable `reason`, and a sentence. */
export class ApiError extends Error {
  readonly status: number;
  readonly reason: string;
  readonly location: { locationType: string; location: string } | undefined;

  constructor(status: number, reason: string, message: string, location?: ApiError['location']) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.reason = reason;
    this.location = location;
  }
}

export const badRequest = (message: string): ApiError => new ApiError(400, 'invalid', message);

/** Says so rather than pretending: what this server does not simulate must never look like success. */
export const notSimulated = (what: string): ApiError =>
  new ApiError(501, 'notImplemented', `${what} is not simulated by the local Cloud Storage server.`);

export const jsonReply = (value: unknown, status = 200): Reply => ({
  status,
  headers: { 'content-type': 'application/json; charset=UTF-8' },
  body: JSON.stringify(value),
});

/** The error body of the JSON API (https://cloud.google.com/storage/docs/json_api/v1/status-codes). */
export const errorReply = (error: unknown): Reply => {
  const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
  const { status, message, reason, location } =
    error instanceof ApiError
      ? error
      : new ApiError(500, 'internalError', `The local Cloud Storage server failed${code}.`);
  const detail = { message, domain: 'global', reason, ...location };
  return jsonReply({ error: { code: status, message, errors: [detail] } }, status);
};

/** A `multipart/related` upload: the object's metadata as JSON, then its bytes. */
export interface MultipartUpload {
  readonly metadata: string;
  /** The second part's own type, if it names one. */
  readonly contentType: string | undefined;
  readonly media: Buffer;
}

/**
 * Reads the form of https://cloud.google.com/storage/docs/uploading-objects#uploading-an-object, RFC 2387 with two parts.
 * @throws ApiError 400, also when the body ends without its closing boundary: half an upload is no object
 */
export const parseMultipart = (contentType: string | undefined, body: Buffer): MultipartUpload => {
  const match = /^multipart\/related\b.*;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(
    contentType ?? '',
  );
  const boundary = match?.[1] ?? match?.[2];
  if (!boundary)
    throw badRequest('A multipart upload needs Content-Type: multipart/related with a boundary.');
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  // Every delimiter stands at the start of a line, the first one at the start of the body.
  const whole = Buffer.concat([Buffer.from('\r\n'), body]);
  const first = partAt(whole, 0, delimiter);
  const second = partAt(whole, first.end, delimiter);
  const closing = second.end + delimiter.length;
  if (whole.toString('latin1', closing, closing + 2) !== '--') {
    throw badRequest('Malformed multipart body: expected two parts.');
  }
  return {
    metadata: whole.toString('utf8', first.start, first.end),
    contentType: /^content-type:[ \t]*(.+?)[ \t]*$/im.exec(second.headers)?.[1],
    media: whole.subarray(second.start, second.end),
  };
};

const partAt = (whole: Buffer, at: number, delimiter: Buffer) => {
  const headersStart = at + delimiter.length;
  const headersEnd = whole.indexOf('\r\n\r\n', headersStart);
  const start = headersEnd + 4;
  const end = headersEnd < 0 ? -1 : whole.indexOf(delimiter, start);
  if (end < 0 || whole.indexOf(delimiter, at) !== at) {
    throw badRequest('Malformed multipart body: it ends before its closing boundary.');
  }
  return { headers: whole.toString('latin1', headersStart, headersEnd), start, end };
};

/**
 * `storage#object`, https://cloud.google.com/storage/docs/json_api/v1/objects#resource.
 * @param origin the server's own address, such as `http://127.0.0.1:9199`
 */
export const objectResource = (
  origin: string,
  bucket: string,
  name: string,
  version: ObjectVersion | SoftDeletedVersion,
): Readonly<Record<string, unknown>> => {
  const { attributes, metageneration, size, ...rest } = version;
  const at = `b/${bucket}/o/${encodeURIComponent(name)}`;
  return {
    kind: 'storage#object',
    id: `${bucket}/${name}/${version.generation}`,
    selfLink: `${origin}/storage/v1/${at}`,
    mediaLink: `${origin}/download/storage/v1/${at}?generation=${version.generation}&alt=media`,
    name,
    bucket,
    metageneration: String(metageneration),
    storageClass: 'STANDARD',
    size: String(size),
    etag: etagOf(version),
    ...rest,
    ...attributes,
  };
};

export const etagOf = ({ generation, metageneration }: ObjectVersion): string =>
  Buffer.from(`${generation}/${metageneration}`).toString('base64');

/** `storage#bucket`, https://cloud.google.com/storage/docs/json_api/v1/buckets#resource. */
export const bucketResource = (
  origin: string,
  bucket: { readonly name: string; settings(): BucketSettings },
): Readonly<Record<string, unknown>> => ({
  kind: 'storage#bucket',
  id: bucket.name,
  selfLink: `${origin}/storage/v1/b/${bucket.name}`,
  name: bucket.name,
  location: 'EUROPE-WEST1',
  locationType: 'region',
  storageClass: 'STANDARD',
  versioning: { enabled: true },
  ...bucket.settings(),
  metageneration: String(bucket.settings().metageneration),
});
