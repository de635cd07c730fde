import { type DocumentSnapshot, FieldPath, type Query, Timestamp } from 'firebase-admin/firestore';
import { z } from 'zod';
import { SyncError } from '../../lib/errors.ts';
import type { Page, PageRequest } from '../../ops/ports.ts';

const cursorShape = z.tuple([z.number().int(), z.number().int().min(0).max(999_999_999), z.string().min(1)]);

/**
 * One page of a query, newest first by a field of type Timestamp, documents of one moment by their id. The cursor is the
 * place after the last document, so that what is written meanwhile moves nothing.
 * Throws `invalid_request` for a cursor that is none.
 */
export const readPage = async <T>(
  query: Query,
  timeField: string,
  { limit, before }: PageRequest,
  toItem: (document: DocumentSnapshot) => T,
): Promise<Page<T>> => {
  const ordered = query.orderBy(timeField, 'desc').orderBy(FieldPath.documentId(), 'desc');
  const from = before === undefined ? ordered : ordered.startAfter(...placeOf(before));
  const { docs } = await from.limit(limit + 1).get();
  const shown = docs.slice(0, limit);
  const last = docs.length > limit ? shown.at(-1) : undefined;
  return { items: shown.map(toItem), next: last === undefined ? null : cursorOf(last, timeField) };
};

const cursorOf = (document: DocumentSnapshot, timeField: string): string => {
  const time = document.get(timeField) as Timestamp;
  return Buffer.from(JSON.stringify([time.seconds, time.nanoseconds, document.id])).toString('base64url');
};

const placeOf = (cursor: string): [Timestamp, string] => {
  try {
    const text = Buffer.from(cursor, 'base64url').toString('utf8');
    const [seconds, nanoseconds, id] = cursorShape.parse(JSON.parse(text));
    return [new Timestamp(seconds, nanoseconds), id];
  } catch {
    throw new SyncError('invalid_request', 'before: take it from `next` of the page before.');
  }
};
