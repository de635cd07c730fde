import { badRequest } from './errors.ts';

const TEXT_FIELDS = [
  'contentType',
  'cacheControl',
  'contentDisposition',
  'contentEncoding',
  'contentLanguage',
  'customTime',
  'storageClass',
] as const;

type TextField = (typeof TEXT_FIELDS)[number];

/** What a client may set on an object; `metadata` is the custom metadata, all strings. */
export type ObjectAttributes = Readonly<Partial<Record<TextField, string>>> & {
  readonly metadata?: Readonly<Record<string, string>>;
};

export type JsonObject = Readonly<Record<string, unknown>>;

/** @throws ApiError 400 when the text is not a JSON object; empty text is an empty object. */
export function parseJsonObject(text: string): JsonObject {
  if (text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw badRequest('Parse Error');
  }
  if (!isJsonObject(value)) throw badRequest('Parse Error: expected a JSON object.');
  return value;
}

/** @throws ApiError 400 when a field has the wrong type. Fields that a client cannot set are ignored, as in the API. */
export function parseAttributes(body: JsonObject): ObjectAttributes {
  return patchAttributes({}, body);
}

/** True if the body sets at least one attribute. */
export function hasAttributes(body: JsonObject): boolean {
  return 'metadata' in body || TEXT_FIELDS.some((field) => field in body);
}

/**
 * PATCH semantics of the JSON API: absent keeps, `null` deletes, and the keys of `metadata` are merged by
 * the same rule one level down.
 * @throws ApiError 400
 */
export function patchAttributes(current: ObjectAttributes, body: JsonObject): ObjectAttributes {
  const next: Partial<Record<TextField, string>> & { metadata?: Record<string, string> } = {
    ...current,
    ...(current.metadata ? { metadata: { ...current.metadata } } : {}),
  };
  for (const field of TEXT_FIELDS) {
    const value = body[field];
    if (value === undefined) continue;
    if (value === null) delete next[field];
    else if (typeof value === 'string') next[field] = value;
    else throw badRequest(`Invalid value for: ${field}`);
  }
  const metadata = body['metadata'];
  if (metadata === null) delete next.metadata;
  else if (metadata !== undefined) {
    const merged = mergeMetadata(next.metadata ?? {}, metadata);
    if (Object.keys(merged).length > 0) next.metadata = merged;
    else delete next.metadata;
  }
  return next;
}

function mergeMetadata(current: Record<string, string>, patch: unknown): Record<string, string> {
  if (!isJsonObject(patch)) throw badRequest('Invalid value for: metadata');
  const merged = new Map(Object.entries(current));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else if (typeof value === 'object') throw badRequest('Invalid value for: metadata');
    else merged.set(key, String(value));
  }
  return Object.fromEntries(merged);
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
