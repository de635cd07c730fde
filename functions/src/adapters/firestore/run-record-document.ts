import { type DocumentData, Timestamp } from 'firebase-admin/firestore';
import type { RunRecord } from '../../mirror/mirror.ts';

/** A record as `sync_audit/{runId}` holds it: the same fields, times as Timestamps. */
export const toDocument = (record: RunRecord): DocumentData => ({
  ...record,
  timestamp: Timestamp.fromDate(record.timestamp),
  djangoExportedAt: record.djangoExportedAt === null ? null : Timestamp.fromDate(record.djangoExportedAt),
  expireAt: Timestamp.fromDate(record.expireAt),
});

/** Reads back what `toDocument` wrote, without what stands beside the record. */
export const fromDocument = ({ chain, erased, ...data }: DocumentData): RunRecord =>
  ({
    ...data,
    timestamp: (data['timestamp'] as Timestamp).toDate(),
    djangoExportedAt: (data['djangoExportedAt'] as Timestamp | null)?.toDate() ?? null,
    expireAt: (data['expireAt'] as Timestamp).toDate(),
  }) as RunRecord;
