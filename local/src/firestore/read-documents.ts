import { status } from '@grpc/grpc-js';
import type { Database } from './database.ts';
import { openReader, toProtoTimestamp } from './reader.ts';
import { parseResourceName } from './resource-name.ts';
import { RpcError } from './rpc-error.ts';
import type {
  BatchGetDocumentsRequest,
  BatchGetDocumentsResponse,
  GetDocumentRequest,
  V1Document,
} from './wire.ts';

/** @throws RpcError NOT_FOUND (5) */
export async function getDocument(database: Database, request: GetDocumentRequest): Promise<V1Document> {
  const { path } = parseResourceName(request.name);
  const reader = await openReader(database, request, [path]);
  const document = reader.read(path, maskPaths(request.mask));
  if (!document) throw new RpcError(status.NOT_FOUND, `Document "${request.name}" not found.`);
  return document;
}

/** One answer a name, in order; the first also carries the transaction that the request began. */
export async function* batchGetDocuments(
  database: Database,
  request: BatchGetDocumentsRequest,
): AsyncGenerator<BatchGetDocumentsResponse> {
  const names = request.documents ?? [];
  const paths = names.map((name) => parseResourceName(name).path);
  const reader = await openReader(database, request, paths);
  const readTime = toProtoTimestamp(reader.readTime ?? database.engine.clock.now());
  // All are read before the first is sent, or a commit during the sending would show in half of the answer.
  const documents = paths.map((path) => reader.read(path, maskPaths(request.mask)));
  for (const [index, name] of names.entries()) {
    const found = documents[index];
    const response: BatchGetDocumentsResponse = found ? { found, readTime } : { missing: name, readTime };
    if (index === 0 && reader.startedId) response.transaction = reader.startedId;
    yield response;
  }
}

export function maskPaths(mask: { fieldPaths?: string[] | null } | null | undefined): string[] | undefined {
  return mask ? (mask.fieldPaths ?? []) : undefined;
}
