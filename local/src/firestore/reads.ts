import { status } from '@grpc/grpc-js';
import type { Timestamp } from 'firebase-admin/firestore';
import type { Database } from './database.ts';
import { assertPathOf, invalid, parseResourceName, RpcError } from './names.ts';
import type * as wire from './protocol.ts';
import { rewriteQuery } from './rewrite-query.ts';
import { assertStillReadable, toTimestamp } from './transactions.ts';

/** How a request says what it reads: in a transaction, in one that it begins, at a time, or simply now. */
interface ReadSelector {
  transaction?: Uint8Array | string | null;
  newTransaction?: wire.V1TransactionOptions | null;
  readTime?: wire.V1Timestamp | null;
}

type Reader = Awaited<ReturnType<typeof openReader>>;

/** @param keys what the request reads: transactions that begin with the same key take turns */
async function openReader({ engine, transactions }: Database, selector: ReadSelector, keys: string[]) {
  const started = selector.newTransaction ? transactions.begin(selector.newTransaction) : undefined;
  const transaction = selector.transaction?.length ? transactions.get(selector.transaction) : started;
  const asked = selector.readTime ? toTimestamp(selector.readTime) : undefined;
  if (!transaction && asked) assertStillReadable(engine, asked);
  // Absent for a read of the present.
  const readTime = transaction ? await transaction.snapshot(keys) : asked;
  return {
    transaction,
    readTime,
    /** The id to hand back when the request began the transaction. */
    startedId: started?.id,
    read: transaction?.read ?? ((path: string, mask?: string[]) => engine.read(path, readTime, mask)),
  };
}

function toProtoTimestamp(time: Timestamp): wire.V1Timestamp {
  return { seconds: String(time.seconds), nanos: time.nanoseconds } as unknown as wire.V1Timestamp;
}

/** One answer a name, in order; the first also carries the transaction that the request began. */
export async function* batchGetDocuments(database: Database, request: wire.BatchGetDocumentsRequest) {
  const names = request.documents ?? [];
  const paths = names.map((name) => parseResourceName(name).path);
  const reader = await openReader(database, request, paths);
  const readTime = toProtoTimestamp(reader.readTime ?? database.engine.clock.now());
  // All are read before the first is sent, or a commit during the sending would show in half of the answer.
  const documents = paths.map((path) => reader.read(path, maskPaths(request.mask)));
  for (const [index, name] of names.entries()) {
    const found = documents[index];
    const first = index === 0 && reader.startedId ? { transaction: reader.startedId } : {};
    yield { ...first, readTime, ...(found ? { found } : { missing: name }) };
  }
}

function maskPaths(mask: { fieldPaths?: string[] | null } | null | undefined): string[] | undefined {
  return mask ? (mask.fieldPaths ?? []) : undefined;
}

/** Documents of a collection by id, on one page; `showMissing` adds ids that only have subcollections. */
export function listDocuments(database: Database, request: wire.ListDocumentsRequest) {
  if (request.orderBy) throw new RpcError(status.UNIMPLEMENTED, 'This server lists documents by id only.');
  const parent = parseResourceName(request.parent).path;
  const path = [parent, request.collectionId ?? ''].filter(Boolean).join('/');
  assertPathOf('collection', path);
  const listed = database.engine.listDocuments(path, request.showMissing === true);
  const mask = maskPaths(request.mask);
  const documents = byId(listed, ({ id }) => id).map(({ id, document }) => {
    const masked = document && mask ? database.engine.read(`${path}/${id}`, undefined, mask) : document;
    return masked ?? { name: `${database.name}/documents/${path}/${id}` };
  });
  return { documents, nextPageToken: '' };
}

/** The ids of the collections below a document, or of the database's own, by id, on one page. */
export function listCollectionIds(database: Database, request: wire.ListCollectionIdsRequest) {
  const ids = database.engine.listCollectionIds(parseResourceName(request.parent).path);
  return { collectionIds: byId(ids, (id) => id), nextPageToken: '' };
}

function byId<T>(items: T[], idOf: (item: T) => string): T[] {
  return items.toSorted((one, other) => Buffer.compare(Buffer.from(idOf(one)), Buffer.from(idOf(other))));
}

export async function* runQuery(database: Database, request: wire.RunQueryRequest) {
  const query = rewriteQuery(requireQuery(request, request.structuredQuery));
  const reader = await openReader(database, request, [turnKey(request.parent, query)]);
  if (reader.transaction) registerRead(database, reader, request.parent, query);
  for (const response of runOnEngine(database, request.parent, query, reader.readTime)) {
    if (reader.startedId) response.transaction = reader.startedId;
    yield response;
  }
}

export async function* runAggregationQuery(database: Database, request: wire.RunAggregationQueryRequest) {
  const aggregation = request.structuredAggregationQuery;
  // Documents without a field that is summed or averaged take part in no aggregation of the query.
  const fields = (aggregation?.aggregations ?? []).flatMap(
    ({ sum, avg }) => sum?.field?.fieldPath ?? avg?.field?.fieldPath ?? [],
  );
  const query = rewriteQuery(requireQuery(request, aggregation?.structuredQuery), fields);
  const reader = await openReader(database, request, [turnKey(request.parent, query)]);
  if (reader.transaction) registerRead(database, reader, request.parent, query);
  const engineRequest: wire.RunAggregationQueryRequest = {
    parent: request.parent ?? null,
    structuredAggregationQuery: { ...aggregation, structuredQuery: query },
  };
  if (reader.readTime) engineRequest.readTime = toProtoTimestamp(reader.readTime);
  for await (const response of database.engine.runAggregationQuery(engineRequest)) {
    if (reader.startedId) response.transaction = reader.startedId;
    yield response;
  }
}

/** Makes the query, and each document that it finds, part of what the transaction has read. */
function registerRead(
  database: Database,
  { transaction, readTime }: Reader,
  parent: string | null | undefined,
  query: wire.V1StructuredQuery,
): void {
  const namesOnly = { ...query, select: { fields: [{ fieldPath: '__name__' }] } };
  const namesAt = (time?: Timestamp): string[] =>
    runOnEngine(database, parent, namesOnly, time).flatMap(({ document }) => document?.name ?? []);
  if (transaction?.isReadOnly && readTime) assertStillReadable(database.engine, readTime);
  const names = namesAt(readTime);
  transaction?.addQuery({
    collectionId: query.from?.[0]?.collectionId ?? '',
    names,
    namesNow: () => namesAt(),
  });
  for (const name of names) transaction?.read(parseResourceName(name).path, []);
}

function runOnEngine(
  database: Database,
  parent: string | null | undefined,
  structuredQuery: wire.V1StructuredQuery,
  readTime: Timestamp | undefined,
): wire.RunQueryResponse[] {
  const request: wire.RunQueryRequest = { parent: parent ?? null, structuredQuery };
  if (readTime) request.readTime = toProtoTimestamp(readTime);
  return database.engine.runQuery(request);
}

function requireQuery(
  { explainOptions }: wire.RunQueryRequest | wire.RunAggregationQueryRequest,
  query: wire.V1StructuredQuery | null | undefined,
): wire.V1StructuredQuery {
  if (explainOptions) throw new RpcError(status.UNIMPLEMENTED, 'This server has no query plan to explain.');
  if (query) return query;
  throw invalid('The request carries no structured query.');
}

function turnKey(parent: string | null | undefined, query: wire.V1StructuredQuery): string {
  return `${parent}/${query.from?.[0]?.collectionId ?? ''}?`;
}
