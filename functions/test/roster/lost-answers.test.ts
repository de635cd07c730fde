import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RosterStack, startRosterStack } from '../support/stack.ts';

let stack: RosterStack;
beforeEach(async () => {
  stack = await startRosterStack({ callLimitMs: 5_000 });
});
afterEach(async () => {
  await stack.close();
});

const loseAnswerOfCommit = (ordinal: number) => {
  let commits = 0;
  stack.firestore.failNext({
    code: status.UNAVAILABLE,
    times: 1,
    when: 'after',
    matches: (_request, method) => {
      if (method === 'commit') commits += 1;
      return method === 'commit' && commits === ordinal;
    },
  });
};

describe('a commit that took effect but whose answer was lost', () => {
  it.each([
    ['taking the lease', 1],
    ['recording the plan', 2],
    ['closing the record', 3],
  ])('%s: the run goes on as if the answer had come', async (_what, ordinal) => {
    loseAnswerOfCommit(ordinal);
    const { record } = await stack.run();
    expect(record).toMatchObject({ status: 'success', outcome: 'published', memberCount: 60 });
    const records = await stack.records();
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({ runId: 'run-001', outcome: 'published' });
    const state = (await stack.db.doc('sync_state/roster').get()).data();
    expect(state).toMatchObject({ lease: null, lastSuccess: { runId: 'run-001', memberCount: 60 } });
    expect((await stack.db.collection('sync_audit/run-001/changes').get()).size).toBe(1);
  });

  it('another write of the state during the run does not take the lease away', async () => {
    const held = stack.storage.holdNext(() => true, 'before');
    const run = stack.run();
    await held.reached;
    await stack.db.doc('sync_state/roster').set({ note: 'by hand' }, { merge: true });
    held.release();
    expect((await run).record.outcome).toBe('published');
    expect((await stack.db.doc('sync_state/roster').get()).data()).toMatchObject({
      lease: null,
      note: 'by hand',
    });
  });
});
