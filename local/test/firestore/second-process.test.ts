import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Firestore } from 'firebase-admin/firestore';
import { beforeAll, expect, test } from 'vitest';
import { useConformance } from './harness.ts';

const run = promisify(execFile);
const FIXTURE = fileURLToPath(new URL('./count-up.fixture.ts', import.meta.url));

const conformance = useConformance();
let db: Firestore;
beforeAll(() => {
  db = conformance.client();
});

test('another process counts up together with this one, and a listener here sees its last write', async () => {
  const ref = db.doc('shared/counter');
  const reached = Promise.withResolvers<number>();
  const stop = ref.onSnapshot((doc) => {
    if (doc.get('n') === 20) reached.resolve(doc.get('pid'));
  }, reached.reject);

  const others = run(process.execPath, [FIXTURE, conformance.projectId, '10']);
  for (let turn = 0; turn < 10; turn += 1) {
    await db.runTransaction(async (tx) => {
      const snapshot = await tx.get(ref);
      tx.set(ref, { n: (snapshot.get('n') ?? 0) + 1, pid: process.pid });
    });
  }
  await others;
  expect(await reached.promise).toBe((await ref.get()).get('pid'));
  stop();
  expect((await ref.get()).get('n')).toBe(20);
});
