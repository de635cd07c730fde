import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type DocumentData, type DocumentSnapshot, Timestamp } from 'firebase-admin/firestore';
import { z } from 'zod';
import { isKennitala, type Kennitala } from '../../domain/kennitala.ts';
import type { StoredMember } from '../../domain/member/decide-change.ts';
import type { Json } from '../../domain/member/fields.ts';
import type { PendingEdit } from '../../domain/member/kept-values.ts';
import { type ConflictRecord, isOpen, type PathConflict } from '../../twoway/conflict.ts';
import type { DocumentWrite } from '../../twoway/ports.ts';
import {
  type EditTime,
  makeEditTime,
  type PathEdit,
  partsOf,
  type QueueItem,
  type SettledEdit,
  toEditTime,
} from '../../twoway/queue.ts';
import { asRegistration, fromMemberDocument } from './member-document.ts';

/** Firestore keeps microseconds; production commits in no finer steps. */
export const toEditTimestamp = (time: EditTime): Timestamp => {
  const { seconds, nanoseconds } = partsOf(time);
  return new Timestamp(seconds, nanoseconds);
};

export const toEditTimeOf = ({ seconds, nanoseconds }: Timestamp): EditTime =>
  makeEditTime(seconds, nanoseconds);

const timestamp = z.instanceof(Timestamp);
const date = timestamp.transform((time) => time.toDate());
const editTime = timestamp.transform(toEditTimeOf);
const json = z.json() as z.ZodType<Json>;
const edit = z.object({ old_value: json, new_value: json });
const deliveredPath = z.object({ expected: json.optional(), new_value: json, edited_at: editTime });

const itemDocument = z.object({
  kennitala: z.string(),
  django_id: z.number().nullable(),
  action: z.enum(['create', 'update']),
  changes: z.record(z.string(), edit),
  settled: z.record(
    z.string(),
    edit.extend({ outcome: z.enum(['synced', 'superseded', 'cancelled', 'failed', 'conflict']) }),
  ),
  sync_status: z.enum(['pending', 'synced', 'failed', 'conflict']),
  created_at: date,
  edited_at: editTime,
  is_continuation: z.boolean(),
  is_moved: z.literal(true).optional(),
  synced_at: date.nullable(),
  error_message: z.string().nullable(),
  retry_count: z.number(),
  next_attempt_at: date,
  retry_until: date,
  deliveries: z.number(),
  claim: z.object({ owner: z.string(), expires_at: date }).nullable(),
  delivery: z
    .object({
      change_id: z.string(),
      action: z.enum(['create', 'update']),
      paths: z.record(z.string(), deliveredPath),
    })
    .nullable(),
});

/** An item as `sync_queue/{id}` holds it. Once it has ended, `changes` shows all of its paths again. */
export const toItemDocument = (item: QueueItem): DocumentData => ({
  source: 'firestore',
  target: 'django',
  kennitala: item.kennitala,
  django_id: item.djangoId,
  action: item.action,
  changes: mapValues(item.status === 'pending' ? item.changes : item.settled, toEdit),
  settled: mapValues(item.settled, (it) => ({ ...toEdit(it), outcome: it.outcome })),
  sync_status: item.status,
  created_at: item.createdAt,
  edited_at: toEditTimestamp(item.editedAt),
  is_continuation: item.isContinuation,
  ...(item.isMoved && { is_moved: true }),
  synced_at: item.syncedAt,
  error_message: item.errorMessage,
  retry_count: item.retryCount,
  next_attempt_at: item.nextAttemptAt,
  retry_until: item.retryUntil,
  deliveries: item.deliveries,
  claim: item.claim === null ? null : { owner: item.claim.owner, expires_at: item.claim.expiresAt },
  delivery:
    item.delivery === null
      ? null
      : {
          change_id: item.delivery.changeId,
          action: item.delivery.action,
          paths: mapValues(item.delivery.paths, ({ newValue, editedAt, ...rest }) => ({
            ...rest,
            new_value: newValue,
            edited_at: toEditTimestamp(editedAt),
          })),
        },
});

/** Reads what `toItemDocument` wrote; null for a document of another author, which is left alone. */
export const tryItemDocument = (id: string, data: DocumentData): QueueItem | null => {
  const read = itemDocument.safeParse(data);
  if (!read.success) return null;
  const document = read.data;
  const { claim, delivery } = document;
  return {
    id,
    kennitala: document.kennitala as Kennitala,
    djangoId: document.django_id,
    action: document.action,
    changes: document.sync_status === 'pending' ? mapValues(document.changes, fromEdit) : {},
    settled: mapValues(document.settled, (it): SettledEdit => ({ ...fromEdit(it), outcome: it.outcome })),
    status: document.sync_status,
    editedAt: document.edited_at,
    isContinuation: document.is_continuation,
    ...(document.is_moved && { isMoved: true }),
    createdAt: document.created_at,
    syncedAt: document.synced_at,
    errorMessage: document.error_message,
    retryCount: document.retry_count,
    nextAttemptAt: document.next_attempt_at,
    retryUntil: document.retry_until,
    deliveries: document.deliveries,
    claim: claim === null ? null : { owner: claim.owner, expiresAt: claim.expires_at },
    delivery:
      delivery === null
        ? null
        : {
            changeId: delivery.change_id,
            action: delivery.action,
            paths: mapValues(delivery.paths, ({ new_value: newValue, edited_at: editedAt, expected }) => ({
              newValue,
              editedAt,
              ...(expected !== undefined && { expected }),
            })),
          },
  };
};

const toEdit = ({ oldValue, newValue }: PathEdit) => ({ old_value: oldValue, new_value: newValue });

const fromEdit = ({ old_value, new_value }: z.output<typeof edit>): PathEdit => ({
  oldValue: old_value,
  newValue: new_value,
});

const mapValues = <In, Out>(
  values: Readonly<Record<string, In>>,
  to: (value: In) => Out,
): Record<string, Out> => Object.fromEntries(Object.entries(values).map(([key, value]) => [key, to(value)]));

/** A decided conflict is kept for 12 months, as every record; an open one until somebody decides. */
const DECIDED_KEPT_MS = 365 * 24 * 60 * 60_000;

const pathConflict = z
  .object({
    expected: json,
    portal: z.object({ value: json, edited_at: date }),
    registry: z.object({ value: json, changed_at: date.nullable() }),
    winner: z.enum(['portal', 'registry']),
    reason: z.enum(['later', 'too-close', 'incomparable']),
    state: z.enum(['open', 'resolved']),
    resolution: z
      .object({ keep: z.enum(['portal', 'registry', 'value']), value: json, by: z.string(), at: date })
      .nullable(),
  })
  .transform(
    ({ portal, registry, ...rest }): PathConflict => ({
      ...rest,
      portal: { value: portal.value, editedAt: portal.edited_at },
      registry: { value: registry.value, changedAt: registry.changed_at },
    }),
  );

const conflictDocument = z.object({
  kennitala: z.string(),
  detected_at: date,
  paths: z.record(z.string(), pathConflict),
});

/** A conflict as `sync_conflicts/{changeId}` holds it. */
export const toConflictDocument = (record: ConflictRecord): DocumentData => {
  const isDecided = !isOpen(record);
  const ends = Object.values(record.paths).map(({ resolution }) =>
    (resolution?.at ?? record.detectedAt).getTime(),
  );
  return {
    kennitala: record.kennitala,
    state: isDecided ? 'resolved' : 'open',
    detected_at: record.detectedAt,
    paths: Object.fromEntries(
      Object.entries(record.paths).map(([path, { portal, registry, ...rest }]) => [
        path,
        {
          ...rest,
          portal: { value: portal.value, edited_at: portal.editedAt },
          registry: { value: registry.value, changed_at: registry.changedAt },
        },
      ]),
    ),
    expireAt: isDecided ? new Date(Math.max(...ends) + DECIDED_KEPT_MS) : null,
  };
};

/** @throws ZodError for a document of another author. */
export const fromConflictDocument = (id: string, data: DocumentData): ConflictRecord => {
  const { kennitala, detected_at: detectedAt, paths } = conflictDocument.parse(data);
  return { id, kennitala: kennitala as Kennitala, detectedAt, paths };
};

const queueItem = z.object({
  edited_at: z.instanceof(Timestamp),
  changes: z.record(z.string(), z.object({ old_value: z.unknown(), new_value: z.unknown() })),
});

/** The edits of one `sync_queue` document. The sweep reports one that cannot be read; here it holds up nothing. */
export const toPendingEdits = (data: DocumentData): PendingEdit[] => {
  const read = queueItem.safeParse(data);
  if (!read.success) return [];
  const editedAt = read.data.edited_at.toDate();
  return Object.entries(read.data.changes).map(([path, { old_value: from, new_value: value }]) => ({
    path,
    editedAt,
    from,
    value,
  }));
};

/** The parts of an event of `onDocumentWritten` that are used. */
export interface MemberEvent {
  readonly id: string;
  /** ISO 8601. */
  readonly time: string;
  readonly kennitala: string;
  readonly before: DocumentSnapshot;
  readonly after: DocumentSnapshot;
}

/** Null for a document whose id is no kennitala: no server of ours, and no client, writes one. */
export const toMemberWrite = ({ id, time, kennitala, before, after }: MemberEvent): DocumentWrite | null => {
  if (!isKennitala(kennitala)) return null;
  const { updateTime } = after;
  const isServers = !isDeepStrictEqual(before.data()?.['metadata'], after.data()?.['metadata']);
  const [was, is] = [shownIn(kennitala, before), shownIn(kennitala, after)];
  return {
    eventId: toDocumentId(id),
    kennitala,
    at: updateTime === undefined ? toEditTime(new Date(time)) : toEditTimeOf(updateTime),
    before: was,
    after: was === null && is !== null && !isServers ? asRegistration(is, after.data() ?? {}) : is,
    isServers,
  };
};

/** The documents of an event were not read: the client throws when it is asked when they were. */
const shownIn = (kennitala: Kennitala, snapshot: DocumentSnapshot): StoredMember | null => {
  const data = snapshot.data();
  return data === undefined ? null : fromMemberDocument(kennitala, data);
};

/** An event's id is any text; a document's, and a change's in the registry, is not. */
const toDocumentId = (eventId: string): string =>
  /^[A-Za-z0-9-]{1,64}$/.test(eventId) ? eventId : createHash('sha256').update(eventId).digest('hex');
