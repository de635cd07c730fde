import { Timestamp } from 'firebase-admin/firestore';
import type { DocumentState } from '../../portal/ports.ts';

/** A document's state is the time of its last update, which each write changes; null when there is no document. */
export const toDocumentState = (updateTime: Timestamp | undefined): DocumentState =>
  updateTime === undefined ? null : `${updateTime.seconds}.${updateTime.nanoseconds}`;

export const fromDocumentState = (state: string): Timestamp => {
  const [seconds, nanoseconds] = state.split('.').map(Number);
  return new Timestamp(seconds ?? Number.NaN, nanoseconds ?? Number.NaN);
};
