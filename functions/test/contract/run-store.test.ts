import { deleteApp, initializeApp } from 'firebase-admin/app';
import { initializeFirestore } from 'firebase-admin/firestore';
import { afterAll } from 'vitest';
import { startFirestore } from '../../../local/src/firestore/server.ts';
import { fromDocument } from '../../src/adapters/firestore/run-record-document.ts';
import { makeRunStore } from '../../src/adapters/firestore/run-store.ts';
import { describeRunStore } from './run-store-contract.ts';

const server = await startFirestore({ projectId: 'demo-ekklesia' });
const app = initializeApp({ projectId: 'demo-ekklesia' }, 'run-store-contract');
const db = initializeFirestore(app);
db.settings({ host: `${server.host}:${server.port}`, ssl: false });
afterAll(async () => {
  await deleteApp(app);
  await server.close();
});

describeRunStore('Firestore', async () => {
  await server.clear();
  return {
    store: makeRunStore(async () => db),
    record: async (runId) => {
      const data = (await db.doc(`sync_audit/${runId}`).get()).data();
      return data === undefined ? null : fromDocument(data);
    },
    changes: async (runId) => {
      const found = await db.collection(`sync_audit/${runId}/changes`).get();
      return found.docs
        .toSorted((one, other) => Number(one.id) - Number(other.id))
        .map((document) => ({
          added: document.get('addedKennitalas'),
          removed: document.get('removedKennitalas'),
        }));
    },
  };
});
