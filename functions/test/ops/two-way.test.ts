import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Kennitala, tryKennitala } from '../../src/domain/kennitala.ts';
import { parseMemberChange } from '../../src/domain/member/member-change.ts';
import { applyVersionedEvent } from '../../src/portal/apply-event.ts';
import { planClaim } from '../../src/twoway/claim.ts';
import type { ConflictRecord } from '../../src/twoway/conflict.ts';
import { makeQueueItem, type QueueItem, settlePaths, toEditTime } from '../../src/twoway/queue.ts';
import { type Body, type OpsStack, startOpsStack } from '../support/api-stack.ts';

let ops: OpsStack;
let memberId: number;
let MEMBER: Kennitala;
let OTHER: Kennitala;
beforeEach(async () => {
  ops = await startOpsStack({ members: 10 });
  memberId = ops.registry.randomMember();
  MEMBER = kennitalaOf(memberId);
  OTHER = kennitalaOf(ops.registry.createMember().id);
});
afterEach(async () => {
  await ops.close();
});

const kennitalaOf = (id: number): Kennitala => {
  const kennitala = tryKennitala(ops.registry.member(id).ssn);
  if (kennitala === null) throw new Error('The stand-in has members with readable numbers only.');
  return kennitala;
};
const emailInRegistry = () => ops.registry.member(memberId).contact_info.email;

const edit = (id: string, path = 'profile.email', kennitala = MEMBER): QueueItem =>
  makeQueueItem(
    {
      id,
      kennitala,
      djangoId: memberId,
      action: 'update',
      changes: { [path]: { oldValue: emailInRegistry(), newValue: `${id}@example.is` } },
      editedAt: toEditTime(ops.clock.now()),
      isContinuation: false,
    },
    ops.clock.now(),
  );
const put = (...items: QueueItem[]) =>
  ops.queue.transact(items[0]?.kennitala ?? MEMBER, {}, ops.clock.now(), () => ({ items, result: null }));
const dead = (item: QueueItem): QueueItem =>
  settlePaths(item, () => ({ outcome: 'failed', message: 'email_taken' }), ops.clock.now());
const view = (id: string) =>
  ops.queue.transact(MEMBER, { item: id, failed: true }, ops.clock.now(), (seen) => ({ result: seen }));
const act = (verb: 'retry' | 'fail', id: string) =>
  ops.call('POST', `/queue/${id}/${verb}`, { reason: 'The registry is mended' });

describe('the queue', () => {
  it('is listed newest first without values, names and numbers', async () => {
    await put(edit('first'));
    ops.clock.advance(1_000);
    await put(edit('second', 'profile.phone', OTHER));
    const { body } = await ops.call('GET', '/queue?status=pending');
    expect(body.items).toMatchObject([
      { id: 'second', member: await ops.reference(OTHER), waiting: ['profile.phone'] },
      { id: 'first', member: await ops.reference(MEMBER), status: 'pending', retryCount: 0 },
    ]);
    expect(JSON.stringify(body)).not.toMatch(new RegExp(`one@|first@|${MEMBER}|${OTHER}`));
    expect((await ops.call('GET', '/queue?status=failed')).body.items).toEqual([]);
    expect(await ops.actions()).toEqual([]);
  });

  it('pages through', async () => {
    for (const id of ['a', 'b', 'c']) await put(edit(id));
    const first = await ops.call('GET', '/queue?limit=2');
    const second = await ops.call('GET', `/queue?limit=2&before=${first.body.next}`);
    const ids = [...first.body.items, ...second.body.items].map(({ id }: Body) => id);
    expect(ids.toSorted()).toEqual(['a', 'b', 'c']);
    expect(second.body.next).toBeNull();
  });

  it('shows the values of one change, and has that look on record', async () => {
    await put(dead(edit('one')));
    const { body } = await ops.call('GET', '/queue/one');
    expect(body.item).toMatchObject({
      kennitala: MEMBER,
      status: 'failed',
      settled: { 'profile.email': 'failed' },
      values: { 'profile.email': { oldValue: emailInRegistry(), newValue: 'one@example.is' } },
      errorMessage: 'email_taken',
    });
    expect(await ops.actions()).toMatchObject([{ action: 'view_queue_item', changeId: 'one' }]);
  });

  it("gives a change up with the member's other waiting edits of the same field, and leaves the rest", async () => {
    await put(edit('one'));
    await put(edit('two'));
    await put(edit('three', 'profile.phone'));
    const { body } = await act('fail', 'one');
    expect(body.item).toMatchObject({ status: 'failed', waiting: [] });
    const seen = await view('one');
    expect(seen.failed.map(({ id }) => id).toSorted()).toEqual(['one', 'two']);
    expect(seen.pending.map(({ id }) => id)).toEqual(['three']);
  });

  it('counts a dead letter until somebody gives it up, and still delivers it when that was wrong', async () => {
    await put(dead(edit('one')));
    const wayBack = async () => (await ops.call('GET', '/status')).body.twoWay;
    expect(await wayBack()).toMatchObject({ deadLetters: 1, why: ['dead_letters_waiting'] });
    expect((await act('fail', 'one')).body.item).toMatchObject({ status: 'failed', isGivenUp: true });
    expect(await wayBack()).toMatchObject({ deadLetters: 0, oldestDeadLetterAt: null, why: [] });
    const { body } = await act('retry', 'one');
    expect(body.item).toMatchObject({ status: 'synced', isGivenUp: false });
    expect(emailInRegistry()).toBe('one@example.is');
  });

  it('does not hold it against anybody that an operator has given a change up', async () => {
    await put(edit('one'));
    expect((await act('fail', 'one')).body.item.isGivenUp).toBe(true);
    expect((await ops.call('GET', '/status')).body.twoWay).toMatchObject({ healthy: true, deadLetters: 0 });
  });

  it('shows in the portal again what a change that is given up started from', async () => {
    const created = {
      kennitala: MEMBER,
      action: 'create',
      version: 1,
      data: { ...ops.registry.member(memberId), contact_info: { email: 'one@example.is' }, version: 1 },
    };
    await applyVersionedEvent(parseMemberChange(created), null, {
      members: ops.members,
      registry: ops.registryMembers,
      reference: ops.reference,
      now: ops.clock.now,
    });
    await put(edit('one'));
    await act('fail', 'one');
    expect((await ops.db.doc(`members/${MEMBER}`).get()).get('profile.email')).toBe(emailInRegistry());
  });

  it('does not give up what is being delivered now, but does once the claim is over', async () => {
    await put(edit('one'));
    const now = ops.clock.now();
    await ops.queue.transact(MEMBER, {}, now, (seen) =>
      planClaim(seen, { owner: 'somebody', now, isUrgent: true }),
    );
    const refused = await act('fail', 'one');
    expect([refused.status, refused.body.code]).toEqual([409, 'lease_held']);
    ops.clock.advance(10 * 60_000);
    expect((await act('fail', 'one')).body.item.status).toBe('failed');
    expect((await view('one')).item).toMatchObject({ delivery: null, claim: null });
  });

  it('neither retries nor fails what has ended', async () => {
    await put(settlePaths(edit('one'), () => ({ outcome: 'synced' }), ops.clock.now()));
    expect((await act('retry', 'one')).body.code).toBe('invalid_request');
    expect((await act('fail', 'one')).body.code).toBe('invalid_request');
  });
});

describe('conflicts', () => {
  const conflict = (id: string): ConflictRecord => ({
    id,
    kennitala: MEMBER,
    detectedAt: ops.clock.now(),
    paths: {
      'profile.email': {
        expected: 'old@example.is',
        portal: { value: 'portal@example.is', editedAt: ops.clock.now() },
        registry: { value: 'registry@example.is', changedAt: null },
        winner: 'registry',
        reason: 'incomparable',
        state: 'open',
        resolution: null,
      },
    },
  });
  const putConflict = (id: string) =>
    ops.queue.transact(MEMBER, {}, ops.clock.now(), () => ({ conflicts: [conflict(id)], result: null }));

  it('are listed by state without values, and one shows both values and is on record', async () => {
    await putConflict('one');
    const list = await ops.call('GET', '/conflicts?state=open');
    expect(list.body.conflicts).toMatchObject([
      {
        id: 'one',
        state: 'open',
        paths: { 'profile.email': { winner: 'registry', reason: 'incomparable' } },
      },
    ]);
    expect(JSON.stringify(list.body)).not.toMatch(new RegExp(`example.is|${MEMBER}`));
    const { body } = await ops.call('GET', '/conflicts/one');
    expect(body.conflict.paths['profile.email']).toMatchObject({
      portal: 'portal@example.is',
      registry: 'registry@example.is',
      expected: 'old@example.is',
      resolution: null,
    });
    expect(await ops.actions()).toMatchObject([{ action: 'view_conflict', changeId: 'one' }]);
  });

  it('are decided by the rules of the way back, once, with who decided', async () => {
    await putConflict('one');
    const decision = { path: 'profile.email', keep: 'registry' };
    const { status, body } = await ops.call('POST', '/conflicts/one/resolve', decision);
    expect([status, body.queued, body.delivered, body.conflict.state]).toEqual([
      200,
      false,
      true,
      'resolved',
    ]);
    const { body: shown } = await ops.call('GET', '/conflicts/one');
    expect(shown.conflict.paths['profile.email'].resolution).toMatchObject({
      keep: 'registry',
      by: 'operator',
    });
    const list = await ops.call('GET', '/conflicts?state=resolved');
    expect(list.body.conflicts[0].paths['profile.email'].decided).toBe('registry');
    expect((await ops.call('POST', '/conflicts/one/resolve', decision)).status).toBe(200);
    const other = await ops.call('POST', '/conflicts/one/resolve', { path: 'profile.email', keep: 'portal' });
    expect([other.status, other.body.code]).toEqual([409, 'already_done']);
    expect((await ops.call('GET', '/conflicts?state=open')).body.conflicts).toEqual([]);
  });

  it.each([
    [{}],
    [{ path: 'profile.email', keep: 'both' }],
    [{ path: 'profile.email', keep: 'value' }],
    [{ path: 'profile.email', keep: 'portal', value: 'x' }],
    [{ path: 'metadata.source_version', keep: 'portal' }],
    [{ path: 'profile.email', keep: 'portal', more: 1 }],
  ])('refuse the decision %j', async (decision) => {
    await putConflict('one');
    const { status, body } = await ops.call('POST', '/conflicts/one/resolve', decision);
    expect([status, body.code]).toEqual([400, 'invalid_request']);
  });
});
