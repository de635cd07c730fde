import { hasAttributes, parseAttributes } from './attributes.ts';
import { parseGeneration } from './generation-parameter.ts';
import { jsonReply, type Route, readJson } from './http.ts';
import { assertObjectName } from './names.ts';
import { assertPreconditions, parsePreconditions } from './preconditions.ts';
import { objectResource } from './resource.ts';

/**
 * `rewriteTo` (always done in one step, so it never answers with a token) and the older `copyTo`.
 * Restoring a version is a rewrite of `sourceGeneration` onto its own name. Attributes in the body replace
 * all of the source's; without any, the source's are kept.
 */
export const copyObject: Route = async (api, request, params) => {
  const [sourceBucketName = '', sourceName = '', verb, bucketName = '', name = ''] = params;
  const { query } = request;
  const sourceBucket = await api.buckets.get(sourceBucketName);
  const bucket = await api.buckets.get(bucketName);
  assertObjectName(name);
  const body = await readJson(request);
  const source = sourceBucket.version(sourceName, parseGeneration(query, 'sourceGeneration'));
  assertPreconditions(parsePreconditions(query, 'ifSource'), source, 'write');

  const version = await bucket.insertCopy(
    {
      name,
      attributes: hasAttributes(body) ? parseAttributes(body) : source.attributes,
      preconditions: parsePreconditions(query),
    },
    source,
    sourceBucket.files.dataPath(source.generation),
  );
  const resource = objectResource(api.origin(), bucketName, name, version);
  void api.finalized(resource);
  if (verb === 'copyTo') return jsonReply(resource);
  const size = String(version.size);
  return jsonReply({
    kind: 'storage#rewriteResponse',
    totalBytesRewritten: size,
    objectSize: size,
    done: true,
    resource,
  });
};
