import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Kennitala, tryKennitala } from '../../src/domain/kennitala.ts';
import { SyncError } from '../../src/lib/errors.ts';
import { makeTwoWayActions } from '../../src/ops/two-way-actions.ts';
import { planClaim } from '../../src/twoway/claim.ts';
import type { TwoWayStore } from '../../src/twoway/ports.ts';
import { makeQueueItem, type QueueItem, settlePaths, toEditTime } from '../../src/twoway/queue.ts';
import { type OpsStack, startOpsStack } from '../support/api-stack.ts';

const LATER_MS = 3_600_000;

let ops: OpsStack;
let memberId: number;
let MEMBER: Kennitala;
beforeEach(async () => {
  ops = await startOpsStack({ members: 10 });
  memberId = ops.registry.randomMember();
  const kennitala = tryKennitala(ops.registry.member(memberId).ssn);
  if (kennitala === null) throw new Error('The stand-in has members with readable numbers only.');
  MEMBER = kennitala;
});
afterEach(async () => {
  await ops.close();
});

const emailInRegistry = () => ops.registry.member(memberId).contact_info.email;
const edit = (): QueueItem =>
  makeQueueItem(
    {
      id: 'one',
      kennitala: MEMBER,
      djangoId: memberId,
      action: 'update',
      changes: { 'profile.email': { oldValue: emailInRegistry(), newValue: 'one@example.is' } },
      editedAt: toEditTime(ops.clock.now()),
      isContinuation: false,
    },
    ops.clock.now(),
  );
const put = (item: QueueItem) =>
  ops.queue.transact(MEMBER, {}, ops.clock.now(), () => ({ items: [item], result: null }));
const putDead = () =>
  put(settlePaths(edit(), () => ({ outcome: 'failed', message: 'email_taken' }), ops.clock.now()));
const retry = () => ops.call('POST', '/queue/one/retry', { reason: 'The registry is mended' });
/** Somebody else takes what waits for delivery, as the trigger of another edit does. */
const claimByAnother = () => {
  const now = ops.clock.now();
  return ops.queue.transact(MEMBER, {}, now, (seen) =>
    planClaim(seen, { owner: 'somebody', now, isUrgent: true }),
  );
};
const actionsOver = (store: TwoWayStore, limits: { limitMs?: number; pauseMs?: number } = {}) =>
  makeTwoWayActions({ ...ops.delivery, store }, { pauseMs: 10, ...limits });

it('takes a dead letter up again, delivers it, and has who did that on record', async () => {
  await putDead();
  const { status, body } = await retry();
  expect([status, body.item.status]).toEqual([200, 'synced']);
  expect(body.delivery).toEqual({ outcome: 'delivered', code: null });
  expect(emailInRegistry()).toBe('one@example.is');
  expect(await ops.actions()).toMatchObject([
    { action: 'retry_change', changeId: 'one', reason: 'The registry is mended', by: 'operator' },
  ]);
});

it('delivers a change at once that waits for its next try', async () => {
  await put({ ...edit(), nextAttemptAt: new Date(ops.clock.now().getTime() + LATER_MS) });
  expect((await retry()).body.delivery.outcome).toBe('delivered');
  expect(emailInRegistry()).toBe('one@example.is');
});

it('keeps a dead letter in the queue when the registry cannot be reached, and says why', async () => {
  await putDead();
  ops.registry.acceptToken('another');
  const { body } = await retry();
  expect(body.item).toMatchObject({ status: 'pending', retryCount: 1 });
  expect(body.delivery).toEqual({ outcome: 'waiting', code: 'registry_unauthorized' });
});

it('says that the registry refused it again', async () => {
  const item = { ...edit(), changes: { 'profile.email': { oldValue: null, newValue: 'no e-mail' } } };
  await put(settlePaths(item, () => ({ outcome: 'failed', message: 'invalid' }), ops.clock.now()));
  const { body } = await retry();
  expect([body.delivery.outcome, body.item.status]).toEqual(['given_up', 'failed']);
});

it('delivers what somebody else had claimed and then left, instead of leaving it to the nightly sweep', async () => {
  await put(edit());
  await claimByAnother();
  const answered = retry();
  await sleep(50);
  // Their try fails: the claim is over, and nothing wakes the change before the sweep.
  await put({ ...edit(), nextAttemptAt: new Date(ops.clock.now().getTime() + LATER_MS) });
  expect((await answered).body.delivery).toEqual({ outcome: 'delivered', code: null });
  expect(emailInRegistry()).toBe('one@example.is');
});

it('says that somebody else delivers, when that goes on for longer than an operator waits', async () => {
  await put(edit());
  await claimByAnother();
  const retried = await actionsOver(ops.queue, { limitMs: 50 }).retry(MEMBER, 'one');
  expect(retried).toEqual({ outcome: 'busy', code: null });
});

it('delivers although the store is contended when the delivery begins', async () => {
  await putDead();
  let calls = 0;
  const store: TwoWayStore = {
    ...ops.queue,
    transact: async (...given) => {
      calls += 1;
      // The first call makes it pending again, the second one claims it.
      if (calls === 2)
        throw new SyncError('store_unavailable', 'Firestore did not take a change of the queue.');
      return ops.queue.transact(...given);
    },
  };
  expect(await actionsOver(store).retry(MEMBER, 'one')).toEqual({ outcome: 'delivered', code: null });
  expect(emailInRegistry()).toBe('one@example.is');
});
