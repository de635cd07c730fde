import { open } from 'node:fs/promises';
import type { OutgoingHttpHeaders } from 'node:http';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { parseByteRange } from './byte-range.ts';
import { parseGeneration } from './generation-parameter.ts';
import type { Route } from './http.ts';
import type { ObjectVersion } from './object-record.ts';
import { assertPreconditions, parsePreconditions } from './preconditions.ts';
import { versionEtag } from './resource.ts';

const READ_BYTES = 1 << 20;

/**
 * An object's bytes. One that was stored compressed goes out compressed to a client that accepts gzip, and
 * decompressed (the whole of it, whatever range was asked) to one that does not, as in
 * https://cloud.google.com/storage/docs/transcoding.
 */
export const downloadObject: Route = async (api, request, [bucketName = '', name = '']) => {
  const bucket = await api.buckets.get(bucketName);
  const version = bucket.version(name, parseGeneration(request.query));
  assertPreconditions(parsePreconditions(request.query), version, 'read');

  const storedGzip = version.attributes.contentEncoding === 'gzip';
  const acceptsGzip = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  const noTransform = /\bno-transform\b/.test(version.attributes.cacheControl ?? '');
  const transcode = storedGzip && !acceptsGzip && !noTransform;
  const range = transcode ? null : parseByteRange(request.headers.range, version.size);

  // Opened before the answer begins: a version that is deleted meanwhile is still sent whole.
  const handle = await open(bucket.files.dataPath(version.generation), 'r');
  const bytes = handle.createReadStream({
    highWaterMark: READ_BYTES,
    ...(range ? { start: range.start, end: range.end } : {}),
  });
  const headers = mediaHeaders(version);
  if (transcode) {
    delete headers['content-encoding'];
    // A failure destroys the decompressed stream, which cuts the connection: the client sees no false end.
    return { status: 200, headers, body: pipeline(bytes, createGunzip(), () => {}) };
  }
  const length = range ? range.end - range.start + 1 : version.size;
  headers['content-length'] = length;
  if (range) headers['content-range'] = `bytes ${range.start}-${range.end}/${version.size}`;
  return { status: range ? 206 : 200, headers, body: bytes };
};

/** The Node client validates a download by `x-goog-hash`, and only if the stored encoding is told. */
function mediaHeaders(version: ObjectVersion): OutgoingHttpHeaders {
  const { attributes } = version;
  const headers: OutgoingHttpHeaders = {
    'content-type': attributes.contentType ?? 'application/octet-stream',
    'accept-ranges': 'bytes',
    etag: versionEtag(version),
    'last-modified': new Date(version.updated).toUTCString(),
    'cache-control': attributes.cacheControl ?? 'no-cache, no-store, max-age=0, must-revalidate',
    'x-goog-generation': version.generation,
    'x-goog-metageneration': String(version.metageneration),
    'x-goog-hash': `crc32c=${version.crc32c},md5=${version.md5Hash}`,
    'x-goog-storage-class': 'STANDARD',
    'x-goog-stored-content-encoding': attributes.contentEncoding ?? 'identity',
    'x-goog-stored-content-length': String(version.size),
  };
  if (attributes.contentEncoding) headers['content-encoding'] = attributes.contentEncoding;
  if (attributes.contentDisposition) headers['content-disposition'] = attributes.contentDisposition;
  if (attributes.contentLanguage) headers['content-language'] = attributes.contentLanguage;
  return headers;
}
