import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SyncError } from '../../src/lib/errors.ts';
import type { ListStore } from '../../src/roster/ports.ts';
import {
  checkPublishedRoster,
  makeSelfCheckLogs,
  type RestoreDependencies,
  type SelfCheckMode,
} from '../../src/roster/rollback.ts';
import { type OpsStack, startOpsStack } from '../support/api-stack.ts';

let ops: OpsStack;
beforeEach(async () => {
  ops = await startOpsStack({ members: 60 });
});
afterEach(async () => {
  await ops.close();
});

/** The store as it is, but for a list whose last member has been lost on the way, until somebody publishes another. */
const spoiled = (store: ListStore, generation: string | null): ListStore => ({
  ...store,
  read: async () => {
    const published = await store.read();
    if (published === null || published.generation !== generation) return published;
    return { ...published, bytes: published.bytes.subarray(0, -11) };
  },
});
const check = async (
  mode: SelfCheckMode,
  change: (store: ListStore, generation: string | null) => ListStore,
  other: Partial<Pick<RestoreDependencies, 'versions' | 'run'>> = {},
) => {
  await ops.run();
  const before = await ops.file();
  ops.registry.createMember();
  const report = await ops.run();
  const { versions, store, run } = ops.dependencies.rollback;
  ops.logs.length = 0;
  await checkPublishedRoster(report, {
    mode,
    logs: makeSelfCheckLogs(run.log),
    versions,
    store: change(store, report.record.objectGeneration),
    run,
    ...other,
  });
  const events = ops.logs.map(({ fields }) => fields['event']);
  return { before, after: await ops.file(), events, states: await ops.dependencies.states.read() };
};

describe('the check of a published list', () => {
  it('finds nothing wrong with a list that is what was meant', async () => {
    const { events, states } = await check('rollback', (store) => store);
    expect(events).toEqual(['roster_checked']);
    expect(states.roster.pause).toBeNull();
  });

  it('does not even read when it is off', async () => {
    let reads = 0;
    const { events } = await check('off', (store) => ({
      ...store,
      read: () => {
        reads += 1;
        return store.read();
      },
    }));
    expect([events, reads]).toEqual([[], 0]);
  });

  it('says that a list is wrong, and leaves it to a person', async () => {
    const { before, after, events } = await check('alert', spoiled);
    expect(events).toEqual(['roster_check_failed']);
    expect(after).not.toBe(before);
  });

  it('restores the version before and pauses the roster, where that is wanted', async () => {
    const { before, after, events, states } = await check('rollback', spoiled);
    expect(after).toBe(before);
    expect(events[0]).toBe('roster_check_failed');
    expect(events.at(-1)).toBe('roster_restored');
    expect(states.roster.pause).toMatchObject({ by: 'roster-self-check' });
    const [record] = (await ops.call('GET', '/runs?limit=1')).body.runs;
    expect(record).toMatchObject({
      outcome: 'published',
      approvedBy: 'roster-self-check',
      memberCount: 60,
      reason: expect.stringMatching(/^the list of run \S+ failed its check$/),
    });
  });

  it('says that nothing was restored where the version before is gone', async () => {
    const { before, after, events, states } = await check('rollback', spoiled, {
      versions: { read: async () => null },
    });
    expect(after).not.toBe(before);
    expect(events.at(-1)).toBe('roster_restored');
    expect(ops.logs.at(-1)).toMatchObject({ severity: 'ERROR', fields: { outcome: 'failed' } });
    expect(states.roster.pause).toBeNull();
  });

  it('says that nothing was restored where no record can be written', async () => {
    const { run } = ops.dependencies.rollback;
    const append = () => Promise.reject(new SyncError('audit_unavailable', 'no answer'));
    const { events } = await check('rollback', spoiled, { run: { ...run, runs: { ...run.runs, append } } });
    expect(events.at(-1)).toBe('roster_restored');
    expect(ops.logs.at(-1)).toMatchObject({
      severity: 'ERROR',
      fields: { rollbackRunId: 'none', outcome: 'audit_unavailable' },
    });
  });

  it('says nothing about a list that another writer has replaced since', async () => {
    const { events } = await check('rollback', (store) => ({
      ...store,
      read: async () => {
        const published = await store.read();
        return published === null ? null : { ...published, generation: '1' };
      },
    }));
    expect(events).toEqual([]);
  });

  it('restores nothing because of a list that could not be read back', async () => {
    const { before, after, events } = await check('rollback', (store) => {
      ops.storage.failNext({ stage: 'before', answer: 403, times: 5, matches: () => true });
      return store;
    });
    expect(events).toEqual(['roster_not_checked']);
    expect(after).not.toBe(before);
  });
});
