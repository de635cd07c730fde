import type { google } from '@google-cloud/firestore/types/protos/firestore_v1_proto_api.js';

/** The messages of google.firestore.v1 as they cross the wire: 64-bit numbers and enums are strings, bytes are Buffers. */
export type V1Document = google.firestore.v1.IDocument;
export type V1Fields = Record<string, google.firestore.v1.IValue>;
export type V1Value = google.firestore.v1.IValue;
export type V1Write = google.firestore.v1.IWrite;
export type V1WriteResult = google.firestore.v1.IWriteResult;
export type V1Precondition = google.firestore.v1.IPrecondition;
export type V1StructuredQuery = google.firestore.v1.IStructuredQuery;
export type V1Filter = google.firestore.v1.StructuredQuery.IFilter;
export type V1FieldFilter = google.firestore.v1.StructuredQuery.IFieldFilter;
export type V1Order = google.firestore.v1.StructuredQuery.IOrder;
export type V1TransactionOptions = google.firestore.v1.ITransactionOptions;
export type V1Target = google.firestore.v1.ITarget;
export type V1Timestamp = google.protobuf.ITimestamp;

export type BatchGetDocumentsRequest = google.firestore.v1.IBatchGetDocumentsRequest;
export type BatchGetDocumentsResponse = google.firestore.v1.IBatchGetDocumentsResponse;
export type BatchWriteRequest = google.firestore.v1.IBatchWriteRequest;
export type BatchWriteResponse = google.firestore.v1.IBatchWriteResponse;
export type BeginTransactionRequest = google.firestore.v1.IBeginTransactionRequest;
export type CommitRequest = google.firestore.v1.ICommitRequest;
export type CommitResponse = google.firestore.v1.ICommitResponse;
export type CreateDocumentRequest = google.firestore.v1.ICreateDocumentRequest;
export type DeleteDocumentRequest = google.firestore.v1.IDeleteDocumentRequest;
export type GetDocumentRequest = google.firestore.v1.IGetDocumentRequest;
export type ListCollectionIdsRequest = google.firestore.v1.IListCollectionIdsRequest;
export type ListCollectionIdsResponse = google.firestore.v1.IListCollectionIdsResponse;
export type ListDocumentsRequest = google.firestore.v1.IListDocumentsRequest;
export type ListDocumentsResponse = google.firestore.v1.IListDocumentsResponse;
export type ListenRequest = google.firestore.v1.IListenRequest;
export type ListenResponse = google.firestore.v1.IListenResponse;
export type RollbackRequest = google.firestore.v1.IRollbackRequest;
export type RunAggregationQueryRequest = google.firestore.v1.IRunAggregationQueryRequest;
export type RunAggregationQueryResponse = google.firestore.v1.IRunAggregationQueryResponse;
export type RunQueryRequest = google.firestore.v1.IRunQueryRequest;
export type RunQueryResponse = google.firestore.v1.IRunQueryResponse;
export type UpdateDocumentRequest = google.firestore.v1.IUpdateDocumentRequest;
