import { status } from '@grpc/grpc-js';
import { Timestamp } from 'firebase-admin/firestore';
import { afterAll } from 'vitest';
import { makeHintStore } from '../../src/adapters/firestore/hint-store.ts';
import { makeMemberStore } from '../../src/adapters/firestore/member-store.ts';
import { makePortalIndex, makePortalWriter } from '../../src/adapters/firestore/portal-documents.ts';
import { openFirestoreUnderTest } from '../support/firestore-under-test.ts';
import { describeHintStore } from './hint-store-contract.ts';
import { describeMemberStore, type QueuedEdit } from './member-store-contract.ts';
import { describeReconcileStores } from './reconcile-stores-contract.ts';

const server = await openFirestoreUnderTest();
const { db, failNext } = server;
afterAll(() => server.close());

const queueInFirestore = async ({ kennitala, status: sync_status, edits }: QueuedEdit): Promise<void> => {
  for (const { path, editedAt, value } of edits) {
    await db.collection('sync_queue').add({
      kennitala,
      sync_status,
      edited_at: Timestamp.fromDate(editedAt),
      changes: { [path]: { old_value: null, new_value: value } },
    });
  }
};

describeMemberStore('Firestore', async () => {
  await server.clear();
  return {
    store: makeMemberStore(async () => db),
    queue: queueInFirestore,
    ...(failNext && {
      failNextCommit: (when: 'before' | 'after') => {
        failNext({ method: 'commit', code: status.PERMISSION_DENIED, when });
      },
    }),
  };
});

describeHintStore('Firestore', async () => {
  await server.clear();
  return makeHintStore(async () => db);
});

describeReconcileStores('Firestore', async () => {
  await server.clear();
  const client = async () => db;
  return {
    index: makePortalIndex(client),
    writer: makePortalWriter(client, { throttling: false }),
    queue: queueInFirestore,
  };
});
