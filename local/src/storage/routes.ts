import { ApiError, badRequest } from './errors.ts';
import type { Api, ApiRequest, Reply, Route } from './http.ts';
import { createBucket, deleteBucket, getBucket, listBuckets, patchBucket } from './routes-buckets.ts';
import { copyObject } from './routes-copies.ts';
import { downloadObject } from './routes-media.ts';
import { deleteObject, getObject, listObjects, patchObject, replaceAttributes } from './routes-objects.ts';
import { cancelResumable, continueResumable } from './routes-resumable.ts';
import { uploadObject } from './routes-uploads.ts';

/**
 * With `STORAGE_EMULATOR_HOST` the Node client leaves `/storage/v1` out of metadata calls and keeps it for
 * uploads; with `apiEndpoint`, and in other clients, it is always there. Both spellings are served.
 */
const ROUTES: readonly (readonly [method: string, pattern: RegExp, route: Route])[] = [
  ['POST', /^\/(?:resumable\/)?upload(?:\/storage\/v1)?\/b\/([^/]+)\/o$/, uploadObject],
  ['PUT', /^\/(?:resumable\/)?upload(?:\/storage\/v1)?\/b\/([^/]+)\/o$/, continueResumable],
  ['DELETE', /^\/(?:resumable\/)?upload(?:\/storage\/v1)?\/b\/([^/]+)\/o$/, cancelResumable],
  ['GET', /^(?:\/storage\/v1)?\/b$/, listBuckets],
  ['POST', /^(?:\/storage\/v1)?\/b$/, createBucket],
  ['GET', /^(?:\/storage\/v1)?\/b\/([^/]+)$/, getBucket],
  ['PATCH', /^(?:\/storage\/v1)?\/b\/([^/]+)$/, patchBucket],
  ['DELETE', /^(?:\/storage\/v1)?\/b\/([^/]+)$/, deleteBucket],
  ['GET', /^(?:\/storage\/v1)?\/b\/([^/]+)\/o$/, listObjects],
  ['GET', /^(?:(?:\/download)?\/storage\/v1)?\/b\/([^/]+)\/o\/([^/]+)$/, getObject],
  ['PATCH', /^(?:\/storage\/v1)?\/b\/([^/]+)\/o\/([^/]+)$/, patchObject],
  ['PUT', /^(?:\/storage\/v1)?\/b\/([^/]+)\/o\/([^/]+)$/, replaceAttributes],
  ['DELETE', /^(?:\/storage\/v1)?\/b\/([^/]+)\/o\/([^/]+)$/, deleteObject],
  [
    'POST',
    /^(?:\/storage\/v1)?\/b\/([^/]+)\/o\/([^/]+)\/(rewriteTo|copyTo)\/b\/([^/]+)\/o\/([^/]+)$/,
    copyObject,
  ],
  // The form of the XML API, which is also an object's public address.
  ['GET', /^\/(?!b\/|storage\/v1\/|upload\/|download\/)([^/]+)\/(.+)$/, downloadObject],
];

/** @throws ApiError 501 for calls that are not simulated (ACLs, IAM, compose, restoring, notifications, …) */
export async function dispatch(api: Api, request: ApiRequest): Promise<Reply> {
  // POST with this header is how clients behind narrow proxies send PATCH.
  const override = request.headers['x-http-method-override'];
  const method = typeof override === 'string' ? override : request.method;
  for (const [verb, pattern, route] of ROUTES) {
    // node:http leaves the body of an answer to HEAD out.
    if (verb !== (method === 'HEAD' ? 'GET' : method)) continue;
    const match = pattern.exec(request.path);
    if (match) return route(api, request, match.slice(1).map(decode));
  }
  throw new ApiError(501, 'notImplemented', 'This call is not simulated by the local Cloud Storage server.');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badRequest('Malformed percent-encoding in the path.');
  }
}
