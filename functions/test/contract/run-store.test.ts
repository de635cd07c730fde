import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { toListDocument } from '../../src/adapters/firestore/change-lists.ts';
import { fromDocument } from '../../src/adapters/firestore/run-documents.ts';
import { makeRunStore } from '../../src/adapters/firestore/run-store.ts';
import { openRecord } from '../../src/mirror/run-record.ts';
import { holdCommits } from '../support/before-commit.ts';
import { chain } from '../support/chain.ts';
import { openFirestoreUnderTest } from '../support/firestore-under-test.ts';
import { describeRunStore } from './run-store-contract.ts';

const server = await openFirestoreUnderTest();
const { db } = server;
const held = holdCommits(db);
afterAll(() => server.close());

describeRunStore('Firestore', async () => {
  await server.clear();
  return {
    store: makeRunStore(async () => held.db, chain.current),
    beforeNextCommit: held.beforeNextCommit,
    record: async (runId) => {
      const data = (await db.doc(`sync_audit/${runId}`).get()).data();
      return data === undefined ? null : fromDocument(data);
    },
    changes: async (runId) => {
      const found = await db.collection(`sync_audit/${runId}/changes`).get();
      return found.docs
        .toSorted((one, other) => Number(one.id) - Number(other.id))
        .map((document) => toListDocument(document.data()));
    },
  };
});

it('takes no lease for a run that has stopped waiting for it', async () => {
  await server.clear();
  const answered = Promise.withResolvers<void>();
  const slow = makeRunStore(
    async () => {
      await answered.promise;
      return db;
    },
    chain.current,
    { callLimitMs: 50 },
  );
  const startedAt = new Date();
  const record = openRecord({
    runId: 'late',
    mirror: 'roster',
    trigger: 'http',
    startedAt,
    approve: null,
    requestedBy: null,
  });
  const whenFree = () => expect.unreachable('Nobody waits any more.');
  const begun = slow.begin({ record, leaseExpiresAt: startedAt, occurrence: null, whenFree });
  await expect(begun).rejects.toMatchObject({ code: 'audit_unavailable' });
  answered.resolve();
  await sleep(200);
  expect((await db.doc('sync_state/roster').get()).exists).toBe(false);
});
