import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ListMetadata, ListStore } from '../../src/roster/ports.ts';

export interface ListStoreHarness {
  readonly store: ListStore;
  /** Custom metadata of the current version. */
  readonly metadata: () => Promise<Record<string, unknown>>;
  /** Loses the answer to the next write, which takes effect. */
  readonly loseNextAnswer: () => void;
}

const metadata = (text: string, runId: string): ListMetadata => ({
  syncedAt: new Date('2026-11-23T03:00:00Z'),
  memberCount: text.split('\n').length - 1,
  djangoExportedAt: new Date('2026-11-23T02:59:59Z'),
  sha256: createHash('sha256').update(text).digest('hex'),
  runId,
  chainHead: 'roster 3 head of a test',
});

/** What every list store does. `make` gives one where nothing has been published. */
export const describeListStore = (name: string, make: () => Promise<ListStoreHarness>): void => {
  describe(`the list store on ${name}`, () => {
    let harness: ListStoreHarness;
    beforeEach(async () => {
      harness = await make();
    });
    const publish = (text: string, runId: string, ifGeneration: string | null) =>
      harness.store.publish(Buffer.from(text), metadata(text, runId), ifGeneration);
    const textNow = async () => Buffer.from((await harness.store.read())?.bytes ?? []).toString();

    it('has nothing before the first publication', async () => {
      expect(await harness.store.read()).toBeNull();
    });

    it('gives back what was published, with its generation and run', async () => {
      const generation = await publish('0101302989\n', 'run-1', null);
      expect(await harness.store.read()).toMatchObject({ generation });
      expect(await harness.store.publishedBy(generation)).toBe('run-1');
      expect(await textNow()).toBe('0101302989\n');
      expect(await harness.metadata()).toEqual({
        syncedAt: '2026-11-23T03:00:00.000Z',
        memberCount: '1',
        source: 'django-api',
        djangoExportedAt: '2026-11-23T02:59:59.000Z',
        sha256: metadata('0101302989\n', '').sha256,
        chainHead: 'roster 3 head of a test',
        runId: 'run-1',
      });
    });

    it('replaces only the generation that was named', async () => {
      const first = await publish('0101302989\n', 'run-1', null);
      const second = await publish('1502900309\n', 'run-2', first);
      expect(BigInt(second)).toBeGreaterThan(BigInt(first));
      await expect(publish('0101302989\n', 'run-3', first)).rejects.toMatchObject({
        code: 'storage_conflict',
      });
      await expect(publish('0101302989\n', 'run-4', null)).rejects.toMatchObject({
        code: 'storage_conflict',
      });
      expect(await textNow()).toBe('1502900309\n');
    });

    it('refreshes the metadata without a new generation, of that generation only', async () => {
      const generation = await publish('0101302989\n', 'run-1', null);
      await harness.store.refresh(metadata('0101302989\n', 'run-2'), generation);
      expect(await harness.store.read()).toMatchObject({ generation });
      expect(await harness.store.publishedBy(generation)).toBe('run-2');
      await expect(harness.store.refresh(metadata('0101302989\n', 'run-3'), '1')).rejects.toMatchObject({
        code: 'storage_conflict',
      });
    });

    it('knows its own write again when the answer was lost', async () => {
      harness.loseNextAnswer();
      const generation = await publish('0101302989\n', 'run-1', null);
      expect(await harness.store.publishedBy(generation)).toBe('run-1');
    });

    it('says of no other version who published it', async () => {
      const first = await publish('0101302989\n', 'run-1', null);
      await publish('1502900309\n', 'run-2', first);
      expect(await harness.store.publishedBy(first)).toBeNull();
    });

    it('keeps a list of a million', async () => {
      const text = '0101302989\n'.repeat(1_000_000);
      await publish(text, 'run-1', null);
      expect((await harness.store.read())?.bytes.byteLength).toBe(11_000_000);
    });
  });
};
