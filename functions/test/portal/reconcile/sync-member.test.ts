import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Kennitala } from '../../../src/domain/kennitala.ts';
import { syncMemberBody } from '../../../src/ops/schemas/two-way.ts';
import type { MemberStore } from '../../../src/portal/ports.ts';
import { syncMember } from '../../../src/portal/reconcile/sync-member.ts';
import type { MemberReader } from '../../../src/registry/ports.ts';
import { makeKennitalas } from '../../support/kennitalas.ts';
import { type ReconcileStack, startReconcileStack } from '../../support/stack.ts';
import { countMemberWrites, expectEqual } from './support/equality.ts';

let stack: ReconcileStack;
beforeEach(async () => {
  stack = await startReconcileStack({ members: 12, mayBeInMemory: true });
  await stack.run();
  const documents = await stack.db.collection('roster_refreshes').get();
  await Promise.all(documents.docs.map((document) => document.ref.delete()));
  stack.clock.advance(60_000);
});
afterEach(async () => {
  await stack.close();
});

interface Given {
  readonly dryRun?: boolean;
  readonly registry?: MemberReader;
  readonly members?: MemberStore;
}
const syncOf = (kennitala: Kennitala, { dryRun = false, registry, members }: Given = {}) =>
  syncMember(
    { kennitala, dryRun, signal: new AbortController().signal },
    {
      members: members ?? stack.members,
      registry: registry ?? stack.portal.registry,
      rosterRefresh: stack.portal.rosterRefresh,
      reference: stack.portal.reference,
      now: stack.clock.now,
      log: stack.dependencies.log,
    },
  );

const sync = (id: number, given?: Given) => syncOf(stack.kennitalaOf(id), given);

const refreshes = async () => (await stack.db.collection('roster_refreshes').get()).size;

describe('one member on demand', () => {
  it('who is equal is left as they are', async () => {
    const writes = countMemberWrites(stack);
    expect(await sync(1)).toEqual({
      member: expect.stringMatching(/^m_[0-9a-f]{16}$/),
      found: true,
      decision: 'unchanged',
      differences: [],
      keptEdits: [],
      reasons: ['The portal shows this already.'],
    });
    expect(writes()).toBe(0);
    expect(await refreshes()).toBe(0);
  });

  it('is brought in line, and the answer shows what differed', async () => {
    const { phone } = (await stack.memberData(stack.kennitalaOf(1)))?.['profile'] ?? {};
    stack.registry.updateMember(1, { contact_info: { phone: '555 1212' }, gender: 3 });
    const dry = await sync(1, { dryRun: true });
    expect(dry).toMatchObject({ decision: 'would-apply', found: true });
    expect((await stack.memberData(stack.kennitalaOf(1)))?.['profile'].phone).toBe(phone);
    const synced = await sync(1);
    expect(synced).toMatchObject({
      decision: 'applied',
      differences: dry.differences,
      reasons: ['The registry’s content differs from the portal’s.'],
    });
    expect(synced.differences).toContainEqual({
      path: 'profile.phone',
      portal: phone,
      registry: '5551212',
    });
    await expectEqual(stack);
  });

  it('whom the portal never had is created, and the roster is asked for', async () => {
    const { id } = stack.registry.createMember({ name: 'Nýliði Prófsson' });
    const synced = await sync(id);
    expect(synced).toMatchObject({ decision: 'applied', reasons: ['The portal did not have the member.'] });
    expect(synced.differences).toContainEqual({
      path: 'profile.name',
      portal: null,
      registry: 'Nýliði Prófsson',
    });
    await expectEqual(stack);
    expect(await refreshes()).toBe(1);
  });

  it('whom the registry deleted becomes inactive, once', async () => {
    stack.registry.deleteMember(2);
    expect(await sync(2)).toMatchObject({
      found: false,
      decision: 'applied',
      differences: [{ path: 'membership.status', portal: 'active', registry: 'inactive' }],
      reasons: ['The registry has no such member any more.', 'The member is shown as inactive from now on.'],
    });
    await expectEqual(stack);
    expect(await refreshes()).toBe(1);
    expect(await sync(2)).toMatchObject({ found: false, decision: 'unchanged', differences: [] });
  });

  it('whom the registry has again is revived', async () => {
    stack.registry.deleteMember(2);
    await sync(2);
    stack.registry.restoreMember(2);
    expect(await sync(2)).toMatchObject({
      decision: 'applied',
      reasons: ['The registry has the member again.'],
    });
    await expectEqual(stack);
  });

  it('whom nobody knows leaves nothing behind', async () => {
    const [kennitala] = makeKennitalas(1);
    const registry: MemberReader = { readMember: async () => null };
    const id = stack.registry.createMember().id;
    expect(await sync(id, { registry })).toMatchObject({
      found: false,
      decision: 'unchanged',
      reasons: ['Neither the registry nor the portal has the member.'],
    });
    expect(await stack.memberData(kennitala ?? '')).toBeUndefined();
    expect((await stack.portalDocuments()).size).toBe(12);
  });

  it('keeps an edit that waits for delivery, and says so', async () => {
    const kennitala = stack.kennitalaOf(3);
    await stack.documentOf(kennitala).update({ 'profile.email': 'mine@postur.example' });
    await stack.db
      .collection('sync_queue')
      .doc()
      .set({
        kennitala,
        sync_status: 'pending',
        edited_at: new Date(),
        changes: { 'profile.email': { old_value: '', new_value: 'mine@postur.example' } },
      });
    const unchanged = await sync(3);
    expect(unchanged).toMatchObject({ decision: 'unchanged', keptEdits: ['profile.email'] });
    expect(unchanged.differences.map(({ path }) => path)).toEqual(['profile.email']);
    stack.registry.updateMember(3, { name: 'Nýtt Nafn' });
    expect(await sync(3)).toMatchObject({
      decision: 'applied',
      keptEdits: ['profile.email'],
      reasons: [
        'profile.email: the member’s own edit waits for delivery and stays.',
        'The registry’s content differs from the portal’s.',
      ],
    });
    expect((await stack.memberData(kennitala))?.['profile']).toMatchObject({
      email: 'mine@postur.example',
      name: 'Nýtt Nafn',
    });
  });

  it('with a newer version in the portal is stale', async () => {
    await stack.documentOf(stack.kennitalaOf(4)).update({ 'metadata.source_version': 99 });
    expect(await sync(4)).toMatchObject({
      decision: 'stale',
      keptEdits: [],
      reasons: ['The portal has version 99, the registry shows 0: the newer one stands.'],
    });
  });

  it('whom the registry shows almost empty is guarded', async () => {
    const kennitala = stack.kennitalaOf(5);
    const registry: MemberReader = {
      readMember: async () => ({
        ssn: kennitala,
        name: null,
        birthday: null,
        gender: null,
        housing_situation: null,
        reachable: null,
        groupable: null,
        date_joined: null,
        contact_info: null,
        local_address: null,
        foreign_addresses: [],
        unions: null,
        titles: null,
      }),
    };
    const before = await stack.memberData(kennitala);
    const synced = await sync(5, { registry });
    expect(synced).toMatchObject({ decision: 'guarded', keptEdits: [] });
    expect(synced.reasons).toEqual([expect.stringMatching(/^The answer would empty \d+ fields/)]);
    expect(await stack.memberData(kennitala)).toEqual(before);
  });

  it('who cannot be read is an error that names the field', async () => {
    stack.registry.updateMember(6, { gender: 9 });
    await expect(sync(6)).rejects.toMatchObject({ code: 'member_invalid', message: /^gender / });
  });

  it('who is written meanwhile is read again, so that the newer word stands', async () => {
    const kennitala = stack.kennitalaOf(7);
    stack.registry.updateMember(7, { name: 'First' });
    let reads = 0;
    const registry: MemberReader = {
      readMember: async (asked, options) => {
        reads += 1;
        const answer = await stack.portal.registry.readMember(asked, options);
        if (reads === 1) {
          stack.registry.updateMember(7, { name: 'Second' });
          await stack.documentOf(kennitala).update({ 'metadata.last_modified': new Date() });
        }
        return answer;
      },
    };
    expect((await sync(7, { registry })).decision).toBe('applied');
    expect(reads).toBe(2);
    expect((await stack.memberData(kennitala))?.['profile'].name).toBe('Second');
  });

  it('who is written whenever they are read is an error after five times', async () => {
    const kennitala = stack.kennitalaOf(7);
    stack.registry.updateMember(7, { name: 'Never' });
    let reads = 0;
    const registry: MemberReader = {
      readMember: async (asked, options) => {
        reads += 1;
        await stack.documentOf(kennitala).update({ 'metadata.touched': reads });
        return stack.portal.registry.readMember(asked, options);
      },
    };
    await expect(sync(7, { registry })).rejects.toMatchObject({
      code: 'store_unavailable',
      message: 'The member was written 5 times while it was read from the registry. Try again.',
    });
    expect(reads).toBe(5);
  });

  it('of whom a transaction decided that had to begin again, and found them written, is read again', async () => {
    let calls = 0;
    const members: MemberStore = {
      read: stack.members.read,
      applyChange: async (request) => {
        calls += 1;
        if (calls > 1) return stack.members.applyChange(request);
        request.decide((await stack.members.read(request.kennitala)).stored, [], {});
        return { kind: 'moved' };
      },
    };
    stack.registry.updateMember(7, { name: 'Second' });
    expect(await sync(7, { members })).toMatchObject({ decision: 'applied' });
    expect(calls).toBe(2);
    await expectEqual(stack);
  });

  it('that is a placeholder is none, and nobody is asked', async () => {
    const registry: MemberReader = { readMember: () => Promise.reject(new Error('The registry was asked.')) };
    expect(await syncOf('9999000001' as Kennitala, { registry })).toEqual({
      member: expect.stringMatching(/^m_[0-9a-f]{16}$/),
      found: false,
      decision: 'skipped',
      differences: [],
      keptEdits: [],
      reasons: ['The number is a placeholder (9999…), and those are no members.'],
    });
  });

  it('leaves paths and the reference in the log, and no value', async () => {
    stack.registry.updateMember(1, { name: 'Leynilegt Nafn' });
    const { member } = await sync(1);
    const entry = stack.logs.at(-1);
    expect(entry).toMatchObject({
      severity: 'INFO',
      message: '[PORTAL] One member synced on demand: applied',
      fields: { event: 'member_synced', member, paths: ['profile.name'] },
    });
    expect(JSON.stringify(stack.logs)).not.toContain('Leynilegt');
    expect(JSON.stringify(stack.logs)).not.toContain(stack.kennitalaOf(1));
  });
});

describe('the body of the request', () => {
  const [kennitala = ''] = makeKennitalas(1);
  it.each([
    ['ten digits', { kennitala }, { kennitala, dryRun: false }],
    [
      'a hyphen',
      { kennitala: `${kennitala.slice(0, 6)}-${kennitala.slice(6)}`, dryRun: true },
      { kennitala, dryRun: true },
    ],
    ['nine digits', { kennitala: kennitala.slice(1) }, null],
    ['a number', { kennitala: Number(kennitala) }, null],
    ['nobody', {}, null],
    ['an unknown key', { kennitala, force: true }, null],
  ])('%s', (_what, body, expected) => {
    const read = syncMemberBody.safeParse(body);
    expect(read.data ?? null).toEqual(expected);
    expect(read.error?.message ?? '').not.toContain(kennitala.slice(1));
  });
});
