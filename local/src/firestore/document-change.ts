import { isDeepStrictEqual } from 'node:util';
import type { V1Document, V1Timestamp } from './wire.ts';

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

export type ChangeKind = 'created' | 'updated' | 'deleted';

export function changeKind(change: DocumentChange): ChangeKind {
  if (!change.before) return 'created';
  return change.after ? 'updated' : 'deleted';
}

/** False for a new version with the old data, which the engine makes of documents that hold bytes. */
export function hasNewData({ before, after }: DocumentChange): boolean {
  return !before || !after || !isDeepStrictEqual(before.fields, after.fields);
}

export function isSameVersion(a: V1Document | undefined, b: V1Document | undefined): boolean {
  if (!a || !b) return a === b;
  return isSameTime(a.updateTime, b.updateTime) && isSameTime(a.createTime, b.createTime);
}

function isSameTime(a: V1Timestamp | null | undefined, b: V1Timestamp | null | undefined): boolean {
  return String(a?.seconds ?? 0) === String(b?.seconds ?? 0) && (a?.nanos ?? 0) === (b?.nanos ?? 0);
}
