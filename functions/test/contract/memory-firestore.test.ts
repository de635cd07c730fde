import { Timestamp } from 'firebase-admin/firestore';
import { toListDocument } from '../../src/adapters/firestore/change-lists.ts';
import { makeHintStore } from '../../src/adapters/firestore/hint-store.ts';
import { parsePortalMember, toMemberDocument } from '../../src/adapters/firestore/member-document.ts';
import { makeMemberStore } from '../../src/adapters/firestore/member-store.ts';
import { makePortalIndex, makePortalWriter } from '../../src/adapters/firestore/portal-documents.ts';
import { makeQueueStore } from '../../src/adapters/firestore/queue-store.ts';
import { fromDocument } from '../../src/adapters/firestore/run-documents.ts';
import { makeRunStore } from '../../src/adapters/firestore/run-store.ts';
import { withFields } from '../../src/domain/member/fields.ts';
import { holdCommits } from '../support/before-commit.ts';
import { chain } from '../support/chain.ts';
import type { MakeCall } from '../support/memory/call.ts';
import { makeMemoryFirestore } from '../support/memory/firestore.ts';
import { describeStoreContract } from '../twoway/support/store-contract.ts';
import { describeHintStore } from './hint-store-contract.ts';
import { describeMemberStore, type QueuedEdit } from './member-store-contract.ts';
import { describeReconcileStores } from './reconcile-stores-contract.ts';
import { describeRunStore } from './run-store-contract.ts';

/** What the simulated world's Firestore is held to: what the real one's adapters count on. */
const open = () => {
  const memory = makeMemoryFirestore(Date.now);
  let failing: 'before' | 'after' | null = null;
  const call: MakeCall = async (_server, what, effect) => {
    await null;
    if (failing === null || !what.startsWith('commit')) return effect();
    const when = failing;
    failing = null;
    if (when === 'after') effect();
    throw Object.assign(new Error('told to fail'), { code: 7 });
  };
  const db = memory.clientOf(call, async () => undefined, Math.random);
  return {
    memory,
    db,
    client: async () => db,
    failNextCommit: (when: 'before' | 'after') => {
      failing = when;
    },
    queue: async ({ kennitala, status: sync_status, edits, isMoved }: QueuedEdit): Promise<void> => {
      for (const { path, editedAt, value } of edits) {
        await db
          .collection('sync_queue')
          .doc()
          .set({
            kennitala,
            sync_status,
            edited_at: Timestamp.fromDate(editedAt),
            changes: { [path]: { old_value: null, new_value: value } },
            ...(isMoved && { is_moved: true }),
          });
      }
    },
  };
};

const NAME = 'the Firestore of the simulated world';

describeMemberStore(NAME, async () => {
  const { client, queue, failNextCommit } = open();
  return { store: makeMemberStore(client), queue, failNextCommit };
});
describeHintStore(NAME, async () => makeHintStore(open().client));
describeReconcileStores(NAME, async () => {
  const { client, queue } = open();
  return { index: makePortalIndex(client), writer: makePortalWriter(client), queue };
});
describeRunStore(NAME, async () => {
  const { memory, db } = open();
  const held = holdCommits(db);
  return {
    store: makeRunStore(async () => held.db, chain.current),
    beforeNextCommit: held.beforeNextCommit,
    record: async (runId) => {
      const data = memory.held(`sync_audit/${runId}`);
      return data === null ? null : fromDocument(data);
    },
    changes: async (runId) =>
      memory
        .all(`sync_audit/${runId}/changes`)
        .toSorted(([one], [other]) => Number(one.split('/').at(-1)) - Number(other.split('/').at(-1)))
        .map(([, data]) => toListDocument(data)),
  };
});
describeStoreContract(NAME, async () => {
  const { memory, client } = open();
  return {
    store: makeQueueStore(client),
    putMember: async (kennitala, values) => {
      const member = withFields(parsePortalMember(kennitala, {}), values);
      const origin = 'registry' as const;
      const meta = { django_id: 7, source_version: 40, source_hash: 'hash', origin, deleted_at: null };
      memory.write('set', `members/${kennitala}`, toMemberDocument(member, meta, new Date()));
    },
    close: async () => undefined,
  };
});
