import { type Directory, makeDirectory } from './directory.ts';
import type { ApplyResult, ChangeAction, ChangeEntry, Journal, JournalEntry } from './journal.ts';
import type { MemberPatch, WireMember } from './wire-member.ts';

/** A control that cannot be carried out. `status` is what the control API answers. */
export class ControlError extends Error {
  readonly status: 400 | 404 | 409;

  constructor(status: 400 | 404 | 409, message: string) {
    super(message);
    this.name = 'ControlError';
    this.status = status;
  }
}

export type Outbox = ReturnType<typeof makeOutbox>;

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
  /** Whether changes made from now on owe a webhook. */
  readonly announce: boolean;
  /**
   * Called right after each change that owes a webhook, while the rows still stand as that change left them; `before` is
   * the member as they were, null for somebody who was none.
   */
  readonly onAnnounce: (change: ChangeEntry, directory: Directory, before: WireMember | null) => void;
}

/**
 * The registry without its HTTP side: rows, outbox and remembered answers, rebuilt from the journal. Every write is in the
 * journal first. Webhooks that an earlier run still owed are announced once more.
 */
export const openState = ({ journal, announce, onAnnounce }: StateOptions) => {
  const directory = makeDirectory(journal.generation);
  const outbox = makeOutbox();
  const applied = new Map<string, ApplyResult>();

  const admit = (change: ChangeEntry): void => {
    if (change.action === 'create' && !directory.has(change.index)) directory.add();
    else if (change.action !== 'update') directory.setDeleted(change.index, change.action === 'delete');
    directory.patch(change.index, change.patch, change.id, change.at);
    outbox.add(change);
    if (change.applied) applied.set(change.applied.changeId, change.applied.result);
  };

  const settled = new Set(journal.entries.flatMap((entry) => (entry.type === 'settled' ? [entry.id] : [])));
  const replay = (entry: JournalEntry): void => {
    switch (entry.type) {
      case 'change':
        admit(entry);
        if (announce && entry.announce && !settled.has(entry.id)) onAnnounce(entry, directory, null);
        return;
      case 'synced':
        outbox.markSynced(entry.ids);
        return;
      case 'applied':
        applied.set(entry.changeId, entry.result);
        return;
      case 'settled':
        return;
      default: {
        const never: never = entry;
        throw new Error(`The journal holds an unknown entry: ${JSON.stringify(never)}`);
      }
    }
  };
  for (const entry of journal.entries) replay(entry);

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
      announce,
      ...(options.applied && { applied: options.applied(id) }),
    };
    const before = directory.isLive(index) ? directory.member(index) : null;
    journal.append(change);
    admit(change);
    if (announce) onAnnounce(change, directory, before);
    return change;
  };
  const assertRow = (index: number, live: boolean): void => {
    if (!directory.has(index)) throw new ControlError(404, `There is no member with id ${index + 1}.`);
    if (directory.isLive(index) !== live) {
      throw new ControlError(409, `The member with id ${index + 1} is ${live ? 'deleted' : 'not deleted'}.`);
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
