import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { z } from 'zod';
import { type Address, type Bucket, badRequest } from './bucket.ts';
import type { ObjectAttributes, ObjectVersion } from './bucket-files.ts';

export interface StorageEnv {
  Bindings: HttpBindings;
}

/** The parts of the JSON API that are served. A call of anything else, and a parameter that is not named here, is 501. */
export const addRoutes = (app: Hono<StorageEnv>, openBucket: (name: string) => Promise<Bucket>): void => {
  /** @throws HTTPException 501: a condition or a page that is passed over would be an answer to another question */
  const bucketOf = (c: Context, parameters: readonly string[]): Promise<Bucket> => {
    for (const name of Object.keys(c.req.query())) {
      if (!parameters.includes(name)) throw notSimulated(`The parameter ${name}`);
    }
    return openBucket(c.req.param('bucket') ?? '');
  };

  const api = new Hono<StorageEnv>()
    .get('/b/:bucket', async (c) => c.json((await bucketOf(c, [])).resource()))
    .patch('/b/:bucket', async (c) => {
      const bucket = await bucketOf(c, []);
      const patch = bucketPatch.safeParse(parseJson(await c.req.text()));
      if (!patch.success) throw notSimulated('A change of a bucket other than of its soft delete policy');
      bucket.keepSoftDeleted(patch.data.softDeletePolicy.retentionDurationSeconds);
      return c.json(bucket.resource());
    })
    // One page with everything.
    .get('/b/:bucket/o', async (c) => {
      const bucket = await bucketOf(c, ['prefix', 'versions', 'softDeleted']);
      const { prefix = '', versions, softDeleted } = c.req.query();
      if (versions === 'true' && softDeleted === 'true') {
        throw badRequest('versions and softDeleted exclude each other.');
      }
      const kind = versions === 'true' ? 'versions' : softDeleted === 'true' ? 'softDeleted' : 'live';
      const items = bucket.list(kind, prefix).map(({ name, version }) => resourceOf(bucket, name, version));
      return c.json({ kind: 'storage#objects', items });
    })
    .get('/b/:bucket/o/:object', async (c) => {
      const bucket = await bucketOf(c, [...ADDRESS, 'alt']);
      const address = addressOf(c, c.req.param('object'));
      if (c.req.query('alt') !== 'media') {
        return c.json(resourceOf(bucket, address.name, bucket.find(address)));
      }
      const { version, bytes } = await bucket.read(address);
      return c.body(new Uint8Array(bytes), 200, {
        'content-type': version.attributes.contentType ?? 'application/octet-stream',
        'content-length': String(bytes.byteLength),
        'x-goog-generation': version.generation,
        'x-goog-metageneration': String(version.metageneration),
        // The Node client validates a download by the hash, and only if the stored encoding is told.
        'x-goog-hash': `crc32c=${version.crc32c},md5=${version.md5Hash}`,
        'x-goog-stored-content-encoding': 'identity',
        'x-goog-stored-content-length': String(version.size),
      });
    })
    .patch('/b/:bucket/o/:object', async (c) => {
      const bucket = await bucketOf(c, ADDRESS);
      const patch = parse(attributes, parseJson(await c.req.text()));
      const address = addressOf(c, c.req.param('object'));
      const version = await bucket.change(address, (current) => patchAttributes(current, patch));
      return c.json(resourceOf(bucket, address.name, version));
    })
    .delete('/b/:bucket/o/:object', async (c) => {
      const bucket = await bucketOf(c, ADDRESS);
      await bucket.remove(addressOf(c, c.req.param('object')));
      return c.body(null, 204);
    });

  /** https://cloud.google.com/storage/docs/json_api/v1/objects/insert */
  const uploads = new Hono<StorageEnv>().post('/b/:bucket/o', async (c) => {
    const bucket = await bucketOf(c, ['uploadType', 'name', 'ifGenerationMatch']);
    if (c.req.query('uploadType') !== 'multipart') throw notSimulated('An upload that is not multipart');
    const body = Buffer.from(await c.req.arrayBuffer());
    const { metadata, contentType, media } = parseMultipart(c.req.header('content-type'), body);
    const { name = c.req.query('name'), md5Hash, ...given } = parse(upload, parseJson(metadata));
    assertObjectName(name);
    const own = patchAttributes(contentType ? { contentType } : {}, given);
    const version = await bucket.insert(addressOf(c, name), own, media, md5Hash);
    return c.json(resourceOf(bucket, name, version));
  });

  // With `STORAGE_EMULATOR_HOST` the Node client leaves `/storage/v1` out of metadata calls and keeps it for uploads; with
  // `apiEndpoint`, and in other clients, it is always there.
  app.route('/', api).route('/storage/v1', api).route('/upload/storage/v1', uploads);
  app.notFound(() => {
    throw notSimulated('This call');
  });
};

/** Says so rather than pretending: what this server does not simulate must never look like success. */
const notSimulated = (what: string): HTTPException =>
  new HTTPException(501, { message: `${what} is not simulated by the local Cloud Storage server.` });

const ADDRESS = ['generation', 'ifGenerationMatch'] as const;

/** @throws HTTPException 400 for a generation that is no number: taking it for "the live one" would address another version */
const addressOf = (c: Context, name: string): Address => {
  const [generation = null, ifGeneration = null] = ADDRESS.map((parameter) => {
    const text = c.req.query(parameter);
    if (text === undefined) return null;
    if (!/^\d{1,19}$/.test(text)) throw badRequest(`Invalid value for ${parameter}`);
    return BigInt(text).toString();
  });
  return { name, generation, ifGeneration };
};

/** `storage#object`, https://cloud.google.com/storage/docs/json_api/v1/objects#resource. */
const resourceOf = (
  bucket: Bucket,
  name: string,
  { attributes, metageneration, size, ...rest }: ObjectVersion,
): object => ({
  kind: 'storage#object',
  bucket: bucket.name,
  name,
  metageneration: String(metageneration),
  size: String(size),
  ...rest,
  ...attributes,
});

const bucketPatch = z.strictObject({
  softDeletePolicy: z.object({ retentionDurationSeconds: z.coerce.number().int() }),
});
const text = z.string().nullish();
const attributes = z.strictObject({
  contentType: text,
  cacheControl: text,
  customTime: text,
  metadata: z.record(z.string(), z.coerce.string().nullable()).nullish(),
});
const upload = attributes.extend({ name: z.string().optional(), md5Hash: z.string().optional() });

/**
 * PATCH semantics of the JSON API: absent keeps, `null` deletes, and the keys of `metadata` are merged by the same rule one
 * level down.
 */
const patchAttributes = (
  { metadata, ...current }: ObjectAttributes,
  { metadata: changed, ...patch }: z.output<typeof attributes>,
): ObjectAttributes => {
  const merged = changed === null ? {} : merge({ ...metadata }, changed ?? {});
  return { ...merge(current, patch), ...(Object.keys(merged).length > 0 && { metadata: merged }) };
};

const merge = (
  current: Readonly<Record<string, string>>,
  patch: Readonly<Record<string, string | null | undefined>>,
): Record<string, string> => {
  const known = Object.entries(patch).filter(([, value]) => value !== undefined);
  const merged = { ...current, ...Object.fromEntries(known) };
  return Object.fromEntries(
    Object.entries(merged).filter((entry): entry is [string, string] => entry[1] !== null),
  );
};

/**
 * Rules of https://cloud.google.com/storage/docs/objects#naming. Names such as `../x` are allowed there, so they are
 * allowed here: such a name is never used as a path.
 */
function assertObjectName(name = ''): asserts name is string {
  const bytes = Buffer.byteLength(name);
  if (bytes === 0 || bytes > 1024 || /[\r\n]/.test(name) || name === '.' || name === '..') {
    throw badRequest(`Disallowed object name (${bytes} bytes).`);
  }
}

const parseJson = (body: string): unknown => {
  try {
    return JSON.parse(body);
  } catch {
    throw badRequest('Parse Error');
  }
};

/** @throws HTTPException 501 for a field that is not kept, which would otherwise be lost in silence; 400 for a wrong one */
const parse = <S extends z.ZodType>(schema: S, value: unknown): z.output<S> => {
  const { data, error } = schema.safeParse(value);
  if (error === undefined) return data as z.output<S>;
  const unknown = error.issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : []));
  if (unknown.length > 0) throw notSimulated(`The field ${unknown.join(', ')}`);
  throw badRequest(`Invalid value for: ${error.issues.map(({ path }) => path.join('.')).join(', ')}`);
};

/**
 * Reads the form of https://cloud.google.com/storage/docs/uploading-objects#uploading-an-object, RFC 2387 with two parts: the
 * object's metadata as JSON, then its bytes, with a type of their own if they name one.
 * @throws HTTPException 400, also when the body ends without its closing boundary: half an upload is no object
 */
export const parseMultipart = (contentType = '', body: Buffer) => {
  const boundary = /^multipart\/related\b.*;\s*boundary="?([^\s";]{1,70})/i.exec(contentType)?.[1];
  if (!boundary) throw badRequest('A multipart upload needs multipart/related with a boundary.');
  // Every delimiter stands at the start of a line, the first one at the start of the body.
  const whole = Buffer.concat([Buffer.from('\r\n'), body]);
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  const partAt = (at: number) => {
    const headersEnd = whole.indexOf('\r\n\r\n', at + delimiter.length);
    const start = headersEnd + 4;
    const end = headersEnd < 0 ? -1 : whole.indexOf(delimiter, start);
    if (end < 0 || whole.indexOf(delimiter, at) !== at) throw badRequest('Malformed multipart body.');
    return { headers: whole.toString('latin1', at, headersEnd), start, end };
  };
  const first = partAt(0);
  const second = partAt(first.end);
  const closing = second.end + delimiter.length;
  if (whole.toString('latin1', closing, closing + 2) !== '--') throw badRequest('Malformed multipart body.');
  return {
    metadata: whole.toString('utf8', first.start, first.end),
    contentType: /^content-type:[ \t]*(.+?)[ \t]*$/im.exec(second.headers)?.[1],
    media: whole.subarray(second.start, second.end),
  };
};
