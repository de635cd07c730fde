import { status } from '@grpc/grpc-js';
import type { Database } from './database.ts';
import { maskPaths } from './read-documents.ts';
import { assertPathOf, parseResourceName } from './resource-name.ts';
import { RpcError } from './rpc-error.ts';
import type {
  ListCollectionIdsRequest,
  ListCollectionIdsResponse,
  ListDocumentsRequest,
  ListDocumentsResponse,
} from './wire.ts';

/** The server's page when the client names no size; Cloud Firestore's is not documented. */
const DEFAULT_PAGE_SIZE = 300;

/** Documents of a collection by id, a page at a time; `showMissing` adds ids that only have subcollections. */
export function listDocuments(database: Database, request: ListDocumentsRequest): ListDocumentsResponse {
  if (request.orderBy) throw new RpcError(status.UNIMPLEMENTED, 'This server lists documents by id only.');
  const parent = parseResourceName(request.parent).path;
  const path = [parent, request.collectionId ?? ''].filter(Boolean).join('/');
  assertPathOf('collection', path);
  const listed = database.engine.listDocuments(path, request.showMissing === true);
  const { page, nextPageToken } = takePage(listed, ({ id }) => id, request);
  const mask = maskPaths(request.mask);
  const documents = page.map(({ id, document }) => {
    const masked = document && mask ? database.engine.read(`${path}/${id}`, undefined, mask) : document;
    return masked ?? { name: `${database.name}/documents/${path}/${id}` };
  });
  return { documents, nextPageToken };
}

/** The ids of the collections below a document, or of the database's own, by id. */
export function listCollectionIds(
  database: Database,
  request: ListCollectionIdsRequest,
): ListCollectionIdsResponse {
  const ids = database.engine.listCollectionIds(parseResourceName(request.parent).path);
  const { page, nextPageToken } = takePage(ids, (id) => id, request);
  return { collectionIds: page, nextPageToken };
}

/** The token of a page is the last id before it, so that a page stays right while documents come and go. */
function takePage<T>(
  items: T[],
  idOf: (item: T) => string,
  { pageSize, pageToken }: { pageSize?: number | null; pageToken?: string | null },
): { page: T[]; nextPageToken: string } {
  const after = pageToken ? Buffer.from(pageToken, 'base64url') : undefined;
  const rest = items
    .map((item) => ({ item, key: Buffer.from(idOf(item)) }))
    .filter(({ key }) => !after || Buffer.compare(key, after) > 0)
    .sort((a, b) => Buffer.compare(a.key, b.key));
  const taken = rest.slice(0, pageSize || DEFAULT_PAGE_SIZE);
  const last = taken.at(-1);
  const nextPageToken = last && taken.length < rest.length ? last.key.toString('base64url') : '';
  return { page: taken.map(({ item }) => item), nextPageToken };
}
