import { type JsonObject, type ObjectAttributes, parseAttributes, parseJsonObject } from './attributes.ts';
import type { Bucket } from './bucket.ts';
import { assertClaimsHold, collectClaims } from './checksums.ts';
import { badRequest } from './errors.ts';
import { type Api, type ApiRequest, jsonReply, type Reply, type Route, readJson } from './http.ts';
import { readMultipart } from './multipart.ts';
import { assertObjectName } from './names.ts';
import { parsePreconditions } from './preconditions.ts';
import { objectResource } from './resource.ts';
import { openUploadSink } from './upload-sink.ts';

/** `uploadType=multipart`, `media` or `resumable`, https://cloud.google.com/storage/docs/json_api/v1/objects/insert. */
export const uploadObject: Route = async (api, request, [bucketName = '']) => {
  const bucket = await api.buckets.get(bucketName);
  const uploadType = request.query.get('uploadType');
  switch (uploadType) {
    case 'multipart': {
      const { metadata, contentType, media } = await readMultipart(
        request.headers['content-type'],
        request.body,
      );
      return storeObject(api, bucket, request, parseJsonObject(metadata), contentType, media);
    }
    case 'media':
      return storeObject(api, bucket, request, {}, request.headers['content-type'], request.body);
    case 'resumable':
      return beginResumable(api, bucket, request);
    default:
      throw badRequest(`Unknown uploadType: ${uploadType ?? '(none)'}`);
  }
};

async function storeObject(
  api: Api,
  bucket: Bucket,
  request: ApiRequest,
  metadata: JsonObject,
  contentType: string | undefined,
  media: AsyncIterable<Buffer>,
): Promise<Reply> {
  const placement = {
    name: objectName(request, metadata),
    attributes: uploadAttributes(request, metadata, contentType),
    preconditions: parsePreconditions(request.query),
  };
  const sink = await openUploadSink(bucket.files.newIncomingPath());
  try {
    for await (const chunk of media) await sink.write(chunk);
    const staged = await sink.finish();
    assertClaimsHold(staged, collectClaims(metadata, request.headers));
    const version = await bucket.insert(placement, staged);
    const resource = objectResource(api.origin(), bucket.name, placement.name, version);
    void api.finalized(resource);
    return jsonReply(resource);
  } catch (error) {
    await sink.discard();
    throw error;
  }
}

async function beginResumable(api: Api, bucket: Bucket, request: ApiRequest): Promise<Reply> {
  const metadata = await readJson(request);
  const contentType = request.headers['x-upload-content-type'];
  const name = objectName(request, metadata);
  // Read now as well, so that a malformed condition fails before the bytes are sent.
  parsePreconditions(request.query);
  const session = await api.sessions.begin(bucket, {
    name,
    attributes: uploadAttributes(
      request,
      metadata,
      typeof contentType === 'string' ? contentType : undefined,
    ),
    claims: collectClaims(metadata, request.headers),
    query: request.query.toString(),
  });
  const query = new URLSearchParams({ uploadType: 'resumable', name, upload_id: session.id });
  const location = `${api.origin()}/upload/storage/v1/b/${bucket.name}/o?${query}`;
  return { status: 200, headers: { location, 'x-guploader-uploadid': session.id } };
}

function objectName(request: ApiRequest, metadata: JsonObject): string {
  const name = request.query.get('name') ?? metadata['name'];
  if (typeof name !== 'string') throw badRequest('Required parameter: name');
  assertObjectName(name);
  return name;
}

/** The metadata's own type wins over the one that the media part or the request names. */
function uploadAttributes(
  request: ApiRequest,
  metadata: JsonObject,
  contentType: string | undefined,
): ObjectAttributes {
  const contentEncoding = request.query.get('contentEncoding');
  return {
    ...(contentType ? { contentType } : {}),
    ...(contentEncoding ? { contentEncoding } : {}),
    ...parseAttributes(metadata),
  };
}
