import { FieldValue } from 'firebase-admin/firestore';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeHintStore } from '../../src/adapters/firestore/hint-store.ts';
import { followHint } from '../../src/portal/follow-hint.ts';
import { type Body, type OpsStack, startOpsStack } from '../support/api-stack.ts';
import { makeKennitalas } from '../support/kennitalas.ts';
import { BUCKET } from '../support/servers.ts';
import {
  acknowledgeEvents,
  announce,
  everythingHeld,
  joinEverywhere,
  leaveEverywhere,
  runRoster,
  type Traces,
} from './support/leave-traces.ts';

let ops: OpsStack;
beforeEach(async () => {
  ops = await startOpsStack({ members: 40 });
});
afterEach(async () => {
  await ops.close();
});

const erase = (kennitala: string, more: object = { reason: 'asked for it' }) =>
  ops.call('POST', '/erase', { kennitala, ...more });
const rowOf = (body: Body, store: string) => body.stores.find((row: Body) => row.store === store);
const gone = async (): Promise<Traces> => {
  const traces = await joinEverywhere(ops);
  await leaveEverywhere(ops, traces);
  return traces;
};
describe('who may not be erased', () => {
  it.each([
    ['a member of the registry', 'still_a_member', 409, async () => undefined],
    [
      'a person whom the registry cannot be asked about',
      'registry_unauthorized',
      503,
      async () => ops.registry.acceptToken('another'),
    ],
    [
      'a person about whom the registry answers too slowly',
      'registry_timeout',
      503,
      async () => void ops.registry.addFault({ path: '/api/sync/member/', delay_ms: 9_000 }),
    ],
    [
      'a person about whom the registry has an event waiting',
      'events_waiting',
      409,
      async ({ id }: Traces) => ops.registry.deleteMember(id),
    ],
    [
      'a person on the published list',
      'still_published',
      409,
      async ({ id }: Traces) => {
        ops.registry.deleteMember(id);
        await announce(ops, id, 'delete', 2);
        await acknowledgeEvents(ops);
      },
    ],
    [
      'a person whom the portal shows as a member',
      'still_published',
      409,
      async ({ id }: Traces) => {
        ops.registry.deleteMember(id);
        await acknowledgeEvents(ops);
        await runRoster(ops);
      },
    ],
    [
      'a person whom a run under way may have read as a member',
      'lease_held',
      409,
      async (traces: Traces) => {
        await leaveEverywhere(ops, traces);
        const lease = { owner: 'run-of-another', expiresAt: new Date(Date.now() + 60_000) };
        await ops.db.collection('sync_state').doc('portal').set({ lease });
      },
    ],
  ])('%s: %s, and nothing is touched', async (_who, code, status, happen) => {
    const traces = await joinEverywhere(ops);
    await happen(traces);
    const before = await everythingHeld(ops);
    const answer = await erase(traces.kennitala);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(JSON.stringify(answer.body)).not.toContain(traces.kennitala);
    const asked = await ops.actions();
    expect(asked).toMatchObject([{ action: 'erase', member: traces.reference, reason: 'asked for it' }]);
    expect(await everythingHeld(ops)).toBe(before);
  });

  it('nobody, when the erasure cannot be recorded', async () => {
    const traces = await gone();
    const before = await everythingHeld(ops);
    ops.firestore.failNext({ code: 7, method: 'commit' });
    const { status, body } = await erase(traces.kennitala);
    expect([status, body.code]).toEqual([503, 'audit_unavailable']);
    expect(await everythingHeld(ops)).toBe(before);
  });

  it('a run that crashed holds nobody up for longer than its lease, and no look at all', async () => {
    const { kennitala } = await gone();
    const lease = { owner: 'run-of-another', expiresAt: new Date(Date.now() + 60_000) };
    await ops.db.collection('sync_state').doc('portal').set({ lease });
    expect((await erase(kennitala, { dryRun: true })).status).toBe(200);
    ops.clock.advance(61_000);
    expect((await erase(kennitala)).body.absent).toBe(true);
  });

  it('names the mirrors that have to run first', async () => {
    const { id, kennitala } = await joinEverywhere(ops);
    ops.registry.deleteMember(id);
    await acknowledgeEvents(ops);
    const { body } = await erase(kennitala);
    expect(body.detail).toContain('roster, portal');
  });
});

describe('erasing a person', () => {
  it('takes them out of every place, and proves it by reading again', async () => {
    const { kennitala, reference } = await gone();
    expect(await everythingHeld(ops)).toContain(kennitala);
    const { status, body } = await erase(kennitala);
    expect(status).toBe(200);
    expect(body).toMatchObject({ member: reference, dryRun: false, absent: true, hasRegister: false });
    expect(body.stores).toEqual(
      [
        ['webhook_hints', 1],
        ['members', 1],
        ['sync_queue', 1],
        ['sync_conflicts', 1],
        ['sync_audit/*/changes', 2],
        ['webhook_receipts', 2],
        ['free texts of operators', 0],
        ['versions of the list', 1],
      ].map(([store, found]) => ({ store, found, erased: found, left: 0, code: null })),
    );
    // Not by our own word alone.
    const held = await everythingHeld(ops);
    expect(held).not.toContain(kennitala);
    expect(held).not.toContain('new@example.is');
  });

  it('finds them in other spellings, below their document, and in what operators typed before numbers were refused', async () => {
    const { kennitala } = await gone();
    const spelled = `${kennitala.slice(0, 6)}-${kennitala.slice(6)}`;
    const text = `${kennitala.slice(0, 6)} ${kennitala.slice(6)} called`;
    await Promise.all([
      ops.db.doc(`members/${spelled}`).set({ membership: { status: 'inactive' } }),
      ops.db.doc(`members/${kennitala}/notes/1`).set({ note: 'about them' }),
      ops.db.doc(`members/${spelled}/notes/1/more/1`).set({ note: 'about them' }),
      ops.db.doc(`webhook_hints/${kennitala}`).set({ action: 'delete' }),
      ops.db.doc('sync_queue/old').set({ kennitala: spelled, sync_status: 'synced' }),
      ops.db.doc('sync_conflicts/old').set({ kennitala: spelled }),
      ops.db.doc('sync_audit/old/changes/0').set({ addedKennitalas: [spelled], removedKennitalas: [] }),
      ops.db
        .doc('sync_audit/old')
        .set({ reason: text, approvedBy: `${kennitala} herself`, outcome: 'published' }),
      ops.db
        .doc('sync_state/register')
        .set({ pause: { reason: text, by: 'somebody', at: new Date() } }, { merge: true }),
      ops.db.doc('operator_actions/old').set({ reason: `asked by ${spelled}`, by: 'somebody' }),
      ops.db.doc('operator_actions/other').set({ reason: 'another reason', by: 'somebody' }),
    ]);
    const { body } = await erase(kennitala);
    expect(body.absent).toBe(true);
    expect(
      ['members', 'webhook_hints', 'sync_queue', 'free texts of operators'].map((place) =>
        rowOf(body, place),
      ),
    ).toEqual([
      expect.objectContaining({ found: 4, erased: 4, left: 0 }),
      expect.objectContaining({ found: 1, erased: 1, left: 0 }),
      expect.objectContaining({ found: 2, erased: 2, left: 0 }),
      expect.objectContaining({ found: 3, erased: 3, left: 0 }),
    ]);
    const held = [
      await everythingHeld(ops),
      ...(await ops.db.collection('operator_actions').get()).docs.map((one) => JSON.stringify(one.data())),
    ].join();
    for (const spelling of [kennitala, spelled, text, 'about them']) expect(held).not.toContain(spelling);
    expect((await ops.db.doc('operator_actions/other').get()).get('reason')).toBe('another reason');
    expect((await ops.db.doc('sync_audit/old').get()).get('outcome')).toBe('published');
  });

  it('leaves everybody else as they were', async () => {
    const other = await joinEverywhere(ops);
    const { kennitala } = await gone();
    if (other.kennitala === kennitala) return expect.unreachable('The stand-in gave one member twice.');
    const before = await everythingHeld(ops);
    await erase(kennitala);
    const after = await everythingHeld(ops);
    const count = (text: string) => text.split(other.kennitala).length;
    // Once less: in the version of the list that both were in.
    expect(count(before) - count(after)).toBeGreaterThan(0);
    expect(await ops.file()).toContain(other.kennitala);
    const document = await ops.db.collection('members').doc(other.kennitala).get();
    expect(document.get('membership.status')).toBe('active');
    expect((await ops.db.collection('sync_queue').doc(`edit-of-${other.id}`).get()).exists).toBe(true);
    const [changes] = (
      await ops.db
        .collectionGroup('changes')
        .where('addedKennitalas', 'array-contains', other.kennitala)
        .get()
    ).docs;
    expect(changes?.get('addedKennitalas')).toHaveLength(39);
  });

  it('says when the last soft-deleted copy of the list expires', async () => {
    const { kennitala } = await gone();
    const before = Date.now();
    const { body } = await erase(kennitala);
    expect(body.softDeleted).toMatchObject({ state: 'known', retentionDays: 7, copies: 1 });
    const expires = Date.parse(body.softDeleted.lastExpiresAt);
    expect(expires).toBeGreaterThanOrEqual(before + 7 * 86_400_000 - 1_000);
    expect(expires).toBeLessThanOrEqual(Date.now() + 7 * 86_400_000);
  });

  it('says that nothing is kept where the bucket has no soft delete', async () => {
    await ops.storageClient.bucket(BUCKET).setMetadata({ softDeletePolicy: { retentionDurationSeconds: 0 } });
    const { kennitala } = await gone();
    const { body } = await erase(kennitala);
    expect(body.absent).toBe(true);
    expect(body.softDeleted).toEqual({ state: 'known', retentionDays: 0, copies: 0, lastExpiresAt: null });
  });

  it('finds each list of more than two hundred', async () => {
    const { kennitala } = await gone();
    const lists = ops.db.collection('sync_audit').doc('old').collection('changes');
    const batch = ops.db.batch();
    const [other = ''] = makeKennitalas(1);
    for (let n = 0; n < 250; n += 1) {
      const both = { addedKennitalas: [other, kennitala], removedKennitalas: n % 2 === 0 ? [kennitala] : [] };
      batch.set(lists.doc(String(n)), both);
    }
    await batch.commit();
    const { body } = await erase(kennitala);
    expect(rowOf(body, 'sync_audit/*/changes')).toMatchObject({ found: 377, erased: 377, left: 0 });
    const [list] = (await lists.limit(1).get()).docs;
    expect(list?.data()).toEqual({ addedKennitalas: [other], removedKennitalas: [] });
  });

  it('finds them in a list that is one text, which keeps everybody else and stays what was written', async () => {
    await ops.close();
    ops = await startOpsStack({ members: 600 });
    const { kennitala } = await gone();
    const read = async () =>
      (await ops.db.collectionGroup('changes').where('form', '==', 'lines').get()).docs;
    const [before] = await read();
    const people: string[] = before?.get('addedKennitalas').split('\n') ?? [];
    expect(people).toHaveLength(600);
    expect(people).toContain(kennitala);
    const { body } = await erase(kennitala);
    expect(body.absent).toBe(true);
    expect(rowOf(body, 'sync_audit/*/changes')).toMatchObject({ found: 2, erased: 2, left: 0 });
    expect(await everythingHeld(ops)).not.toContain(kennitala);
    const [after] = await read();
    const left = people.filter((one) => one !== kennitala);
    expect(after?.data()).toMatchObject({ addedKennitalas: left.join('\n'), removedKennitalas: '' });
    expect((await ops.call('POST', '/verify')).body).toMatchObject({ whole: true, findings: [] });
    await after?.ref.update({ addedKennitalas: left.slice(1).join('\n') });
    expect((await ops.call('POST', '/verify')).body.findings).toMatchObject([
      { kind: 'altered', where: after?.ref.path },
    ]);
  });

  it('can be repeated, and is the same for somebody whom nobody knows', async () => {
    const { kennitala } = await gone();
    await erase(kennitala);
    const [stranger = ''] = makeKennitalas(1, 9_000);
    for (const number of [kennitala, stranger]) {
      const { body } = await erase(number);
      expect(body.absent).toBe(true);
      expect(body.stores.every(({ found, erased }: Body) => found === 0 && erased === 0)).toBe(true);
    }
  });

  it('makes a version unreachable for a rollback, and no other', async () => {
    const { kennitala } = await gone();
    await runRoster(ops);
    const kept = (await ops.call('GET', '/roster/versions')).body.versions;
    await erase(kennitala);
    const [old, current] = [kept.at(-1).generation, kept[0].generation];
    expect((await ops.call('POST', '/roster/rollback', { generation: old })).status).toBe(404);
    const left = (await ops.call('GET', '/roster/versions')).body.versions;
    expect(left.map(({ generation }: Body) => generation)).toEqual([current]);
  });

  it('leaves a roll that was frozen with the person on it, says so, and makes the moment itself unknown', async () => {
    const { kennitala } = await joinEverywhere(ops).then(async (traces) => {
      const at = (await ops.call('GET', '/roster/versions')).body.versions[0].publishedAt;
      await ops.call('POST', '/rolls', { name: 'board-2026', at, until: '2099-01-01', reason: 'election' });
      await leaveEverywhere(ops, traces);
      return traces;
    });
    const { body: before } = await ops.call('POST', '/roll', { name: 'board-2026', list: true });
    expect(before.list).toContain(kennitala);
    const { body } = await erase(kennitala);
    expect(body.absent).toBe(true);
    expect(body.stays.join()).toMatch(/frozen/);
    const { body: after } = await ops.call('POST', '/roll', { name: 'board-2026', list: true });
    expect(after).toEqual(before);
    const lost = await ops.call('POST', '/roll', { at: before.receipt.at });
    expect([lost.status, lost.body.code]).toEqual([404, 'roll_unknown']);
  });

  it('looks without changing anything, and records that as a look', async () => {
    const { kennitala } = await gone();
    await ops.db.doc(`webhook_hints/${kennitala}`).set({ action: 'delete' });
    await ops.db.doc('sync_audit/old').set({ reason: `asked by ${kennitala}` });
    const before = await everythingHeld(ops);
    const { body } = await erase(kennitala, { dryRun: true });
    expect(body).toMatchObject({ dryRun: true, absent: false });
    expect(
      body.stores.every(({ found, erased, left }: Body) => found > 0 && erased === 0 && left === found),
    ).toBe(true);
    expect(await ops.actions()).toMatchObject([{ action: 'erase_check' }]);
    expect(await everythingHeld(ops)).toBe(before);
    await erase(kennitala);
    expect((await erase(kennitala, { dryRun: true })).body.absent).toBe(true);
  });

  it('keeps a repeated event harmless: it brings nobody back', async () => {
    const { id, kennitala } = await gone();
    await erase(kennitala);
    expect((await announce(ops, id, 'delete', 2)).result).toBe('duplicate');
    expect((await announce(ops, id, 'create', 1)).result).toBe('duplicate');
    expect((await erase(kennitala, { dryRun: true })).body.absent).toBe(true);
  });

  it.each([
    ['create', 'with', 'unconfirmed'],
    ['update', 'with', 'unconfirmed'],
    ['update', 'without', 'unconfirmed'],
    ['delete', 'without', 'confirmed'],
  ] as const)(
    'a later hint of a registry without versions (%s, %s data) brings nobody back',
    async (action, data, end) => {
      const { id, kennitala } = await gone();
      await erase(kennitala);
      const { id: _id, version: _version, ...payload } = ops.registry.member(id);
      const hints = makeHintStore(async () => ops.db);
      let time = ops.clock.now().getTime();
      await hints.keep({
        kennitala,
        action,
        payload: data === 'with' ? payload : null,
        token: 'later',
        at: new Date(time),
        eventId: null,
        member: await ops.reference(kennitala),
      });
      const followed = await followHint(kennitala, 'later', {
        members: ops.members,
        registry: ops.registryMembers,
        hints,
        rosterRefresh: { request: async () => undefined },
        reference: ops.reference,
        now: () => new Date(time),
        sleep: async (ms) => {
          time += ms;
        },
        logs: { followed: () => undefined },
      });
      expect(followed).toBe(end);
      expect((await ops.db.doc(`members/${kennitala}`).get()).exists).toBe(false);
      // What is left of a hint that nothing confirmed is its number, until the next reconcile, or this:
      const left = (await erase(kennitala, { dryRun: true })).body;
      expect(left.stores.filter((row: Body) => row.left > 0).map((row: Body) => row.store)).toEqual(
        end === 'confirmed' ? [] : ['webhook_hints'],
      );
      expect((await erase(kennitala)).body.absent).toBe(true);
    },
  );

  it('leaves the record whole: what it took out is told from what anybody else takes out', async () => {
    const { kennitala } = await gone();
    await ops.db.doc('sync_audit/old').delete();
    await erase(kennitala);
    const { body } = await ops.call('POST', '/verify');
    expect(body.findings).toEqual([]);
    expect(body).toMatchObject({ whole: true, code: null });
    expect(body.erased).toBeGreaterThan(0);
    const [lists] = (await ops.db.collectionGroup('changes').get()).docs;
    await lists?.ref.update({ addedKennitalas: FieldValue.arrayRemove(lists.get('addedKennitalas')[0]) });
    expect((await ops.call('POST', '/verify')).body).toMatchObject({
      whole: false,
      code: 'chain_broken',
      findings: [{ kind: 'altered', where: lists?.ref.path }],
    });
  });

  it('puts the number into no log, no record and no answer', async () => {
    const { kennitala, reference } = await gone();
    const { body } = await erase(`${kennitala.slice(0, 6)}-${kennitala.slice(6)}`);
    const spelled = new RegExp(`${kennitala.slice(0, 6)}-?${kennitala.slice(6)}`);
    expect(JSON.stringify(body)).not.toMatch(spelled);
    expect(JSON.stringify(ops.logs)).not.toMatch(spelled);
    expect(JSON.stringify(await ops.actions())).not.toMatch(spelled);
    const entry = ops.logs.findLast(({ fields }) => fields['event'] === 'member_erased');
    expect(entry).toMatchObject({
      fields: { member: reference, absent: true, erased: 9, left: 0, codes: [] },
    });
  });
});
