import { beforeEach, describe, expect, it } from 'vitest';
import type { RunRecord } from '../../src/mirror/mirror.ts';
import { closeSuccess, openRecord } from '../../src/mirror/run-record.ts';
import type { BeginOptions, Begun, RunStore } from '../../src/mirror/run-store.ts';
import type { ListedPeople } from '../../src/proof/chain.ts';
import { makeKennitalas } from '../support/kennitalas.ts';

export interface RunStoreHarness {
  readonly store: RunStore;
  /** The stored record, times as Dates; null when there is none. */
  readonly record: (runId: string) => Promise<RunRecord | null>;
  /** Documents of the restricted lists of a run. */
  readonly changes: (runId: string) => Promise<ListedPeople[]>;
  /** What happens before the next write that asks for nothing before it. */
  readonly beforeNextCommit: (happening: () => Promise<void>) => void;
}

const START = Date.parse('2026-11-23T03:00:00.000Z');
const LEASE_MS = 150_000;

/** What every run store does, whatever it is made of. `make` gives an empty one. */
export const describeRunStore = (name: string, make: () => Promise<RunStoreHarness>): void => {
  describe(`the run store on ${name}`, () => {
    let harness: RunStoreHarness;
    beforeEach(async () => {
      harness = await make();
    });

    const open = (runId: string, at = START): RunRecord =>
      openRecord({
        runId,
        mirror: 'roster',
        trigger: 'schedule',
        startedAt: new Date(at),
        approve: null,
        requestedBy: null,
      });
    const begin = (
      runId: string,
      at = START,
      occurrence: BeginOptions['occurrence'] = null,
    ): Promise<Begun> =>
      harness.store.begin({ record: open(runId, at), leaseExpiresAt: new Date(at + LEASE_MS), occurrence });
    const begun = async (runId: string, at = START) => {
      const result = await begin(runId, at);
      if (result.kind !== 'begun') throw new Error(`not begun but ${result.kind}`);
      return result;
    };
    const published = (runId: string, at = START): RunRecord =>
      closeSuccess({ ...open(runId, at), memberCount: 7 }, 'published', {}, new Date(at + 1_000));

    it('opens the record with the lease, and closes it with giving the lease back', async () => {
      const { lease, lastSuccess, abandonedRunId } = await begun('one');
      expect([lease.owner, lastSuccess, abandonedRunId]).toEqual(['one', null, null]);
      expect(await harness.record('one')).toEqual(open('one'));
      await harness.store.finish({ lease, record: published('one'), occurrenceDone: null });
      expect(await harness.record('one')).toEqual(published('one'));
      const next = await begun('two', START + 5_000);
      expect(next.lastSuccess).toEqual({ runId: 'one', at: new Date(START), memberCount: 7 });
      expect(next.abandonedRunId).toBeNull();
    });

    it('gives the lease to one of many that ask at once', async () => {
      const results = await Promise.all(Array.from({ length: 6 }, (_, n) => begin(`run-${n}`)));
      expect(results.filter(({ kind }) => kind === 'begun')).toHaveLength(1);
      expect(results.filter(({ kind }) => kind === 'held')).toHaveLength(5);
    });

    it('says that nobody holds the lease before it takes it, and anew when another run came between', async () => {
      const found: (string | null)[] = [];
      harness.beforeNextCommit(async () => {
        const { lease } = await begun('other', START + 1_000);
        await harness.store.finish({
          lease,
          record: published('other', START + 1_000),
          occurrenceDone: null,
        });
      });
      const result = await harness.store.begin({
        record: open('one'),
        leaseExpiresAt: new Date(START + LEASE_MS),
        occurrence: null,
        whenFree: ({ lastSuccess }) => found.push(lastSuccess?.runId ?? null),
      });
      expect(result).toMatchObject({ kind: 'begun', lastSuccess: { runId: 'other' } });
      expect(found).toEqual([null, 'other']);
    });

    it('does not say so while somebody holds it, or when the occurrence has been done', async () => {
      const occurrence = { job: 'weekly', time: '2026-11-23T03:00:00Z' };
      const whenFree = () => expect.unreachable('It is not free.');
      const asked = { leaseExpiresAt: new Date(START + LEASE_MS), occurrence, whenFree };
      const { lease } = await begun('one');
      expect((await harness.store.begin({ ...asked, record: open('two') })).kind).toBe('held');
      await harness.store.finish({ lease, record: published('one'), occurrenceDone: occurrence });
      expect((await harness.store.begin({ ...asked, record: open('three') })).kind).toBe('already-done');
    });

    it('says who holds the lease and until when, and opens no record then', async () => {
      await begin('one');
      expect(await begin('two', START + LEASE_MS - 1)).toEqual({
        kind: 'held',
        owner: 'one',
        expiresAt: new Date(START + LEASE_MS),
      });
      expect(await harness.record('two')).toBeNull();
    });

    it('takes an expired lease over and marks the record of the run that crashed', async () => {
      await begin('one');
      expect(await begun('two', START + LEASE_MS)).toMatchObject({ abandonedRunId: 'one' });
      expect(await harness.record('one')).toMatchObject({
        status: 'error',
        outcome: 'failed',
        errorCode: 'abandoned',
      });
    });

    it('takes no plan of a run that has lost its lease, and leaves the lease of the other alone', async () => {
      const { lease } = await begun('one');
      await begin('two', START + LEASE_MS);
      const plan = harness.store.recordPlan(lease, open('one'), { added: [], removed: [] });
      await expect(plan).rejects.toMatchObject({ code: 'lease_lost' });
      await harness.store.finish({ lease, record: published('one'), occurrenceDone: null });
      expect(await begin('three', START + LEASE_MS + 1)).toMatchObject({ kind: 'held', owner: 'two' });
      expect(await harness.record('one')).toEqual(published('one'));
    });

    it('knows an occurrence that has been done, and only that one', async () => {
      const occurrence = { job: 'weekly', time: '2026-11-23T03:00:00Z' };
      const { lease } = await begun('one');
      await harness.store.finish({ lease, record: published('one'), occurrenceDone: occurrence });
      expect(await begin('two', START + 1, occurrence)).toEqual({ kind: 'already-done', runId: 'one' });
      expect(await begin('three', START + 2, { ...occurrence, job: 'other' })).toMatchObject({
        kind: 'begun',
      });
    });

    it.each([
      [0, 0],
      [1, 0],
      [250, 250],
      [250, 251],
      [0, 501],
      [5_000, 0],
      [7_000, 5_345],
      [0, 105_001],
    ])('keeps lists of %i added and %i removed whole', async (added, removed) => {
      const { lease } = await begun('one');
      const all = makeKennitalas(added + removed);
      const changes = { added: all.slice(0, added), removed: all.slice(added) };
      await harness.store.recordPlan(lease, open('one'), changes);
      const documents = await harness.changes('one');
      expect(documents.flatMap(({ added }) => added)).toEqual(changes.added);
      expect(documents.flatMap(({ removed }) => removed)).toEqual(changes.removed);
      for (const { added, removed } of documents)
        expect(added.length + removed.length).toBeLessThanOrEqual(5_000);
    });

    it('lists the last runs of a mirror, newest first, and keeps dry runs apart from successes', async () => {
      for (const [n, runId] of ['a', 'b', 'c'].entries()) {
        await harness.store.append(closeSuccess(open(runId, START + n), 'dry-run', {}, new Date(START)));
      }
      expect((await harness.store.recent('roster', 2)).map(({ runId }) => runId)).toEqual(['c', 'b']);
      expect(await harness.store.recent('portal', 2)).toEqual([]);
      expect(await harness.store.readLastSuccess('roster')).toBeNull();
    });

    it('refuses to write one record over another', async () => {
      await harness.store.append(published('one'));
      await expect(harness.store.append(published('one', START + 1))).rejects.toMatchObject({
        code: 'audit_unavailable',
      });
    });
  });
};
