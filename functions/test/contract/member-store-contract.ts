import { beforeEach, describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { decideChange } from '../../src/domain/member/decide-change.ts';
import type { PendingEdit } from '../../src/domain/member/kept-values.ts';
import type { MemberChange } from '../../src/domain/member/member-change.ts';
import { parseRegistryMember } from '../../src/domain/member/parse-registry-member.ts';
import { SyncError } from '../../src/lib/errors.ts';
import type { ChangeRequest, MemberStore } from '../../src/portal/ports.ts';
import { NESTED } from '../domain/member/support/wire-members.ts';
import { makeKennitalas } from '../support/kennitalas.ts';

/** One item of `sync_queue`, as far as the portal's stores read it. */
export interface QueuedEdit {
  readonly kennitala: Kennitala;
  readonly status: 'pending' | 'synced';
  readonly edits: readonly PendingEdit[];
  readonly isMoved?: true;
}

export interface MemberStoreHarness {
  readonly store: MemberStore;
  readonly queue: (item: QueuedEdit) => Promise<void>;
  /** The next commit fails without a chance to be tried again, before or after it took effect. */
  readonly failNextCommit?: (when: 'before' | 'after') => void;
}

const AT = new Date('2026-11-20T10:00:00.123Z');
const [someone, other] = makeKennitalas(2) as [Kennitala, Kennitala];

const changeOf = (version: number, name = `Person ${version}`, kennitala = someone): MemberChange => ({
  kennitala,
  action: 'update',
  version,
  occurredAt: null,
  content: parseRegistryMember({ ...NESTED, ssn: kennitala, name }),
});

const requestOf = (change: MemberChange, more: Partial<ChangeRequest> = {}): ChangeRequest => ({
  kennitala: change.kennitala,
  eventId: null,
  djangoId: change.content?.djangoId ?? null,
  at: AT,
  decide: (stored, pending, former) =>
    decideChange(stored, change, { pending, former, origin: 'registry', now: AT }),
  toReceipt: ({ kind }) => ({
    result: kind === 'stale' ? 'stale' : 'applied',
    action: change.action,
    member: 'm_0123456789abcdef',
    changesRoster: false,
  }),
  ...more,
});

/** What every member store does, whatever it is made of. `make` gives an empty one. */
export const describeMemberStore = (name: string, make: () => Promise<MemberStoreHarness>): void => {
  describe(`the member store on ${name}`, () => {
    let harness: MemberStoreHarness;
    let store: MemberStore;
    beforeEach(async () => {
      harness = await make();
      store = harness.store;
    });
    const nameNow = async () => (await store.read(someone)).stored?.member.profile.name;

    it('knows nothing of a member that was never written', async () => {
      expect(await store.read(someone)).toEqual({ stored: null, state: null, writtenAt: null });
    });

    it('gives back exactly what was decided', async () => {
      const outcome = await store.applyChange(requestOf(changeOf(3)));
      if (outcome.kind !== 'decided' || outcome.decision.kind !== 'write') throw new Error('not written');
      const { member, meta } = outcome.decision;
      expect((await store.read(someone)).stored).toEqual({ member, meta });
    });

    it('writes nothing, and keeps no receipt, when it cannot be decided', async () => {
      await store.applyChange(requestOf(changeOf(1)));
      const before = await store.read(someone);
      const undecided = requestOf(changeOf(2), { eventId: 'event-undecided', decide: () => null });
      expect(await store.applyChange(undecided)).toEqual({ kind: 'undecided' });
      expect(await store.read(someone)).toEqual(before);
      expect(await store.applyChange({ ...undecided, decide: () => ({ kind: 'stale' }) })).toMatchObject({
        kind: 'decided',
      });
    });

    it('names another state after each write, and the same one when nothing was written', async () => {
      await store.applyChange(requestOf(changeOf(1)));
      const { state: first } = await store.read(someone);
      await store.applyChange(requestOf(changeOf(1, 'Late Person')));
      expect((await store.read(someone)).state).toBe(first);
      await store.applyChange(requestOf(changeOf(2)));
      const { state: second } = await store.read(someone);
      expect([first === null, first === second]).toEqual([false, false]);
    });

    it("shows the decision what is stored and this member's edits that still wait", async () => {
      const edit: PendingEdit = { path: 'profile.email', editedAt: AT, value: 'mine@b.is', from: null };
      const phone: PendingEdit = { path: 'profile.phone', editedAt: AT, value: '5559999' };
      await harness.queue({ kennitala: someone, status: 'pending', edits: [edit] });
      await harness.queue({ kennitala: someone, status: 'synced', edits: [phone] });
      await harness.queue({ kennitala: other, status: 'pending', edits: [phone] });
      await store.applyChange(requestOf(changeOf(1)));
      let seen: unknown;
      await store.applyChange(
        requestOf(changeOf(2), {
          decide: (stored, pending) => {
            seen = [stored?.member.profile.name, stored?.meta.source_version, pending];
            return { kind: 'stale' };
          },
        }),
      );
      expect(seen).toEqual(['Person 1', 1, [edit]]);
      expect(await nameNow()).toBe('Person 1');
    });

    it('shows the decision of a first document no edit of one that has been erased, but what came from another number', async () => {
      const edit: PendingEdit = { path: 'profile.email', editedAt: AT, value: 'erased@b.is', from: null };
      const moved: PendingEdit = { path: 'profile.phone', editedAt: AT, value: '5559999', from: null };
      await harness.queue({ kennitala: someone, status: 'pending', edits: [edit] });
      await harness.queue({ kennitala: someone, status: 'pending', edits: [moved], isMoved: true });
      await store.applyChange(requestOf(changeOf(1)));
      const { profile } = (await store.read(someone)).stored?.member ?? {};
      expect(profile).toMatchObject({
        email: changeOf(1).content?.content['profile.email'],
        phone: '5559999',
      });
    });

    it('shows the decision what the person withdrew under another number, where the row is new to the document', async () => {
      const withdrawn = { 'profile.reachable': AT };
      const named = (kennitala: Kennitala) => ({ ...changeOf(1, 'A person', kennitala) });
      const left = requestOf(named(other));
      await store.applyChange({
        ...left,
        decide: (...seen) => {
          const decision = left.decide(...seen);
          return decision?.kind === 'write'
            ? { ...decision, meta: { ...decision.meta, withdrawn } }
            : decision;
        },
      });
      const groupable: PendingEdit = { path: 'profile.groupable', editedAt: AT, value: false };
      await harness.queue({ kennitala: other, status: 'pending', edits: [groupable] });
      const formerSeen = async (request: ChangeRequest) => {
        let seen: unknown;
        await store.applyChange({
          ...request,
          decide: (stored, pending, former) => {
            seen = former;
            return request.decide(stored, pending, former);
          },
        });
        return seen;
      };
      const created = requestOf(named(someone));
      expect(created.djangoId).toEqual(expect.any(Number));
      expect(await formerSeen({ ...created, djangoId: null, decide: () => null })).toEqual({});
      expect(await formerSeen({ ...created, djangoId: 123_456, decide: () => null })).toEqual({});
      expect(await formerSeen(created)).toEqual({ ...withdrawn, 'profile.groupable': AT });
      // From then on the document knows it itself.
      expect(await formerSeen(requestOf(changeOf(2)))).toEqual({});
      expect((await store.read(someone)).stored?.meta.withdrawn).toHaveProperty(['profile.reachable']);
      // Who comes back to a number has said there what counts, unless they were at another one since.
      const leave = (kennitala: Kennitala, version: number, seconds: number) => {
        const change = { kennitala, action: 'delete' as const, version, occurredAt: null, content: null };
        const now = new Date(AT.getTime() + seconds * 1_000);
        return store.applyChange({
          ...requestOf(change),
          at: now,
          decide: (stored, pending, former) =>
            decideChange(stored, change, { pending, former, origin: 'registry', now }),
        });
      };
      await leave(other, 2, 1);
      await leave(someone, 3, 2);
      const back = { ...requestOf(changeOf(9)), decide: () => null };
      expect(await formerSeen(back)).toEqual({});
      await leave(other, 3, 3);
      expect(await formerSeen(back)).toEqual({ ...withdrawn, 'profile.groupable': AT });
    });

    it('answers an event that it has received before with the first receipt, and decides nothing', async () => {
      const request = requestOf(changeOf(1), { eventId: 'msg_1' });
      const first = await store.applyChange(request);
      const again = await store.applyChange(
        requestOf(changeOf(2), {
          eventId: 'msg_1',
          decide: () => {
            throw new SyncError('internal', 'A repetition was decided about.');
          },
        }),
      );
      if (first.kind !== 'decided') throw new Error('not decided');
      expect(first.receipt).toEqual(request.toReceipt(first.decision));
      expect(again).toEqual({ kind: 'duplicate', receipt: first.receipt });
      expect(await nameNow()).toBe('Person 1');
    });

    it('remembers a stale event as well, and takes no event without an id for a repetition', async () => {
      await store.applyChange(requestOf(changeOf(5)));
      expect(await store.applyChange(requestOf(changeOf(4), { eventId: 'late' }))).toMatchObject({
        kind: 'decided',
        receipt: { result: 'stale' },
      });
      expect(await store.applyChange(requestOf(changeOf(4), { eventId: 'late' }))).toMatchObject({
        kind: 'duplicate',
        receipt: { result: 'stale' },
      });
      await store.applyChange(requestOf(changeOf(6)));
      expect(await store.applyChange(requestOf(changeOf(7)))).toMatchObject({ kind: 'decided' });
    });

    it('writes neither member nor receipt when the document is not in the expected state', async () => {
      const { state: before } = await store.read(someone);
      await store.applyChange(requestOf(changeOf(1)));
      const { state } = await store.read(someone);
      for (const ifState of [before, 'of another time']) {
        expect(
          await store.applyChange(requestOf(changeOf(2), { eventId: 'msg_2', ifState: ifState ?? null })),
        ).toEqual({ kind: 'moved' });
      }
      expect(await nameNow()).toBe('Person 1');
      expect(
        await store.applyChange(requestOf(changeOf(2), { eventId: 'msg_2', ifState: state })),
      ).toMatchObject({ kind: 'decided' });
      expect(await nameNow()).toBe('Person 2');
    });

    it('takes a document that is not there for a state as well', async () => {
      const outcome = await store.applyChange(requestOf(changeOf(1), { ifState: null }));
      expect(outcome).toMatchObject({ kind: 'decided' });
      expect(await store.applyChange(requestOf(changeOf(2), { ifState: null }))).toEqual({ kind: 'moved' });
    });

    it('lets changes of one member that come at once see each other', async () => {
      await Promise.all(
        Array.from({ length: 8 }, () =>
          store.applyChange(
            requestOf(changeOf(0), {
              decide: (stored, pending) =>
                decideChange(stored, changeOf((stored?.meta.source_version ?? 0) + 1), {
                  pending,
                  origin: 'registry',
                  now: AT,
                }),
            }),
          ),
        ),
      );
      expect((await store.read(someone)).stored?.meta.source_version).toBe(8);
    });

    it('decides once about an event that comes twice at once', async () => {
      const outcomes = await Promise.all(
        [1, 2].map(() => store.applyChange(requestOf(changeOf(1), { eventId: 'msg_1' }))),
      );
      expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['decided', 'duplicate']);
    });

    it.for([
      ['before', undefined, 'decided'],
      ['after', 'Person 1', 'duplicate'],
    ] as const)('says so when a commit fails %s it took effect', async ([when, left, then], { skip }) => {
      const { failNextCommit } = harness;
      if (!failNextCommit) return skip("commits of the official emulator fail at nobody's word");
      failNextCommit(when);
      const request = requestOf(changeOf(1), { eventId: 'msg_1' });
      await expect(store.applyChange(request)).rejects.toMatchObject({ code: 'store_unavailable' });
      expect(await nameNow()).toBe(left);
      expect(await store.applyChange(request)).toMatchObject({ kind: then });
      expect(await nameNow()).toBe('Person 1');
    });
  });
};
