import { setTimeout as sleep } from 'node:timers/promises';
import { deleteApp, initializeApp } from 'firebase-admin/app';
import { initializeFirestore } from 'firebase-admin/firestore';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startFirestore } from '../../../../local/src/firestore/server.ts';
import { makeQueueStore } from '../../../src/adapters/firestore/queue-store.ts';
import { makeStoreCalls, whileAwaited } from '../../../src/adapters/firestore/store-call.ts';
import type { Kennitala } from '../../../src/domain/kennitala.ts';

const MEMBER = '0101302989' as Kennitala;
const LIMIT_MS = 200;
/** The client waits for half a second to a second and a half before its second attempt. */
const NEXT_ATTEMPT_MS = 2_500;
const BEGUN_MS = 500;

const start = async () => {
  const firestore = await startFirestore({ projectId: 'demo-ekklesia' });
  const app = initializeApp({ projectId: 'demo-ekklesia' }, `store-call-${firestore.port}`);
  const db = initializeFirestore(app);
  db.settings({ host: `${firestore.host}:${firestore.port}`, ssl: false });
  return { firestore, app, db };
};
let stack: Awaited<ReturnType<typeof start>>;
beforeAll(async () => {
  stack = await start();
  // Connects: the first call takes longer than these have.
  await stack.db.doc('members/none').get();
});
afterAll(async () => {
  await deleteApp(stack.app);
  await stack.firestore.close();
});

/** What the client is told where others hold the documents: it tries again, ten times over minutes. */
const contended = () => Object.assign(new Error('contention'), { code: 10 });

test('a transaction of a call whose time is over ends with its next attempt', async () => {
  let running: Promise<unknown> | undefined;
  const call = makeStoreCalls(async () => stack.db, LIMIT_MS)('take it', (db, isOver) => {
    running = db.runTransaction(
      whileAwaited(isOver, async () => {
        throw contended();
      }),
      { maxAttempts: 10 },
    );
    return running;
  });
  await expect(call).rejects.toMatchObject({ code: 'store_unavailable' });
  await expect(running).rejects.toThrow('Nobody waits for this transaction any more.');
});

test('the queue decides nothing any more after its call has failed, alone or for many', async () => {
  const store = makeQueueStore(async () => stack.db, { callLimitMs: LIMIT_MS });
  let decided = 0;
  const decide = () => {
    decided += 1;
    throw contended();
  };
  const calls = [
    store.transact(MEMBER, {}, new Date(), decide),
    store.transactAll([MEMBER], new Date(), decide),
  ];
  await Promise.all(calls.map((call) => expect(call).rejects.toMatchObject({ code: 'store_unavailable' })));
  // An attempt that had begun may decide once more.
  await sleep(BEGUN_MS);
  const before = decided;
  await sleep(NEXT_ATTEMPT_MS);
  expect(decided).toBe(before);
});
