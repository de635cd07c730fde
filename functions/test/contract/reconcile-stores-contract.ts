import { beforeEach, describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { decideChange } from '../../src/domain/member/decide-change.ts';
import { parseRegistryMember } from '../../src/domain/member/parse-registry-member.ts';
import type {
  MemberWrite,
  PortalDocument,
  PortalIndex,
  PortalWriter,
  WriteResult,
} from '../../src/portal/ports.ts';
import { NESTED } from '../domain/member/support/wire-members.ts';
import { makeKennitalas } from '../support/kennitalas.ts';
import type { QueuedEdit } from './member-store-contract.ts';

export interface ReconcileStoresHarness {
  readonly index: PortalIndex;
  readonly writer: PortalWriter;
  readonly queue: (item: QueuedEdit) => Promise<void>;
}

const AT = new Date('2026-11-20T10:00:00.123Z');
const never = new AbortController().signal;
const kennitalas = makeKennitalas(3);
const [someone, other, nobody] = kennitalas as [Kennitala, Kennitala, Kennitala];

const writeOf = (kennitala: Kennitala, name: string, ifState: string | null): MemberWrite => {
  const content = parseRegistryMember({ ...NESTED, ssn: kennitala, name });
  const change = { kennitala, action: 'update' as const, version: 9, occurredAt: null, content };
  const decision = decideChange(null, change, { pending: [], origin: 'reconcile', now: AT });
  if (decision.kind !== 'write') throw new Error('Nothing to write.');
  return { kennitala, member: decision.member, meta: decision.meta, ifState };
};

/** What the stores of a reconcile do together, whatever they are made of. `make` gives empty ones. */
export const describeReconcileStores = (name: string, make: () => Promise<ReconcileStoresHarness>): void => {
  describe(`the stores of the reconcile on ${name}`, () => {
    let harness: ReconcileStoresHarness;
    let runs = 0;
    beforeEach(async () => {
      harness = await make();
    });
    /** The writes of one run, which its time tells from those of other runs. */
    const write = async (...writes: readonly MemberWrite[]): Promise<[Kennitala, WriteResult][]> => {
      const settled: [Kennitala, WriteResult][] = [];
      const given = async function* () {
        yield* writes;
      };
      runs += 1;
      await harness.writer.write(given(), {
        at: new Date(AT.getTime() + runs),
        signal: never,
        onSettled: ({ kennitala }, result) => settled.push([kennitala, result]),
      });
      return settled.sort();
    };
    const stateOf = async (kennitala: Kennitala) =>
      (await harness.index.read([kennitala])).get(kennitala)?.state ?? null;
    const all = async (signal = never): Promise<PortalDocument[]> => {
      const documents: PortalDocument[] = [];
      for await (const document of harness.index.documents({ signal })) documents.push(document);
      return documents;
    };

    it('shows an empty portal, and a member without a document', async () => {
      expect(await all()).toEqual([]);
      expect(await harness.index.read([nobody])).toEqual(
        new Map([[nobody, { stored: null, state: null, writtenAt: null, pending: [] }]]),
      );
    });

    it('shows what was written, ascending, with the state by which it is known again', async () => {
      expect(await write(writeOf(other, 'Two', null), writeOf(someone, 'One', null))).toEqual([
        [someone, 'written'],
        [other, 'written'],
      ]);
      const documents = await all();
      expect(documents.map(({ kennitala, stored }) => [kennitala, stored.member.profile.name])).toEqual([
        [someone, 'One'],
        [other, 'Two'],
      ]);
      expect(documents[0]?.state).toBe(await stateOf(someone));
      expect(documents[0]?.stored.meta).toEqual(writeOf(someone, 'One', null).meta);
    });

    it('writes only while the document is as it was read', async () => {
      await write(writeOf(someone, 'First', null));
      const read = await stateOf(someone);
      expect(await write(writeOf(someone, 'Second', read))).toEqual([[someone, 'written']]);
      expect(await write(writeOf(someone, 'Late', read), writeOf(other, 'Other', null))).toEqual([
        [someone, 'overtaken'],
        [other, 'written'],
      ]);
      const [document] = await all();
      expect(document?.stored.member.profile.name).toBe('Second');
      expect(document?.state).not.toBe(read);
    });

    it('creates only what is not there', async () => {
      await write(writeOf(someone, 'First', null));
      expect(await write(writeOf(someone, 'Second', null))).toEqual([[someone, 'overtaken']]);
    });

    it('shows the edits of a member that still wait', async () => {
      await write(writeOf(someone, 'One', null));
      const edit = { path: 'profile.email', editedAt: AT, value: 'mine@b.is', from: null };
      await harness.queue({ kennitala: someone, status: 'pending', edits: [edit] });
      await harness.queue({ kennitala: someone, status: 'synced', edits: [edit] });
      expect((await harness.index.read([someone])).get(someone)?.pending).toEqual([edit]);
    });

    it('shows what the persons of rows withdrew under other numbers', async () => {
      const withdrawn = { 'profile.reachable': AT };
      const left = writeOf(someone, 'One', null);
      const djangoId = left.meta.django_id ?? 0;
      expect(djangoId).toBeGreaterThan(0);
      await write({ ...left, meta: { ...left.meta, withdrawn } });
      const asked = [
        { kennitala: other, djangoId },
        { kennitala: someone, djangoId },
        { kennitala: nobody, djangoId: djangoId + 1 },
      ];
      expect(await harness.index.former(asked)).toEqual(new Map([[other, withdrawn]]));
      const edit = { path: 'profile.reachable', editedAt: AT, value: true };
      await harness.queue({ kennitala: someone, status: 'pending', edits: [edit] });
      expect(await harness.index.former(asked)).toEqual(new Map([[other, {}]]));
    });

    it('shows nothing from before of who comes back to the number that they had last', async () => {
      const withdrawn = { 'profile.reachable': AT };
      const [left, back] = [writeOf(someone, 'One', null), writeOf(other, 'One', null)];
      const goneAt = (seconds: number) => new Date(AT.getTime() + seconds * 1_000);
      await write({ ...left, meta: { ...left.meta, withdrawn, deleted_at: goneAt(1) } });
      await write({ ...back, meta: { ...back.meta, deleted_at: goneAt(2) } });
      const asked = [someone, other].map((kennitala) => ({
        kennitala,
        djangoId: left.meta.django_id ?? Number.NaN,
      }));
      expect(await harness.index.former(asked)).toEqual(
        new Map([
          [someone, {}],
          [other, {}],
        ]),
      );
      const again = { ...left, ifState: await stateOf(someone) };
      await write({ ...again, meta: { ...left.meta, withdrawn, deleted_at: goneAt(3) } });
      expect((await harness.index.former(asked)).get(other)).toEqual(withdrawn);
    });

    it('writes under a corrected number unless the former documents say more than was read there', async () => {
      const withdrawn = { 'profile.reachable': AT };
      const left = writeOf(someone, 'One', null);
      await write({ ...left, meta: { ...left.meta, withdrawn } });
      const { django_id } = left.meta;
      const next = (former: object) => {
        const made = writeOf(other, 'One', null);
        return { ...made, meta: { ...made.meta, django_id }, former };
      };
      expect(await write(next({}))).toEqual([[other, 'overtaken']]);
      expect((await harness.index.read([other])).get(other)?.stored).toBeNull();
      expect(await write(next({ ...withdrawn, 'profile.groupable': AT }))).toEqual([[other, 'written']]);
      expect(await write(next(withdrawn))).toEqual([[other, 'overtaken']]);
    });

    it('reads nothing more when the time is up', async () => {
      const aborted = AbortSignal.abort();
      await write(writeOf(someone, 'One', null));
      await expect(all(aborted)).rejects.toMatchObject({
        code: 'deadline_exceeded',
      });
    });
  });
};
