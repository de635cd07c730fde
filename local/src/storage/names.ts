import { badRequest } from './errors.ts';

const MAX_OBJECT_NAME_BYTES = 1024;

/**
 * Rules of https://cloud.google.com/storage/docs/buckets#naming. They also keep the server's own folder
 * (`.versions`) and every path that would leave the directory from being a bucket.
 * @throws ApiError 400
 */
export function assertBucketName(name: string): void {
  if (!/^[a-z0-9](?:[a-z0-9_-]|\.(?!\.)){1,220}[a-z0-9]$/.test(name)) {
    throw badRequest(`Invalid bucket name: '${name}'`);
  }
}

/**
 * Rules of https://cloud.google.com/storage/docs/objects#naming. Names such as `../x` are allowed there, so
 * they are allowed here: an object's name is never used as a path (see view-path.ts).
 * @throws ApiError 400
 */
export function assertObjectName(name: string): void {
  const bytes = Buffer.byteLength(name);
  if (bytes === 0) throw badRequest('Required parameter: name');
  if (bytes > MAX_OBJECT_NAME_BYTES || /[\r\n]/.test(name) || name === '.' || name === '..') {
    throw badRequest(`Disallowed object name (${bytes} bytes).`);
  }
  if (name.startsWith('.well-known/acme-challenge/')) throw badRequest('Disallowed object name prefix.');
}
