import { HTTPException } from 'hono/http-exception';
import { type Directory, makeDirectory } from './directory.ts';
import type { ApplyResult, ChangeAction, ChangeEntry, Journal, JournalEntry } from './journal.ts';
import type { MemberPatch, WireMember } from './wire-member.ts';

/** A control that cannot be carried out, as the control API answers it. */
export const refusedControl = (status: 400 | 404 | 409, message: string): HTTPException =>
  new HTTPException(status, { message });

/** The change queue: one row a change, pending until the sync service marks it synced. */
const makeOutbox = () => {
  const waiting = new Map<number, ChangeEntry>();
  let lastId = 0;
  let synced = 0;
  return {
    get lastId() {
      return lastId;
    },
    add: (change: ChangeEntry): void => {
      lastId = change.id;
      // The portal's own edit must not come back to it as an edit of the registry's.
      if (change.origin === 'portal') synced += 1;
      else waiting.set(change.id, change);
    },
    /** Pending changes, oldest first; with `since` (milliseconds) only those created at or after it. */
    pending: (since = 0): ChangeEntry[] =>
      [...waiting.values()].filter((change) => Date.parse(change.at) >= since),
    /** Answers the ids that were pending until now; unknown and already synced ones are left out. */
    markSynced: (ids: readonly number[]): number[] => {
      const marked = ids.filter((id) => waiting.delete(id));
      synced += marked.length;
      return marked;
    },
    counts: () => ({
      pending: waiting.size,
      synced,
      oldestPending: waiting.values().next().value?.at ?? null,
    }),
  };
};

interface ChangeOptions {
  readonly origin?: 'registry' | 'portal';
  readonly applied?: (version: number) => { readonly changeId: string; readonly result: ApplyResult };
}

export type RegistryState = ReturnType<typeof openState>;

interface StateOptions {
  readonly journal: Journal;
  /**
   * Called right after each change, while the rows still stand as that change left them; `before` is the member as they
   * were, null for somebody who was none.
   */
  readonly onChange: (change: ChangeEntry, directory: Directory, before: WireMember | null) => void;
}

/**
 * The registry without its HTTP side: rows, outbox and remembered answers, rebuilt from the journal. Every write is in the
 * journal first.
 */
export const openState = ({ journal, onChange }: StateOptions) => {
  const directory = makeDirectory(journal.generation);
  const outbox = makeOutbox();
  const applied = new Map<string, ApplyResult>();

  const admit = (entry: JournalEntry): void => {
    if (entry.type === 'synced') outbox.markSynced(entry.ids);
    if (entry.type === 'applied') applied.set(entry.changeId, entry.result);
    if (entry.type !== 'change') return;
    if (entry.action === 'create' && !directory.has(entry.index)) directory.add();
    else if (entry.action !== 'update') directory.setDeleted(entry.index, entry.action === 'delete');
    directory.patch(entry.index, entry.patch, entry.id, entry.at);
    outbox.add(entry);
    if (entry.applied) applied.set(entry.applied.changeId, entry.applied.result);
  };
  for (const entry of journal.entries) admit(entry);

  const commit = (index: number, action: ChangeAction, patch: MemberPatch, options: ChangeOptions = {}) => {
    const id = outbox.lastId + 1;
    const change: ChangeEntry = {
      type: 'change',
      id,
      index,
      action,
      patch,
      at: new Date().toISOString(),
      origin: options.origin ?? 'registry',
      ...(options.applied && { applied: options.applied(id) }),
    };
    const before = directory.isLive(index) ? directory.member(index) : null;
    journal.append(change);
    admit(change);
    onChange(change, directory, before);
    return change;
  };
  const assertRow = (index: number, live: boolean): void => {
    if (!directory.has(index)) throw refusedControl(404, `There is no member with id ${index + 1}.`);
    if (directory.isLive(index) !== live) {
      throw refusedControl(409, `The member with id ${index + 1} is ${live ? 'deleted' : 'not deleted'}.`);
    }
  };

  return {
    directory,
    outbox,
    /** A new row, made up and then patched. */
    create: (patch: MemberPatch = {}): ChangeEntry => commit(directory.rows, 'create', patch),
    /** A deleted row comes back, as a create with a newer version. */
    restore: (index: number, patch: MemberPatch = {}): ChangeEntry => {
      assertRow(index, false);
      return commit(index, 'create', patch);
    },
    update: (index: number, patch: MemberPatch, options?: ChangeOptions): ChangeEntry => {
      assertRow(index, true);
      return commit(index, 'update', patch, options);
    },
    remove: (index: number): ChangeEntry => {
      assertRow(index, true);
      return commit(index, 'delete', {});
    },
    markSynced: (ids: readonly number[]): number => {
      const marked = outbox.markSynced(ids);
      if (marked.length > 0) journal.append({ type: 'synced', ids: marked });
      return marked.length;
    },
    appliedResult: (changeId: string): ApplyResult | null => applied.get(changeId) ?? null,
    rememberApplied: (changeId: string, result: ApplyResult): void => {
      journal.append({ type: 'applied', changeId, result });
      applied.set(changeId, result);
    },
  };
};
