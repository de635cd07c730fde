import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Kennitala } from '../../../src/domain/kennitala.ts';
import type { FieldValues } from '../../../src/domain/member/fields.ts';
import type { ConflictRecord } from '../../../src/twoway/conflict.ts';
import type { MemberView, Reads, Step, TwoWayStore } from '../../../src/twoway/ports.ts';
import { makeEditTime, makeQueueItem, type QueueItem, toEditTime } from '../../../src/twoway/queue.ts';
import { makeKennitalas } from '../../support/kennitalas.ts';

export interface OpenedStore {
  readonly store: TwoWayStore;
  /** Puts a member's document there as a server would. */
  readonly putMember: (kennitala: Kennitala, values: Partial<FieldValues>) => Promise<void>;
  readonly close: () => Promise<void>;
}

const NOW = new Date('2026-11-20T10:00:00.000Z');
const SECONDS = Math.floor(NOW.getTime() / 1_000);
let used = 20_000;
const someone = (): Kennitala => {
  used += 1;
  const [kennitala] = makeKennitalas(1, used);
  if (kennitala === undefined) throw new Error('No number was generated.');
  return kennitala;
};

const itemOf = (kennitala: Kennitala, id: string, facts: Partial<QueueItem> = {}): QueueItem => ({
  ...makeQueueItem(
    {
      id,
      kennitala,
      djangoId: 7,
      action: 'update',
      changes: { 'profile.email': { oldValue: 'a@example.is', newValue: 'b@example.is' } },
      editedAt: toEditTime(NOW),
      isContinuation: false,
    },
    NOW,
  ),
  ...facts,
});

/** What the features count on, whatever holds it. */
export const describeStoreContract = (name: string, open: () => Promise<OpenedStore>): void => {
  describe(`the two-way store in ${name}`, () => {
    let opened: OpenedStore;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(async () => {
      await opened.close();
    });
    const view = (kennitala: Kennitala, reads: Reads = {}): Promise<MemberView> =>
      opened.store.transact(kennitala, reads, NOW, (seen) => ({ result: seen }));
    const write = (kennitala: Kennitala, step: Omit<Step<null>, 'result'>, at = NOW): Promise<null> =>
      opened.store.transact(kennitala, {}, at, () => ({ ...step, result: null }));

    it('knows nothing of a member who was never there', async () => {
      expect(
        await view(someone(), { item: 'none', laterThan: toEditTime(NOW), failed: true, conflict: 'none' }),
      ).toEqual({
        stored: null,
        state: null,
        createdAt: null,
        pending: [],
        item: null,
        later: [],
        failed: [],
        conflict: null,
        openConflicts: [],
      });
    });

    it('gives back an item as it was, with its claim, its delivery and times finer than a millisecond', async () => {
      const kennitala = someone();
      const editedAt = makeEditTime(SECONDS, 123_456_000);
      const item = itemOf(kennitala, 'whole', {
        editedAt,
        settled: { 'profile.reachable': { oldValue: false, newValue: true, outcome: 'synced' } },
        changes: { 'profile.addresses': { oldValue: [], newValue: [{ street: 'Reynigata', number: null }] } },
        errorMessage: 'registry_timeout: …',
        retryCount: 2,
        deliveries: 1,
        isContinuation: true,
        claim: { owner: 'me', expiresAt: new Date(NOW.getTime() + 1_000) },
        delivery: {
          changeId: 'whole',
          action: 'update',
          paths: {
            'profile.addresses': {
              expected: [],
              newValue: [{ street: 'Reynigata', number: null }],
              editedAt,
            },
          },
        },
      });
      await write(kennitala, { items: [item] });
      expect((await view(kennitala)).pending).toEqual([item]);
      expect((await view(kennitala, { item: 'whole' })).item).toEqual(item);
    });

    it('finds items by their state, and those of no other member', async () => {
      const [kennitala, other] = [someone(), someone()];
      const at = (n: number) => makeEditTime(SECONDS + n, 0);
      const ended = {
        changes: {},
        settled: { 'profile.email': { oldValue: 'a', newValue: 'b', outcome: 'failed' as const } },
      };
      await write(other, { items: [itemOf(other, 'theirs')] });
      await write(kennitala, {
        items: [
          itemOf(kennitala, 'first', { editedAt: at(1) }),
          itemOf(kennitala, 'second', { editedAt: at(2), status: 'failed', ...ended }),
          itemOf(kennitala, 'third', { editedAt: at(3), status: 'synced', syncedAt: NOW, ...ended }),
        ],
      });
      const seen = await view(kennitala, { laterThan: at(1), failed: true });
      const ids = (items: readonly QueueItem[]) => items.map(({ id }) => id).sort();
      expect([ids(seen.pending), ids(seen.later), ids(seen.failed)]).toEqual([
        ['first'],
        ['second', 'third'],
        ['second'],
      ]);
    });

    it('writes nothing when the decision throws', async () => {
      const kennitala = someone();
      const refused = opened.store.transact(kennitala, {}, NOW, () => {
        throw new TypeError('no');
      });
      await expect(refused).rejects.toThrow();
      expect((await view(kennitala)).pending).toEqual([]);
    });

    it("changes a member's fields, leaves the others, and always moves the state", async () => {
      const kennitala = someone();
      await opened.putMember(kennitala, { 'profile.email': 'a@example.is', 'profile.facebook': 'kept' });
      const before = await view(kennitala);
      if (before.stored === null) throw new Error('The member is missing.');
      const meta = { ...before.stored.meta, source_version: 41, source_hash: null };
      await write(kennitala, { member: { values: { 'profile.email': 'b@example.is' }, meta } });
      const after = await view(kennitala);
      expect(after.stored?.member.profile).toMatchObject({ email: 'b@example.is', facebook: 'kept' });
      const { origin: _origin, ...kept } = meta;
      expect(after.stored?.meta).toMatchObject(kept);
      expect(after.state).not.toBe(before.state);
      await write(kennitala, { member: { values: {}, meta } }, new Date(NOW.getTime() + 1));
      expect((await view(kennitala)).state).not.toBe(after.state);
    });

    it('leaves a tombstone of a reading what it is: an event is not believed against it', async () => {
      const kennitala = someone();
      await opened.putMember(kennitala, {});
      const before = await view(kennitala);
      if (before.stored === null) throw new Error('The member is missing.');
      const meta = { ...before.stored.meta, deleted_at: NOW, origin: 'reconcile' as const };
      await write(kennitala, { member: { values: {}, meta } });
      expect((await view(kennitala)).stored?.meta).toMatchObject({ deleted_at: NOW, origin: 'reconcile' });
    });

    it('keeps what is known of the consents, and knows what it writes', async () => {
      const kennitala = someone();
      await opened.putMember(kennitala, {});
      const before = await view(kennitala);
      if (before.stored === null) throw new Error('The member is missing.');
      expect(before.stored.meta.heard).toBeUndefined();
      const heard = { consents: { 'profile.reachable': true }, writtenOver: { 'profile.groupable': NOW } };
      await write(kennitala, { member: { values: {}, meta: { ...before.stored.meta, heard } } });
      expect((await view(kennitala)).stored?.meta.heard).toEqual(heard);
      const values = { 'profile.reachable': false };
      await write(kennitala, { member: { values, meta: { ...before.stored.meta, heard } } });
      expect((await view(kennitala)).stored?.meta.heard).toEqual({
        consents: { 'profile.reachable': false },
        writtenOver: { 'profile.reachable': expect.any(Date), 'profile.groupable': NOW },
      });
    });

    it('keeps which consents are withdrawn, and forgets one that is not any more', async () => {
      const kennitala = someone();
      await opened.putMember(kennitala, {});
      const before = await view(kennitala);
      if (before.stored === null) throw new Error('The member is missing.');
      const withdrawn = { 'profile.reachable': NOW };
      await write(kennitala, { member: { values: {}, meta: { ...before.stored.meta, withdrawn } } });
      expect((await view(kennitala)).stored?.meta.withdrawn).toEqual(withdrawn);
      await write(kennitala, { member: { values: {}, meta: { ...before.stored.meta, withdrawn: {} } } });
      expect((await view(kennitala)).stored?.meta.withdrawn ?? {}).toEqual({});
    });

    it('keeps a conflict, and knows whose it is', async () => {
      const kennitala = someone();
      const conflict: ConflictRecord = {
        id: 'change-1~2',
        kennitala,
        detectedAt: NOW,
        paths: {
          'profile.email': {
            expected: 'a',
            portal: { value: 'b', editedAt: NOW },
            registry: { value: 'c', changedAt: null },
            winner: 'registry',
            reason: 'incomparable',
            state: 'open',
            resolution: { keep: 'value', value: 'd', by: 'operator', at: NOW },
          },
        },
      };
      await write(kennitala, { conflicts: [conflict] });
      expect((await view(kennitala, { conflict: conflict.id })).conflict).toEqual(conflict);
      expect((await view(kennitala, { openConflicts: true })).openConflicts).toEqual([conflict]);
      expect(await opened.store.conflictMember(conflict.id)).toBe(kennitala);
      expect(await opened.store.conflictMember('none')).toBeNull();
    });

    it('lists members with something to do, each once, the longest due first', async () => {
      const [late, early, waiting, dead] = [someone(), someone(), someone(), someone()];
      const minutes = (n: number) => new Date(NOW.getTime() + n * 60_000);
      await write(late, {
        items: [
          itemOf(late, 'late-1', { nextAttemptAt: minutes(-1) }),
          itemOf(late, 'late-2', { nextAttemptAt: minutes(-2) }),
        ],
      });
      await write(early, { items: [itemOf(early, 'early', { nextAttemptAt: minutes(-9) })] });
      await write(waiting, { items: [itemOf(waiting, 'waiting', { nextAttemptAt: minutes(5) })] });
      await write(dead, {
        items: [itemOf(dead, 'dead', { status: 'failed', changes: {}, nextAttemptAt: minutes(-9) })],
      });
      const mine = new Set([late, early, waiting, dead]);
      const list = async (which: 'due' | 'waiting' | 'failed', now: Date, except = new Set<Kennitala>()) =>
        (await opened.store.members({ now, which, limit: 1_000, except })).filter((kennitala) =>
          mine.has(kennitala),
        );
      expect(await list('due', minutes(-1))).toEqual([early, late]);
      expect(await list('waiting', minutes(-1))).toEqual([early, late, waiting]);
      expect(await list('failed', minutes(-1))).toEqual([dead]);
      expect(await list('due', minutes(-1), new Set([early]))).toEqual([late]);
      expect(
        await opened.store.members({ now: minutes(-5), which: 'due', limit: 1, except: new Set() }),
      ).toHaveLength(1);
    });

    it('finds the member behind hundreds of items of another', async () => {
      const [many, behind] = [someone(), someone()];
      const due = new Date(NOW.getTime() - 3_600_000);
      for (let from = 0; from < 600; from += 300) {
        const items = Array.from({ length: 300 }, (_, n) =>
          itemOf(many, `many-${from + n}`, { nextAttemptAt: due }),
        );
        await write(many, { items });
      }
      await write(behind, {
        items: [itemOf(behind, 'behind', { nextAttemptAt: new Date(due.getTime() + 1) })],
      });
      const found = await opened.store.members({
        now: due,
        which: 'waiting',
        limit: 1_000,
        except: new Set(),
      });
      expect(found).toEqual(expect.arrayContaining([many, behind]));
    });

    it('deletes what was synced or given up before a time, and nothing else', async () => {
      const kennitala = someone();
      const days = (n: number) => new Date(NOW.getTime() + n * 24 * 3_600_000);
      const synced = (id: string, at: Date) =>
        itemOf(kennitala, id, { status: 'synced', changes: {}, syncedAt: at });
      await write(kennitala, {
        items: [
          synced('old', days(-40)),
          synced('new', days(-20)),
          itemOf(kennitala, 'pending'),
          { ...synced('given-up', days(-40)), status: 'failed' },
          { ...synced('dead', days(-40)), status: 'failed', syncedAt: null },
        ],
      });
      let deleted = 0;
      for (;;) {
        const now = await opened.store.deleteSynced(days(-30));
        if (now === 0) break;
        deleted += now;
      }
      expect(deleted).toBe(2);
      const ids = (await view(kennitala, { laterThan: makeEditTime(0, 0) })).later.map(({ id }) => id).sort();
      expect(ids).toEqual(['dead', 'new', 'pending']);
    });

    it('takes many members at once, each with a decision of its own, all or nothing', async () => {
      const people = Array.from({ length: 35 }, someone);
      const lone = someone();
      const step = (kennitala: Kennitala, n: number) => ({
        items: [itemOf(kennitala, `many-${kennitala}-${n}`)],
        result: n,
      });
      const first = await opened.store.transactAll(people, NOW, (kennitala, { pending }) =>
        step(kennitala, pending.length),
      );
      expect([...first.values()]).toEqual(Array(35).fill(0));
      const second = await opened.store.transactAll([...people, lone], NOW, (kennitala, { pending }) =>
        step(kennitala, pending.length),
      );
      expect([...second.keys()]).toEqual([...people, lone]);
      expect([...second.values()]).toEqual([...Array(35).fill(1), 0]);
      const failing = opened.store.transactAll(people, NOW, (kennitala) => {
        if (kennitala === people.at(-1)) throw new TypeError('no');
        return step(kennitala, 9);
      });
      await expect(failing).rejects.toThrow();
      for (const kennitala of people) expect((await view(kennitala)).pending).toHaveLength(2);
    });

    it('gives one of two that read the same the second turn, with what the first wrote', async () => {
      const kennitala = someone();
      const addOne = () =>
        opened.store.transact(kennitala, {}, NOW, ({ pending }) => ({
          items: [itemOf(kennitala, `turn-${kennitala}-${pending.length}`)],
          result: pending.length,
        }));
      expect((await Promise.all([addOne(), addOne(), addOne()])).sort()).toEqual([0, 1, 2]);
    });
  });
};
