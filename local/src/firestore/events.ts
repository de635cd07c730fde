import { isDeepStrictEqual } from 'node:util';
import type { HttpEvent } from '../deliverer.ts';
import { planChangedPaths } from './names.ts';
import { type DocumentEventData, encodeDocumentEventData, type V1Document } from './protocol.ts';

/** One document that a commit changed, to another version. */
export interface DocumentChange {
  /** Unique: what production would put into `ce-id`. */
  id: string;
  /** `projects/p/databases/d` */
  database: string;
  /** `collection/id`, with more pairs for a subcollection */
  path: string;
  /** Absent when the document was created. */
  before?: V1Document;
  /** Absent when the document was deleted. */
  after?: V1Document;
  /** When the commit took effect. */
  time: Date;
}

/** The last part of the type of a trigger that only wants such changes. */
export function kindOf(change: DocumentChange): 'created' | 'updated' | 'deleted' {
  if (!change.before) return 'created';
  return change.after ? 'updated' : 'deleted';
}

/** False for a new version with the old data, which the engine makes of documents that hold bytes. */
export function hasNewData({ before, after }: DocumentChange): boolean {
  return !before || !after || !isDeepStrictEqual(before.fields, after.fields);
}

export function isSameVersion(a: V1Document | undefined, b: V1Document | undefined): boolean {
  return isDeepStrictEqual([a?.createTime, a?.updateTime], [b?.createTime, b?.updateTime]);
}

const SCHEMA =
  'https://github.com/googleapis/google-cloudevents/blob/main/proto/google/events/cloud/firestore/v1/data.proto';

/**
 * The event that production sends for a change, in the binary mode of the CloudEvents HTTP binding, with a protobuf body.
 * Attributes: "Cloud Firestore event format" in the Eventarc documentation.
 * @param location the database's, for example `europe-west2`
 */
export function toDocumentEvent(
  change: DocumentChange,
  location: string,
  type = 'google.cloud.firestore.document.v1.written',
): HttpEvent {
  const [, project = '', , database = ''] = change.database.split('/');
  const attributes = {
    'ce-specversion': '1.0',
    'ce-id': change.id,
    'ce-type': type,
    'ce-source': `//firestore.googleapis.com/projects/${project}/databases/${database}`,
    'ce-subject': `documents/${change.path}`,
    'ce-time': change.time.toISOString(),
    'ce-dataschema': SCHEMA,
    'ce-project': project,
    'ce-database': database,
    'ce-namespace': '(default)',
    'ce-document': change.path,
    'ce-location': location,
  };
  const headers = Object.entries(attributes).map(([name, value]) => [name, toHeaderValue(value)] as const);
  return {
    headers: { ...Object.fromEntries(headers), 'content-type': 'application/protobuf' },
    body: encodeDocumentEventData(eventData(change)),
  };
}

const eventData = ({ before, after }: DocumentChange): DocumentEventData => ({
  ...(after && { value: after }),
  ...(before && { oldValue: before }),
  ...(before &&
    after && { updateMask: { fieldPaths: planChangedPaths(before.fields ?? {}, after.fields ?? {}) } }),
});

/** CloudEvents HTTP binding 3.1.3.2: what is no printable ASCII, and `"` and `%`, is percent-encoded. */
function toHeaderValue(value: string): string {
  return value.replaceAll(/[^\x21\x23\x24\x26-\x7e]/gu, (char) => encodeURIComponent(char));
}
