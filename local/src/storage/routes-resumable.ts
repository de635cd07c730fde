import type { Bucket } from './bucket.ts';
import { assertClaimsHold, collectClaims } from './checksums.ts';
import { parseContentRange } from './content-range.ts';
import { ApiError, badRequest } from './errors.ts';
import { type Api, type ApiRequest, jsonReply, type Reply, type Route } from './http.ts';
import type { ObjectVersion } from './object-record.ts';
import { parsePreconditions } from './preconditions.ts';
import { objectResource } from './resource.ts';
import type { UploadSession } from './upload-sessions.ts';
import type { UploadSink } from './upload-sink.ts';

/** Google's own code for "the client closed this upload". */
const CANCELLED = 499;

/**
 * One request of a resumable upload, https://cloud.google.com/storage/docs/performing-resumable-uploads:
 * bytes, or the question how many have arrived. Answers 308 with `Range: bytes=0-<last>` while more are to
 * come, and the object once it is complete, also to a client that asks again because the answer was lost.
 */
export const continueResumable: Route = async (api, request, [bucketName = '']) => {
  const bucket = await api.buckets.get(bucketName);
  const id = request.query.get('upload_id') ?? '';
  return api.sessions.exclusively(id, async () => {
    const session = await api.sessions.find(bucket, id);
    const done = bucket.record(session.name)?.versions.find(({ uploadId }) => uploadId === id);
    if (done) return finished(api, bucket, session, done);

    const range = parseContentRange(request.headers['content-range']);
    const sink = await api.sessions.sink(bucket, id);
    if (range.first !== null) await receive(request, sink, range.first);
    const isLast = range.total === null ? range.first !== null && range.open : sink.size() === range.total;
    if (range.total !== null && sink.size() > range.total) throw badRequest('More bytes than announced.');
    if (!isLast) return incomplete(sink.size());

    const version = await complete(api, bucket, session, sink, request);
    const reply = finished(api, bucket, session, version);
    void api.finalized(objectResource(api.origin(), bucket.name, session.name, version));
    return reply;
  });
};

export const cancelResumable: Route = async (api, request, [bucketName = '']) => {
  const bucket = await api.buckets.get(bucketName);
  const id = request.query.get('upload_id') ?? '';
  return api.sessions.exclusively(id, async () => {
    await api.sessions.find(bucket, id);
    await api.sessions.cancel(bucket, id);
    return { status: CANCELLED };
  });
};

/** Takes the bytes that are new; a client may send again what arrived before its connection broke. */
async function receive(request: ApiRequest, sink: UploadSink, first: number): Promise<void> {
  let offset = first;
  if (offset > sink.size()) throw new ApiError(503, 'backendError', 'Bytes are missing before this range.');
  try {
    for await (const chunk of request.body) {
      const known = Math.min(Math.max(0, sink.size() - offset), chunk.byteLength);
      offset += chunk.byteLength;
      if (known < chunk.byteLength) await sink.write(chunk.subarray(known));
    }
  } finally {
    await sink.flush();
  }
}

async function complete(
  api: Api,
  bucket: Bucket,
  session: UploadSession,
  sink: UploadSink,
  request: ApiRequest,
): Promise<ObjectVersion> {
  try {
    const staged = await sink.finish();
    assertClaimsHold(staged, [...session.claims, ...collectClaims({}, request.headers)]);
    const placement = {
      name: session.name,
      attributes: session.attributes,
      preconditions: parsePreconditions(new URLSearchParams(session.query)),
      uploadId: session.id,
    };
    const version = await bucket.insert(placement, staged);
    api.sessions.settle(session.id);
    return version;
  } catch (error) {
    await api.sessions.cancel(bucket, session.id);
    throw error;
  }
}

function incomplete(size: number): Reply {
  return { status: 308, headers: size > 0 ? { range: `bytes=0-${size - 1}` } : {} };
}

function finished(api: Api, bucket: Bucket, session: UploadSession, version: ObjectVersion): Reply {
  return jsonReply(objectResource(api.origin(), bucket.name, session.name, version));
}
