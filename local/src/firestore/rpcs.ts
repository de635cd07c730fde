import { randomUUID } from 'node:crypto';
import type { Database } from './database.ts';
import { listCollectionIds, listDocuments } from './list.ts';
import { batchGetDocuments, getDocument, maskPaths } from './read-documents.ts';
import { parseResourceName } from './resource-name.ts';
import { runAggregationQuery, runQuery } from './run-query.ts';
import type * as wire from './wire.ts';

/** Finds the database that a name is about, making it when it is new. */
export type FindDatabase = (name: string | null | undefined) => Database;

/** The calls with one answer. */
export function makeUnaryRpcs(find: FindDatabase) {
  const readBack = async (database: Database, name: string, mask: wire.GetDocumentRequest['mask']) => {
    const { path } = parseResourceName(name);
    return database.engine.read(path, undefined, maskPaths(mask)) ?? {};
  };

  return {
    getDocument: async (request: wire.GetDocumentRequest) => await getDocument(find(request.name), request),
    async createDocument(request: wire.CreateDocumentRequest) {
      const database = find(request.parent);
      const name = `${request.parent}/${request.collectionId}/${request.documentId || randomUUID()}`;
      const update = { ...request.document, name };
      await database.commit({ writes: [{ update, currentDocument: { exists: false } }] });
      return await readBack(database, name, request.mask);
    },
    async updateDocument({ document, updateMask, currentDocument, mask }: wire.UpdateDocumentRequest) {
      const database = find(document?.name);
      const write: wire.V1Write = { update: document ?? null };
      if (updateMask) write.updateMask = updateMask;
      if (currentDocument) write.currentDocument = currentDocument;
      await database.commit({ writes: [write] });
      return await readBack(database, document?.name ?? '', mask);
    },
    async deleteDocument({ name, currentDocument }: wire.DeleteDocumentRequest) {
      const write: wire.V1Write = { delete: name ?? null };
      if (currentDocument) write.currentDocument = currentDocument;
      await find(name).commit({ writes: [write] });
      return {};
    },
    commit: async (request: wire.CommitRequest) => await find(request.database).commit(request),
    batchWrite: async (request: wire.BatchWriteRequest) =>
      await find(request.database).batchWrite(request.writes ?? []),
    beginTransaction: async (request: wire.BeginTransactionRequest) => ({
      transaction: find(request.database).transactions.begin(request.options).id,
    }),
    async rollback(request: wire.RollbackRequest) {
      find(request.database)
        .transactions.get(request.transaction ?? '')
        .finish();
      return {};
    },
    listDocuments: async (request: wire.ListDocumentsRequest) => listDocuments(find(request.parent), request),
    listCollectionIds: async (request: wire.ListCollectionIdsRequest) =>
      listCollectionIds(find(request.parent), request),
    // The answer may hold fewer partitions than asked for; none means that the whole query is one.
    partitionQuery: async () => ({ partitions: [] }),
  };
}

/** The calls with a stream of answers. */
export function makeStreamingRpcs(find: FindDatabase) {
  return {
    batchGetDocuments: (request: wire.BatchGetDocumentsRequest) =>
      batchGetDocuments(find(request.database), request),
    runQuery: (request: wire.RunQueryRequest) => runQuery(find(request.parent), request),
    runAggregationQuery: (request: wire.RunAggregationQueryRequest) =>
      runAggregationQuery(find(request.parent), request),
  };
}
