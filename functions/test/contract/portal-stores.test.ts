import { status } from '@grpc/grpc-js';
import { deleteApp, initializeApp } from 'firebase-admin/app';
import { initializeFirestore, Timestamp } from 'firebase-admin/firestore';
import { afterAll } from 'vitest';
import { startFirestore } from '../../../local/src/firestore/server.ts';
import { makeMemberStore } from '../../src/adapters/firestore/member-store.ts';
import { makePortalIndex } from '../../src/adapters/firestore/portal-index.ts';
import { makePortalWriter } from '../../src/adapters/firestore/portal-writer.ts';
import { describeMemberStore } from './member-store-contract.ts';
import { makeMemoryMemberStore } from './memory-member-store.ts';
import { makeMemoryPortalIndex, makeMemoryPortalWriter } from './memory-portal.ts';
import { makePortalMemory, type PortalMemory, type QueuedEdit } from './portal-memory.ts';
import { describeReconcileStores } from './reconcile-stores-contract.ts';

const server = await startFirestore({ projectId: 'demo-ekklesia' });
const app = initializeApp({ projectId: 'demo-ekklesia' }, 'member-store-contract');
const db = initializeFirestore(app);
db.settings({ host: `${server.host}:${server.port}`, ssl: false });
afterAll(async () => {
  await deleteApp(app);
  await server.close();
});

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
const queueInMemory = (memory: PortalMemory) => async (item: QueuedEdit) => void memory.queue.push(item);

describeMemberStore('Firestore', async () => {
  await server.clear();
  return {
    store: makeMemberStore(async () => db),
    queue: queueInFirestore,
    failNextCommit: (when) => {
      server.failNext({ method: 'commit', code: status.PERMISSION_DENIED, when });
    },
  };
});
describeMemberStore('memory', async () => {
  const memory = makePortalMemory();
  const store = makeMemoryMemberStore(memory);
  return { store, queue: queueInMemory(memory), failNextCommit: store.failNextCommit };
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
describeReconcileStores('memory', async () => {
  const memory = makePortalMemory();
  return {
    index: makeMemoryPortalIndex(memory),
    writer: makeMemoryPortalWriter(memory),
    queue: queueInMemory(memory),
  };
});
