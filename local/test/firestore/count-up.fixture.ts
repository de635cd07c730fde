/** Run as a process of its own: counts `shared/counter` up in transactions. Arguments: project, times. */
import { initializeApp } from 'firebase-admin/app';
import { initializeFirestore } from 'firebase-admin/firestore';

const [projectId = '', times = '0'] = process.argv.slice(2);
const db = initializeFirestore(initializeApp({ projectId }), { preferRest: false });
const ref = db.doc('shared/counter');
for (let turn = 0; turn < Number(times); turn += 1) {
  await db.runTransaction(async (tx) => {
    const snapshot = await tx.get(ref);
    tx.set(ref, { n: (snapshot.get('n') ?? 0) + 1, pid: process.pid });
  });
}
await db.terminate();
