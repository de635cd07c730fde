import { randomUUID } from 'node:crypto';
import { deleteApp, initializeApp } from 'firebase-admin/app';
import { type Firestore, initializeFirestore } from 'firebase-admin/firestore';
import { type LocalFirestore, startFirestore } from '../../../local/src/firestore/server.ts';

export interface FirestoreUnderTest {
  readonly db: Firestore;
  /** Absent on the official emulator, whose commits fail at nobody's word. */
  readonly failNext?: LocalFirestore['failNext'];
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** The local Firestore, or in `npm run test:official` a project of its own on the official emulator. */
export async function openFirestoreUnderTest(): Promise<FirestoreUnderTest> {
  const official = process.env['CONFORMANCE_FIRESTORE_HOST'];
  const projectId = `demo-${randomUUID().slice(0, 8)}`;
  const local = official ? undefined : await startFirestore({ projectId });
  const host = official ?? `${local?.host}:${local?.port}`;
  const app = initializeApp({ projectId }, projectId);
  const db = initializeFirestore(app);
  db.settings({ host, ssl: false });
  return {
    db,
    ...(local && { failNext: local.failNext }),
    async clear() {
      if (local) return await local.clear();
      const all = `http://${host}/emulator/v1/projects/${projectId}/databases/(default)/documents`;
      const { ok, status } = await fetch(all, { method: 'DELETE' });
      if (!ok) throw new Error(`The official emulator answered ${status} to the clearing of a project.`);
    },
    async close() {
      await deleteApp(app);
      await local?.close();
    },
  };
}
