import { deleteApp, initializeApp } from 'firebase-admin/app';
import { initializeFirestore } from 'firebase-admin/firestore';
import { startFirestore } from '../../../local/src/firestore/server.ts';
import { parsePortalMember, toMemberDocument } from '../../src/adapters/firestore/member-document.ts';
import { makeQueueStore } from '../../src/adapters/firestore/queue-store.ts';
import { withFields } from '../../src/domain/member/fields.ts';
import { describeStoreContract } from './support/store-contract.ts';

describeStoreContract('Firestore', async () => {
  const firestore = await startFirestore({ projectId: 'demo-ekklesia' });
  const app = initializeApp({ projectId: 'demo-ekklesia' }, `contract-${firestore.port}`);
  const db = initializeFirestore(app);
  db.settings({ host: `${firestore.host}:${firestore.port}`, ssl: false });
  return {
    store: makeQueueStore(async () => db),
    putMember: async (kennitala, values) => {
      const member = withFields(parsePortalMember(kennitala, {}), values);
      const meta = {
        django_id: 7,
        source_version: 40,
        source_hash: 'hash',
        origin: 'registry' as const,
        deleted_at: null,
      };
      await db.doc(`members/${kennitala}`).set(toMemberDocument(member, meta, new Date()));
    },
    close: async () => {
      await deleteApp(app);
      await firestore.close();
    },
  };
});
