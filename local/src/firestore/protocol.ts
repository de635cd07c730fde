import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { google } from '@google-cloud/firestore/types/protos/firestore_v1_proto_api.js';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';

/** The messages of google.firestore.v1 as they cross the wire: 64-bit numbers and enums are strings, bytes are Buffers. */
export type V1Document = google.firestore.v1.IDocument;
export type V1Fields = Record<string, google.firestore.v1.IValue>;
export type V1Value = google.firestore.v1.IValue;
export type V1Write = google.firestore.v1.IWrite;
export type V1WriteResult = google.firestore.v1.IWriteResult;
export type V1StructuredQuery = google.firestore.v1.IStructuredQuery;
export type V1Filter = google.firestore.v1.StructuredQuery.IFilter;
export type V1FieldFilter = google.firestore.v1.StructuredQuery.IFieldFilter;
export type V1Order = google.firestore.v1.StructuredQuery.IOrder;
export type V1TransactionOptions = google.firestore.v1.ITransactionOptions;
export type V1Target = google.firestore.v1.ITarget;
export type V1Timestamp = google.protobuf.ITimestamp;

export type BatchGetDocumentsRequest = google.firestore.v1.IBatchGetDocumentsRequest;
export type BatchWriteRequest = google.firestore.v1.IBatchWriteRequest;
export type BatchWriteResponse = google.firestore.v1.IBatchWriteResponse;
export type BeginTransactionRequest = google.firestore.v1.IBeginTransactionRequest;
export type CommitRequest = google.firestore.v1.ICommitRequest;
export type CommitResponse = google.firestore.v1.ICommitResponse;
export type ListCollectionIdsRequest = google.firestore.v1.IListCollectionIdsRequest;
export type ListDocumentsRequest = google.firestore.v1.IListDocumentsRequest;
export type ListenRequest = google.firestore.v1.IListenRequest;
export type ListenResponse = google.firestore.v1.IListenResponse;
export type RollbackRequest = google.firestore.v1.IRollbackRequest;
export type RunAggregationQueryRequest = google.firestore.v1.IRunAggregationQueryRequest;
export type RunQueryRequest = google.firestore.v1.IRunQueryRequest;
export type RunQueryResponse = google.firestore.v1.IRunQueryResponse;

/** What a Firestore CloudEvent carries; a side that does not exist is absent. */
export interface DocumentEventData {
  value?: V1Document;
  oldValue?: V1Document;
  updateMask?: { fieldPaths: string[] };
}

const firestorePackage = dirname(
  createRequire(import.meta.url).resolve('@google-cloud/firestore/package.json'),
);
const here = dirname(fileURLToPath(import.meta.url));

const definitions = loadSync(
  ['google/firestore/v1/firestore.proto', join(here, 'document-event-data.proto')],
  // longs as strings: a 64-bit number does not fit into a JavaScript number.
  { includeDirs: [join(firestorePackage, 'build', 'protos')], longs: String, enums: String },
);

/** google.firestore.v1.Firestore, from the .proto files that the client library itself ships. */
export const firestoreService = definitions['google.firestore.v1.Firestore'] as ServiceDefinition;

const malformed = new WeakSet<object>();
for (const method of Object.values(firestoreService)) {
  const { requestDeserialize } = method;
  method.requestDeserialize = (bytes) => {
    const request = requestDeserialize(bytes) as object;
    if (holdsHalfCharacter(bytes) && JSON.stringify(request).includes('\ufffd\ufffd\ufffd'))
      malformed.add(request);
    return request;
  };
}

/**
 * Whether a text of the request is no UTF-8. A client sends half of a surrogate pair as three bytes, which the decoder
 * turns into three replacement characters; Cloud Firestore refuses the request.
 */
export function isMalformed(request: unknown): boolean {
  return malformed.has(request as object);
}

function holdsHalfCharacter(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(0xed); at >= 0; at = bytes.indexOf(0xed, at + 1)) {
    const [second = 0, third = 0] = bytes.subarray(at + 1, at + 3);
    if (second >= 0xa0 && second <= 0xbf && third >= 0x80 && third <= 0xbf) return true;
  }
  return false;
}

const documentType = messageType<V1Document>('google.firestore.v1.Document');
const eventType = messageType<DocumentEventData>('google.events.cloud.firestore.v1.DocumentEventData');

export function encodeDocument(document: V1Document): Buffer {
  return documentType.serialize(document);
}

export function decodeDocument(bytes: Buffer): V1Document {
  return documentType.deserialize(bytes);
}

export function encodeDocumentEventData(data: DocumentEventData): Buffer {
  return eventType.serialize(data);
}

function messageType<T>(name: string): MessageTypeDefinition<T, T> {
  return definitions[name] as unknown as MessageTypeDefinition<T, T>;
}
