import { status } from '@grpc/grpc-js';
import { Timestamp } from 'firebase-admin/firestore';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { makeTwoWayActions } from '../../src/ops/two-way-actions.ts';
import { makeKennitalas } from '../support/kennitalas.ts';
import { startTwoWayStack, type TwoWayStack } from '../support/stack.ts';

const DAY_MS = 24 * 3_600_000;

let stack: TwoWayStack;
beforeEach(async () => {
  stack = await startTwoWayStack({ members: 20 });
});
afterEach(async () => {
  await stack.close();
});
const logs = async () => (await stack.db.collection('sync_logs').get()).docs.map((it) => it.data());
const emailOf = (id: number) => stack.registry.member(id).contact_info.email;

describe('a run', () => {
  it('applies what no webhook brought, whatever its age, and acknowledges it', async () => {
    await stack.load(1, 2, 3);
    stack.registry.webhooks?.misbehave({ drop: 1 });
    stack.registry.updateMember(1, { contact_info: { email: 'pulled@example.is' } });
    stack.registry.updateMember(1, { name: 'Nýtt Nafn' });
    stack.registry.deleteMember(2);
    const { id } = stack.registry.createMember({ name: 'Nýliði Prófsson' });
    await stack.settled();
    const record = await stack.run();
    expect(record).toMatchObject({ status: 'success', djangoToFirestore: { success: 3, failed: 0 } });
    expect(await stack.member(stack.kennitalaOf(1))).toMatchObject({
      profile: { email: 'pulled@example.is', name: 'Nýtt Nafn' },
    });
    expect(await stack.member(stack.kennitalaOf(2))).toMatchObject({ membership: { status: 'inactive' } });
    expect(await stack.member(stack.kennitalaOf(id))).toMatchObject({ profile: { name: 'Nýliði Prófsson' } });
    expect(stack.registry.summary().pending_changes).toBe(0);
    expect(await stack.run()).toMatchObject({ djangoToFirestore: { success: 0, failed: 0 } });
  });

  it('marks the deletion of a member whom the portal never had', async () => {
    stack.registry.webhooks?.misbehave({ drop: 1 });
    stack.registry.deleteMember(5);
    await stack.run();
    expect(stack.registry.summary().pending_changes).toBe(0);
  });

  it('asks for the roster when somebody joined or left', async () => {
    stack.registry.webhooks?.misbehave({ drop: 1 });
    stack.registry.createMember();
    await stack.settled();
    await stack.run();
    expect((await stack.db.collection('roster_refreshes').get()).size).toBe(1);
  });

  it('acknowledges nothing that is not durable, and fails when the registry does', async () => {
    await stack.load(1, 2);
    stack.registry.webhooks?.misbehave({ drop: 1 });
    stack.registry.updateMember(1);
    stack.registry.updateMember(2);
    await stack.settled();
    stack.registry.addFault({ status: 503, path: '/api/sync/member/' });
    expect(await stack.run()).toMatchObject({ status: 'error', errorCode: 'registry_unavailable' });
    expect(stack.registry.summary().pending_changes).toBe(2);
    stack.registry.clearFaults();
    expect(await stack.run()).toMatchObject({ status: 'success', djangoToFirestore: { success: 2 } });
    expect(stack.registry.summary().pending_changes).toBe(0);
  });

  it('fails when the queue cannot be fetched, and says so in its record', async () => {
    stack.registry.addFault({ status: 500, path: '/api/sync/changes/' });
    const record = await stack.run({ trigger: 'schedule', requestedBy: null });
    expect(record).toMatchObject({ status: 'error', errorCode: 'registry_unavailable' });
    expect(await logs()).toMatchObject([
      {
        type: 'bidirectional_sync',
        trigger: 'schedule',
        status: 'error',
        error_code: 'registry_unavailable',
        firestore_to_django: { success: 0, failed: 0 },
        django_to_firestore: { success: 0, failed: 0 },
        conflicts: 0,
        completed_at: expect.any(Timestamp),
        expireAt: expect.any(Timestamp),
      },
    ]);
  });

  it('takes up a delivery whose process died, once its claim has expired', async () => {
    const [kennitala = ''] = await stack.load(1);
    await stack.settled();
    stack.mode.holds = true;
    await stack.edit(kennitala, { 'profile.email': 'revived@example.is' });
    const [change] = await stack.heldEdits(1);
    if (change === undefined) throw new Error('No event came.');
    // Told to the registry, but never written down: as when the process is killed in between.
    const isSettle = (request: unknown) => JSON.stringify(request).includes('"synced"');
    stack.firestore.failNext({ method: 'commit', code: status.PERMISSION_DENIED, matches: isSettle });
    expect(await stack.deliver(change)).toBe('failed store_unavailable');
    expect(emailOf(1)).toBe('revived@example.is');
    expect(await stack.run()).toMatchObject({ firestoreToDjango: { success: 0 } });
    stack.advance(4 * 60_000);
    expect(await stack.run()).toMatchObject({ status: 'success', firestoreToDjango: { success: 1 } });
    expect((await stack.items())[0]).toMatchObject({ sync_status: 'synced', claim: null, delivery: null });
    expect(stack.logs.some(({ fields }) => fields['event'] === 'claim_revived')).toBe(true);
  });

  it('gives an edit up after three days, shows what the registry has, and revives it when an operator asks', async () => {
    const [kennitala = ''] = await stack.load(1);
    const before = emailOf(1);
    stack.registry.addFault({ status: 503, path: '/api/sync/apply/' });
    await stack.edit(kennitala, { 'profile.email': 'patient@example.is' });
    await stack.settled();
    for (let day = 0; day < 5; day += 1) {
      stack.advance(DAY_MS);
      await stack.run();
    }
    expect((await stack.items())[0]).toMatchObject({
      sync_status: 'failed',
      error_message: expect.stringMatching(/^registry_unavailable/),
    });
    expect((await stack.member(kennitala))['profile']['email']).toBe(before);
    stack.registry.clearFaults();
    expect(await stack.run()).toMatchObject({ firestoreToDjango: { success: 0 } });
    expect(await stack.run({ which: 'failed' })).toMatchObject({ firestoreToDjango: { success: 1 } });
    await stack.settled();
    expect(emailOf(1)).toBe('patient@example.is');
    expect((await stack.member(kennitala))['profile']['email']).toBe('patient@example.is');
  });

  it('leaves an edit alone that an operator has given up for good, when all dead letters are sent again', async () => {
    const [kennitala = ''] = await stack.load(1);
    const before = emailOf(1);
    stack.registry.addFault({ status: 503, path: '/api/sync/apply/' });
    await stack.edit(kennitala, { 'profile.email': 'given.up@example.is' });
    await stack.settled();
    const { docs } = await stack.db.collection('sync_queue').get();
    await makeTwoWayActions(stack.dependencies).fail(kennitala as Kennitala, docs[0]?.id ?? '');
    stack.registry.clearFaults();
    expect(await stack.run({ which: 'failed' })).toMatchObject({ firestoreToDjango: { success: 0 } });
    await stack.settled();
    expect(emailOf(1)).toBe(before);
    expect((await stack.items())[0]).toMatchObject({ sync_status: 'failed' });
  });

  it('sends the edits of many members in one request', async () => {
    const kennitalas = await stack.load(1, 2, 3, 4, 5, 6, 7, 8);
    await stack.settled();
    stack.registry.addFault({ status: 503, path: '/api/sync/apply/' });
    for (const [n, kennitala] of kennitalas.entries())
      await stack.edit(kennitala, { 'profile.email': `many.${n}@example.is` });
    await stack.settled();
    stack.registry.clearFaults();
    stack.requests.length = 0;
    expect(await stack.run({ which: 'waiting' })).toMatchObject({
      firestoreToDjango: { success: 8, failed: 0 },
    });
    expect(stack.requests).toEqual(['apply 8']);
    expect(emailOf(8)).toBe('many.7@example.is');
  });

  it('deletes what has been synced for thirty days, and nothing else', async () => {
    const [first = '', second = ''] = await stack.load(1, 2);
    await stack.edit(first, { 'profile.email': 'done@example.is' });
    await stack.edit(second, { 'profile.email': 'no address' });
    await stack.settled();
    stack.advance(31 * DAY_MS);
    expect(await stack.run()).toMatchObject({ cleaned: 1 });
    expect(await stack.items()).toMatchObject([{ kennitala: second, sync_status: 'failed' }]);
  });
});

describe('a registration in the portal', () => {
  it('is told as a create, and is a dead letter with a clear reason where the registry takes none', async () => {
    const [kennitala = ''] = makeKennitalas(1, 9_000);
    await stack.db
      .doc(`members/${kennitala}`)
      .set({ profile: { kennitala, name: 'Generated Person', email: 'new@example.is' } });
    await stack.settled();
    expect(await stack.items()).toMatchObject([
      {
        kennitala,
        action: 'create',
        sync_status: 'failed',
        error_message: expect.stringMatching(/^action_not_allowed: /),
      },
    ]);
  });

  it.each([403, 405])('is a dead letter when the registry answers %i', async (code) => {
    const [kennitala = ''] = makeKennitalas(1, 9_100);
    stack.registry.addFault({ status: code, path: '/api/sync/apply/' });
    await stack.db.doc(`members/${kennitala}`).set({ profile: { kennitala, name: 'Generated Person' } });
    await stack.settled();
    expect(await stack.items()).toMatchObject([
      {
        sync_status: 'failed',
        error_message: `action_not_allowed: the registry takes no new members from the portal (${code})`,
      },
    ]);
  });

  it('waits when the registry is away', async () => {
    const [kennitala = ''] = makeKennitalas(1, 9_200);
    stack.registry.addFault({ status: 503, path: '/api/sync/' });
    await stack.db.doc(`members/${kennitala}`).set({ profile: { kennitala, name: 'Generated Person' } });
    await stack.settled();
    expect(await stack.items()).toMatchObject([{ sync_status: 'pending', retry_count: 1 }]);
  });
});

describe('a registry without the companion app', () => {
  beforeEach(() => stack.registry.setCompanion(false));

  it('is read before it is told, so that a conflict is found before it is written over', async () => {
    const [kennitala = ''] = await stack.load(1);
    stack.registry.webhooks?.pause();
    stack.registry.updateMember(1, { contact_info: { email: 'registry@example.is' } });
    await stack.edit(kennitala, { 'profile.email': 'portal@example.is' });
    await vi.waitFor(async () => expect(await stack.conflicts()).toHaveLength(1), { timeout: 60_000 });
    stack.registry.webhooks?.resume();
    await stack.settled();
    expect(emailOf(1)).toBe('registry@example.is');
    expect(await stack.conflicts()).toMatchObject([
      { state: 'open', paths: { 'profile.email': { winner: 'registry', reason: 'incomparable' } } },
    ]);
  });

  it('is not told twice when its answer was lost', async () => {
    const [kennitala = ''] = await stack.load(1);
    await stack.settled();
    stack.registry.addFault({ disconnect: 'mid-body', times: 1, path: '/api/sync/apply/' });
    await stack.edit(kennitala, { 'profile.email': 'lost@example.is' });
    await stack.settled();
    const { version } = stack.registry.member(1);
    expect(emailOf(1)).toBe('lost@example.is');
    stack.requests.length = 0;
    expect(await stack.run({ which: 'waiting' })).toMatchObject({ firestoreToDjango: { success: 1 } });
    expect(stack.requests).toEqual([]);
    expect(stack.registry.member(1).version).toBe(version);
  });
});
