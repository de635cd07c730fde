import { parseAttributes, patchAttributes } from './attributes.ts';
import { parseGeneration } from './generation-parameter.ts';
import { jsonReply, NO_CONTENT, type Route, readJson } from './http.ts';
import { planListPage } from './listing.ts';
import { assertPreconditions, parsePreconditions } from './preconditions.ts';
import { objectResource } from './resource.ts';
import { downloadObject } from './routes-media.ts';

export const listObjects: Route = async (api, request, [bucketName = '']) => {
  const bucket = await api.buckets.get(bucketName);
  const page = planListPage(bucket.records(), request.query);
  return jsonReply({
    kind: 'storage#objects',
    ...(page.nextPageToken ? { nextPageToken: page.nextPageToken } : {}),
    ...(page.prefixes.length > 0 ? { prefixes: page.prefixes } : {}),
    items: page.items.map(({ record, version }) =>
      objectResource(api.origin(), bucketName, record.name, version),
    ),
  });
};

export const getObject: Route = async (api, request, params) => {
  const isDownload = request.query.get('alt') === 'media' || request.path.startsWith('/download/');
  if (isDownload) return downloadObject(api, request, params);
  const [bucketName = '', name = ''] = params;
  const bucket = await api.buckets.get(bucketName);
  const version = bucket.version(name, parseGeneration(request.query));
  assertPreconditions(parsePreconditions(request.query), version, 'read');
  return jsonReply(objectResource(api.origin(), bucketName, name, version));
};

export const patchObject: Route = async (api, request, [bucketName = '', name = '']) => {
  const bucket = await api.buckets.get(bucketName);
  const body = await readJson(request);
  const version = await bucket.changeAttributes(
    name,
    parseGeneration(request.query),
    parsePreconditions(request.query),
    (current) => patchAttributes(current, body),
  );
  return jsonReply(objectResource(api.origin(), bucketName, name, version));
};

/** PUT: what the body leaves out is cleared. */
export const replaceAttributes: Route = async (api, request, [bucketName = '', name = '']) => {
  const bucket = await api.buckets.get(bucketName);
  const attributes = parseAttributes(await readJson(request));
  const version = await bucket.changeAttributes(
    name,
    parseGeneration(request.query),
    parsePreconditions(request.query),
    () => attributes,
  );
  return jsonReply(objectResource(api.origin(), bucketName, name, version));
};

export const deleteObject: Route = async (api, request, [bucketName = '', name = '']) => {
  const bucket = await api.buckets.get(bucketName);
  await bucket.remove(name, parseGeneration(request.query), parsePreconditions(request.query));
  return NO_CONTENT;
};
