import { status } from '@grpc/grpc-js';
import type { Timestamp } from 'firebase-admin/firestore';
import type { Database } from './database.ts';
import { openReader, type Reader, toProtoTimestamp } from './reader.ts';
import { parseResourceName } from './resource-name.ts';
import { rewriteQuery } from './rewrite-query.ts';
import { RpcError } from './rpc-error.ts';
import { assertStillReadable } from './transactions.ts';
import type {
  RunAggregationQueryRequest,
  RunAggregationQueryResponse,
  RunQueryRequest,
  RunQueryResponse,
  V1StructuredQuery,
} from './wire.ts';

export async function* runQuery(
  database: Database,
  request: RunQueryRequest,
): AsyncGenerator<RunQueryResponse> {
  refuseExplain(request);
  const query = rewriteQuery(requireQuery(request.structuredQuery));
  const reader = await openReader(database, request, [turnKey(request.parent, query)]);
  if (reader.transaction) await registerRead(database, reader, request.parent, query);
  for (const response of runOnEngine(database, request.parent, query, reader.readTime)) {
    if (reader.startedId) response.transaction = reader.startedId;
    yield response;
  }
}

export async function* runAggregationQuery(
  database: Database,
  request: RunAggregationQueryRequest,
): AsyncGenerator<RunAggregationQueryResponse> {
  refuseExplain(request);
  const aggregation = request.structuredAggregationQuery;
  // Documents without a field that is summed or averaged take part in no aggregation of the query.
  const fields = (aggregation?.aggregations ?? []).flatMap(
    ({ sum, avg }) => sum?.field?.fieldPath ?? avg?.field?.fieldPath ?? [],
  );
  const query = rewriteQuery(requireQuery(aggregation?.structuredQuery), fields);
  const reader = await openReader(database, request, [turnKey(request.parent, query)]);
  if (reader.transaction) await registerRead(database, reader, request.parent, query);
  const engineRequest: RunAggregationQueryRequest = {
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
async function registerRead(
  database: Database,
  { transaction, readTime }: Reader,
  parent: string | null | undefined,
  query: V1StructuredQuery,
): Promise<void> {
  const namesAt = async (time: Timestamp | undefined) => {
    const names: string[] = [];
    const namesOnly = { ...query, select: { fields: [{ fieldPath: '__name__' }] } };
    for (const { document } of runOnEngine(database, parent, namesOnly, time)) {
      if (document?.name) names.push(document.name);
    }
    return names;
  };
  if (transaction?.isReadOnly && readTime) assertStillReadable(database.engine, readTime);
  const names = await namesAt(readTime);
  transaction?.addQuery({ collectionId: query.from?.[0]?.collectionId ?? '', names, namesAt });
  for (const name of names) transaction?.read(parseResourceName(name).path, []);
}

function runOnEngine(
  database: Database,
  parent: string | null | undefined,
  structuredQuery: V1StructuredQuery,
  readTime: Timestamp | undefined,
): readonly RunQueryResponse[] {
  const request: RunQueryRequest = { parent: parent ?? null, structuredQuery };
  if (readTime) request.readTime = toProtoTimestamp(readTime);
  return database.engine.runQuery(request);
}

function requireQuery(query: V1StructuredQuery | null | undefined): V1StructuredQuery {
  if (query) return query;
  throw new RpcError(status.INVALID_ARGUMENT, 'The request carries no structured query.');
}

function refuseExplain({ explainOptions }: RunQueryRequest | RunAggregationQueryRequest): void {
  if (explainOptions) throw new RpcError(status.UNIMPLEMENTED, 'This server has no query plan to explain.');
}

function turnKey(parent: string | null | undefined, query: V1StructuredQuery): string {
  return `${parent}/${query.from?.[0]?.collectionId ?? ''}?`;
}
