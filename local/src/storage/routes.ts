import { z } from 'zod';
import type { Address, Bucket } from './bucket.ts';
import { type Checksums, checksumsOf } from './checksums.ts';
import type { ObjectAttributes } from './versions.ts';
import {
  type ApiRequest,
  badRequest,
  bucketResource,
  etagOf,
  jsonReply,
  notSimulated,
  objectResource,
  parseMultipart,
  type Reply,
} from './wire.ts';

/** What all routes work on. */
export interface Api {
  /** @throws ApiError 400, 404 */
  bucket(name: string): Promise<Bucket>;
  readonly origin: () => string;
}

/** @param object the object's name, percent-decoded; empty where the path has none */
type Route = (api: Api, request: ApiRequest, bucket: Bucket, object: string) => Promise<Reply> | Reply;

/**
 * With `STORAGE_EMULATOR_HOST` the Node client leaves `/storage/v1` out of metadata calls and keeps it for
 * uploads; with `apiEndpoint`, and in other clients, it is always there. Both spellings are served.
 */
const UPLOAD = /^\/upload(?:\/storage\/v1)?\/b\/([^/]+)\/o$/;
const BUCKET = /^(?:\/storage\/v1)?\/b\/([^/]+)$/;
const OBJECTS = /^(?:\/storage\/v1)?\/b\/([^/]+)\/o$/;
const OBJECT = /^(?:\/storage\/v1)?\/b\/([^/]+)\/o\/([^/]+)$/;

/** @throws ApiError, 501 for calls that are not simulated (resumable uploads, copies, ACLs, IAM, restoring, …) */
export const dispatch = async (api: Api, request: ApiRequest): Promise<Reply> => {
  for (const [method, pattern, route, parameters] of ROUTES) {
    const match = method === request.method ? pattern.exec(request.path) : null;
    if (!match) continue;
    const [bucket = '', object = ''] = match.slice(1).map(decode);
    for (const name of request.query.keys()) {
      // A condition or a page that is passed over would be an answer to another question.
      if (!parameters.includes(name)) throw notSimulated(`The parameter ${name}`);
    }
    return route(api, request, await api.bucket(bucket), object);
  }
  throw notSimulated('This call');
};

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badRequest('Malformed percent-encoding in the path.');
  }
};

const getBucket: Route = (api, _request, bucket) => jsonReply(bucketResource(api.origin(), bucket));

const bucketPatch = z.strictObject({
  softDeletePolicy: z.object({ retentionDurationSeconds: z.coerce.number().int() }),
});

const patchBucket: Route = async (api, request, bucket) => {
  const patch = bucketPatch.safeParse(parseJson(request.body.toString()));
  if (!patch.success) throw notSimulated('A change of a bucket other than of its soft delete policy');
  await bucket.keepSoftDeleted(patch.data.softDeletePolicy.retentionDurationSeconds);
  return jsonReply(bucketResource(api.origin(), bucket));
};

/** One page with everything. */
const listObjects: Route = (api, { query }, bucket) => {
  const versions = query.get('versions') === 'true';
  const softDeleted = query.get('softDeleted') === 'true';
  if (versions && softDeleted) throw badRequest('versions and softDeleted exclude each other.');
  const kind = versions ? 'versions' : softDeleted ? 'softDeleted' : 'live';
  return jsonReply({
    kind: 'storage#objects',
    items: bucket
      .list(kind, query.get('prefix') ?? '')
      .map(({ name, version }) => objectResource(api.origin(), bucket.name, name, version)),
  });
};

const getObject: Route = async (api, { query }, bucket, object) => {
  const address = addressOf(query, object);
  if (query.get('alt') !== 'media') {
    return jsonReply(objectResource(api.origin(), bucket.name, object, bucket.find(address)));
  }
  const { version, bytes } = await bucket.read(address);
  return {
    status: 200,
    headers: {
      'content-type': version.attributes.contentType ?? 'application/octet-stream',
      'content-length': bytes.byteLength,
      'cache-control': version.attributes.cacheControl ?? 'no-cache, no-store, max-age=0, must-revalidate',
      etag: etagOf(version),
      'x-goog-generation': version.generation,
      'x-goog-metageneration': String(version.metageneration),
      // The Node client validates a download by the hash, and only if the stored encoding is told.
      'x-goog-hash': `crc32c=${version.crc32c},md5=${version.md5Hash}`,
      'x-goog-stored-content-encoding': 'identity',
      'x-goog-stored-content-length': String(version.size),
    },
    body: bytes,
  };
};

/** `uploadType=multipart`, https://cloud.google.com/storage/docs/json_api/v1/objects/insert. */
const uploadObject: Route = async (api, { query, headers, body }, bucket) => {
  if (query.get('uploadType') !== 'multipart') throw notSimulated('An upload that is not multipart');
  const { metadata, contentType, media } = parseMultipart(headers['content-type'], body);
  const given = parse(upload, parseJson(metadata));
  const name = query.get('name') ?? given.name;
  if (name === undefined) throw badRequest('Required parameter: name');
  assertObjectName(name);
  assertHashes(checksumsOf(media), given);
  const version = await bucket.insert(
    addressOf(query, name),
    patchAttributes(contentType ? { contentType } : {}, given),
    media,
  );
  return jsonReply(objectResource(api.origin(), bucket.name, name, version));
};

const patchObject: Route = async (api, { query, body }, bucket, object) => {
  const patch = parse(attributes, parseJson(body.toString()));
  const version = await bucket.change(addressOf(query, object), (current) => patchAttributes(current, patch));
  return jsonReply(objectResource(api.origin(), bucket.name, object, version));
};

const deleteObject: Route = async (_api, { query }, bucket, object) => {
  await bucket.remove(addressOf(query, object));
  return { status: 204 };
};

const ADDRESS = ['generation', 'ifGenerationMatch'];

/** With every query parameter that a route understands. */
const ROUTES: readonly (readonly [string, RegExp, Route, readonly string[]])[] = [
  ['GET', BUCKET, getBucket, []],
  ['PATCH', BUCKET, patchBucket, []],
  ['GET', OBJECTS, listObjects, ['prefix', 'versions', 'softDeleted']],
  ['GET', OBJECT, getObject, [...ADDRESS, 'alt']],
  ['PATCH', OBJECT, patchObject, ADDRESS],
  ['DELETE', OBJECT, deleteObject, ADDRESS],
  ['POST', UPLOAD, uploadObject, ['uploadType', 'name', 'ifGenerationMatch']],
];

/** @throws ApiError 400 for a generation that is no number: taking it for "the live one" would address another version */
const addressOf = (query: URLSearchParams, name: string): Address => {
  const [generation, ifGeneration] = ADDRESS.map((parameter) => {
    const text = query.get(parameter);
    if (text === null) return null;
    if (!/^\d{1,19}$/.test(text)) throw badRequest(`Invalid value for ${parameter}`);
    return BigInt(text).toString();
  });
  return { name, generation: generation ?? null, ifGeneration: ifGeneration ?? null };
};

const text = z.string().nullish();
const attributes = z.object({
  contentType: text,
  cacheControl: text,
  customTime: text,
  metadata: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).nullable()).nullish(),
});
const upload = attributes.extend({
  name: z.string().optional(),
  md5Hash: z.string().optional(),
  crc32c: z.string().optional(),
  // It would be stored as it came and read as something else.
  contentEncoding: z.undefined().optional(),
});

/**
 * PATCH semantics of the JSON API: absent keeps, `null` deletes, and the keys of `metadata` are merged by the same rule one
 * level down.
 */
const patchAttributes = (current: ObjectAttributes, patch: z.output<typeof attributes>): ObjectAttributes => {
  const { contentType, cacheControl, customTime } = patch;
  const merged = mergeTexts({ ...current.metadata }, patch.metadata ?? {});
  const metadata = patch.metadata === null || Object.keys(merged).length === 0 ? {} : { metadata: merged };
  const { metadata: _, ...texts } = current;
  return { ...mergeTexts(texts, { contentType, cacheControl, customTime }), ...metadata };
};

const mergeTexts = (
  current: Readonly<Record<string, string>>,
  patch: Readonly<Record<string, string | number | boolean | null | undefined>>,
): Record<string, string> => {
  const merged = new Map(Object.entries(current));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else if (value !== undefined) merged.set(key, String(value));
  }
  return Object.fromEntries(merged);
};

/** What the client says that it sent must be what arrived. @throws ApiError 400 */
const assertHashes = (
  actual: Checksums,
  claimed: { readonly [K in keyof Checksums]?: string | undefined },
): void => {
  for (const name of ['md5Hash', 'crc32c'] as const) {
    const claim = claimed[name];
    if (claim === undefined || claim === actual[name]) continue;
    throw badRequest(`Provided ${name} "${claim}" doesn't match calculated ${name} "${actual[name]}".`);
  }
};

/**
 * Rules of https://cloud.google.com/storage/docs/objects#naming. Names such as `../x` are allowed there, so they are
 * allowed here: such a name is never used as a path.
 * @throws ApiError 400
 */
const assertObjectName = (name: string): void => {
  const bytes = Buffer.byteLength(name);
  if (bytes === 0 || bytes > 1024 || /[\r\n]/.test(name) || name === '.' || name === '..') {
    throw badRequest(`Disallowed object name (${bytes} bytes).`);
  }
};

const parseJson = (body: string): unknown => {
  try {
    return JSON.parse(body);
  } catch {
    throw badRequest('Parse Error');
  }
};

const parse = <S extends z.ZodType>(schema: S, value: unknown): z.output<S> => {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw badRequest(`Invalid value for: ${parsed.error.issues.map(({ path }) => path.join('.')).join(', ')}`);
};
