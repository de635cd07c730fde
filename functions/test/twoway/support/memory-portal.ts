import { parsePortalMember } from '../../../src/adapters/firestore/member-document.ts';
import type { Kennitala } from '../../../src/domain/kennitala.ts';
import { type StoredMember, withHeard } from '../../../src/domain/member/decide-change.ts';
import { type FieldValues, withFields } from '../../../src/domain/member/fields.ts';
import { formerWithdrawals, isNewNumber, type PendingEdit } from '../../../src/domain/member/kept-values.ts';
import type { ChangeOutcome, EventReceipt, MemberStore } from '../../../src/portal/ports.ts';
import { type ConflictRecord, isOpen } from '../../../src/twoway/conflict.ts';
import type { DocumentWrite, MemberView, Step, TwoWayStore } from '../../../src/twoway/ports.ts';
import { dateOf, type EditTime, makeEditTime, type QueueItem } from '../../../src/twoway/queue.ts';

interface Document {
  readonly stored: StoredMember;
  readonly at: EditTime;
  readonly createdAt: EditTime;
}

/**
 * The portal's stores in memory, which the suite of their contract holds to what Firestore does: each transaction is one
 * step, and each write of a member's document tells the trigger.
 */
export const makeMemoryPortal = (
  now: () => Date,
  onWrite: (write: DocumentWrite) => void = () => undefined,
) => {
  const documents = new Map<Kennitala, Document>();
  const items = new Map<string, QueueItem>();
  const conflicts = new Map<string, ConflictRecord>();
  const receipts = new Map<string, EventReceipt>();
  let commits = 0;

  const write = (kennitala: Kennitala, stored: StoredMember, isServers: boolean): void => {
    commits += 1;
    const milliseconds = now().getTime();
    const nanoseconds = (milliseconds % 1_000) * 1_000_000 + (commits % 1_000_000);
    const at = makeEditTime(Math.floor(milliseconds / 1_000), nanoseconds);
    const known = documents.get(kennitala);
    const before = known?.stored ?? null;
    documents.set(kennitala, { stored, at, createdAt: known?.createdAt ?? at });
    onWrite({ eventId: `event-${commits}`, kennitala, at, before, after: stored, isServers });
  };
  const itemsOf = (kennitala: Kennitala, test: (item: QueueItem) => boolean): QueueItem[] =>
    [...items.values()].filter((item) => item.kennitala === kennitala && test(item));
  const viewOf = (kennitala: Kennitala, reads: Parameters<TwoWayStore['transact']>[1]): MemberView => ({
    stored: documents.get(kennitala)?.stored ?? null,
    state: documents.get(kennitala)?.at ?? null,
    createdAt: documents.get(kennitala)?.createdAt ?? null,
    pending: itemsOf(kennitala, ({ status }) => status === 'pending'),
    item: items.get(reads.item ?? '') ?? null,
    later: itemsOf(kennitala, ({ editedAt }) => reads.laterThan !== undefined && editedAt > reads.laterThan),
    failed: itemsOf(kennitala, ({ status }) => reads.failed === true && status === 'failed'),
    conflict: conflicts.get(reads.conflict ?? '') ?? null,
    openConflicts: [...conflicts.values()].filter(
      (it) => reads.openConflicts === true && it.kennitala === kennitala && isOpen(it),
    ),
  });

  const formerOf = (kennitala: Kennitala, djangoId: number) =>
    formerWithdrawals(
      [...documents].flatMap(([other, { stored }]) => {
        if (other === kennitala || stored.meta.django_id !== djangoId) return [];
        const { withdrawn = {}, deleted_at: deletedAt } = stored.meta;
        return [{ withdrawn, deletedAt, pending: editsIn(viewOf(other, {}).pending) }];
      }),
    );

  const commit = <T>(kennitala: Kennitala, step: Step<T>): T => {
    for (const item of step.items ?? []) items.set(item.id, structuredClone(item));
    const held = documents.get(kennitala)?.stored;
    if (step.member != null) {
      if (held === undefined) throw new Error('There is no document to update.');
      const { values, meta } = step.member;
      write(kennitala, { member: withFields(held.member, values), meta: withHeard(meta, values) }, true);
    }
    for (const conflict of step.conflicts ?? []) conflicts.set(conflict.id, structuredClone(conflict));
    return step.result;
  };

  const store: TwoWayStore = {
    transact: async (kennitala, reads, _at, decide) => commit(kennitala, decide(viewOf(kennitala, reads))),
    transactAll: async (kennitalas, _at, decide) => {
      const views = kennitalas.map(
        (kennitala) => [kennitala, decide(kennitala, viewOf(kennitala, {}))] as const,
      );
      return new Map(views.map(([kennitala, step]) => [kennitala, commit(kennitala, step)]));
    },
    members: async ({ which, now: at, limit, except }) => {
      const status = which === 'failed' ? 'failed' : 'pending';
      const waiting = [...items.values()]
        .filter((item) => item.status === status && (which !== 'due' || item.nextAttemptAt <= at))
        .sort((a, b) => a.nextAttemptAt.getTime() - b.nextAttemptAt.getTime());
      const members = new Set(waiting.map(({ kennitala }) => kennitala).filter((it) => !except.has(it)));
      return [...members].slice(0, limit);
    },
    conflictMember: async (id) => conflicts.get(id)?.kennitala ?? null,
    deleteSynced: async (before) => {
      const old = [...items.values()].filter(({ syncedAt }) => syncedAt !== null && syncedAt < before);
      for (const { id } of old) items.delete(id);
      return old.length;
    },
  };

  const members: MemberStore = {
    read: async (kennitala) => {
      const { stored, state } = viewOf(kennitala, {});
      return { stored, state, writtenAt: null };
    },
    applyChange: async ({
      kennitala,
      eventId,
      ifState,
      djangoId,
      decide,
      toReceipt,
    }): Promise<ChangeOutcome> => {
      const known = eventId === null ? undefined : receipts.get(eventId);
      if (known !== undefined) return { kind: 'duplicate', receipt: known };
      const { stored, state, pending } = viewOf(kennitala, {});
      if (ifState !== undefined && ifState !== state) return { kind: 'moved' };
      const former = isNewNumber(stored, djangoId) ? formerOf(kennitala, djangoId) : {};
      const decision = decide(stored, editsIn(pending), former);
      if (decision === null) return { kind: 'undecided' };
      const receipt = toReceipt(decision);
      if (decision.kind === 'write') write(kennitala, { member: decision.member, meta: decision.meta }, true);
      if (eventId !== null) receipts.set(eventId, receipt);
      return { kind: 'decided', decision, receipt };
    },
  };

  return {
    store,
    members,
    items,
    conflicts,
    stored: (kennitala: Kennitala) => documents.get(kennitala)?.stored ?? null,
    /** What the member's own client does. */
    edit: (kennitala: Kennitala, values: Partial<FieldValues>): void => {
      const held = documents.get(kennitala)?.stored;
      if (held === undefined) throw new Error('There is no such member.');
      write(kennitala, { ...held, member: withFields(held.member, values) }, false);
    },
    /** What an erasure leaves: nothing. */
    erase: (kennitala: Kennitala): void => void documents.delete(kennitala),
    /** What a registration does: a document without metadata. */
    register: (kennitala: Kennitala, values: Partial<FieldValues>): void => {
      const member = withFields(parsePortalMember(kennitala, {}), values);
      const meta = { django_id: null, source_version: null, source_hash: null, deleted_at: null };
      write(kennitala, { member, meta }, false);
    },
  };
};

const editsIn = (items: readonly QueueItem[]): PendingEdit[] =>
  items.flatMap(({ changes, editedAt }) =>
    Object.entries(changes).map(([path, { oldValue: from, newValue: value }]) => ({
      path,
      from,
      value,
      editedAt: dateOf(editedAt),
    })),
  );

export type MemoryPortal = ReturnType<typeof makeMemoryPortal>;
