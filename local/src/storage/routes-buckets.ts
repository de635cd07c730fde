import { badRequest } from './errors.ts';
import { jsonReply, NO_CONTENT, type Route, readJson } from './http.ts';
import { bucketResource } from './resource.ts';

export const listBuckets: Route = async (api, request) => {
  const prefix = request.query.get('prefix') ?? '';
  const buckets = (await api.buckets.list()).filter(({ name }) => name.startsWith(prefix));
  buckets.sort((a, b) => (a.name < b.name ? -1 : 1));
  return jsonReply({
    kind: 'storage#buckets',
    items: buckets.map((bucket) => bucketResource(api.origin(), bucket)),
  });
};

export const createBucket: Route = async (api, request) => {
  const body = await readJson(request);
  const { name } = body;
  if (typeof name !== 'string') throw badRequest('Required parameter: name');
  return jsonReply(bucketResource(api.origin(), await api.buckets.create(name, body)));
};

export const getBucket: Route = async (api, _request, [name = '']) =>
  jsonReply(bucketResource(api.origin(), await api.buckets.get(name)));

export const patchBucket: Route = async (api, request, [name = '']) => {
  const bucket = await api.buckets.get(name);
  await bucket.patchSettings(await readJson(request), request.query.get('ifMetagenerationMatch'));
  return jsonReply(bucketResource(api.origin(), bucket));
};

export const deleteBucket: Route = async (api, _request, [name = '']) => {
  await api.buckets.remove(name);
  return NO_CONTENT;
};
