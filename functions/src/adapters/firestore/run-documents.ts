import { type DocumentData, FieldValue, Timestamp } from 'firebase-admin/firestore';
import type { Cursor, LastSuccess, RunRecord, Unfinished } from '../../mirror/mirror.ts';
import type { ScheduledOccurrence } from '../../mirror/run-store.ts';

/** A record as `sync_audit/{runId}` holds it: the same fields, times as Timestamps. */
export const toDocument = (record: RunRecord): DocumentData => ({
  ...record,
  timestamp: Timestamp.fromDate(record.timestamp),
  djangoExportedAt: record.djangoExportedAt === null ? null : Timestamp.fromDate(record.djangoExportedAt),
  expireAt: Timestamp.fromDate(record.expireAt),
});

/** The fields by which `document`, made of `record`, differs from the one that was made of `before`. */
export const changedFields = (before: RunRecord, record: RunRecord, document: DocumentData): DocumentData => {
  const isChanged = (field: string): boolean =>
    record[field as keyof RunRecord] !== before[field as keyof RunRecord];
  const gone = Object.keys(before).filter((field) => !(field in record));
  return {
    ...Object.fromEntries(Object.entries(document).filter(([field]) => isChanged(field))),
    ...Object.fromEntries(gone.map((field) => [field, FieldValue.delete()])),
  };
};

/** Reads back what `toDocument` wrote, without what stands beside the record. */
export const fromDocument = ({ chain, erased, ...data }: DocumentData): RunRecord =>
  ({
    ...data,
    timestamp: (data['timestamp'] as Timestamp).toDate(),
    djangoExportedAt: (data['djangoExportedAt'] as Timestamp | null)?.toDate() ?? null,
    expireAt: (data['expireAt'] as Timestamp).toDate(),
  }) as RunRecord;

/** `sync_state/{mirror}`; times are Timestamps. */
export interface StoredMirrorState {
  readonly lease?: { readonly owner: string; readonly expiresAt: Timestamp; readonly planId?: string } | null;
  readonly lastSuccess?: { readonly runId: string; readonly at: Timestamp; readonly memberCount: number };
  readonly unfinished?: Unfinished | null;
  readonly cursor?: Cursor | null;
  readonly lastDone?: ScheduledOccurrence & { readonly runId: string };
  readonly pause?: { readonly reason: string; readonly by: string; readonly at: Timestamp } | null;
}

export const isDone = (
  done: StoredMirrorState['lastDone'],
  occurrence: ScheduledOccurrence,
): done is NonNullable<StoredMirrorState['lastDone']> =>
  done?.job === occurrence.job && done.time === occurrence.time;

export const lastSuccessOf = ({ lastSuccess }: StoredMirrorState): LastSuccess | null =>
  lastSuccess === undefined ? null : { ...lastSuccess, at: lastSuccess.at.toDate() };

export const stateAfter = (record: RunRecord, occurrenceDone: ScheduledOccurrence | null): DocumentData => {
  const { runId, outcome, errorCode, timestamp: at, memberCount } = record;
  const isAsPlanned = outcome === 'published' || outcome === 'unchanged';
  // After a rollback the mirror is as planned, but not equal to the registry.
  // A proof's run looked at some buckets alone.
  const isSuccess = isAsPlanned && record.rollbackOf === undefined && record.trigger !== 'proof';
  return {
    lease: null,
    ...(outcome !== 'skipped' && { last: { runId, outcome, errorCode, at } }),
    ...(saysRegistryCount(record) && { registry: { count: memberCount, at, runId } }),
    ...(isAsPlanned && { members: memberCount }),
    ...(isSuccess && { lastSuccess: { runId, at, memberCount }, unfinished: null, cursor: null }),
    ...(outcome === 'partial' && { unfinished: record.unfinished }),
    ...(occurrenceDone !== null && { lastDone: { ...occurrenceDone, runId } }),
  };
};

/** What the registry counted, for who compares mirrors with it; a rollback has another source. */
const saysRegistryCount = ({ outcome, planId, rollbackOf, memberCount }: RunRecord): boolean =>
  (outcome === 'published' || outcome === 'unchanged' || outcome === 'blocked') &&
  planId !== null &&
  rollbackOf === undefined &&
  memberCount !== null;

export const abandonedBy = (next: RunRecord): DocumentData => ({
  status: 'error',
  outcome: 'failed',
  errorCode: 'abandoned',
  error: `The run ended without closing this record; run ${next.runId} closed it. That run says what it found.`,
});
