import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { makeRunStore } from '../../src/adapters/firestore/run-store.ts';
import { SyncError } from '../../src/lib/errors.ts';
import type { LogFields } from '../../src/lib/log.ts';
import type { AppliedFacts, Mirror, MirrorPlan, MirrorSource, RunContext } from '../../src/mirror/mirror.ts';
import { type RunDependencies, type RunRequest, runMirror } from '../../src/mirror/run.ts';
import { chain } from '../support/chain.ts';
import { DEFAULT_LIMITS } from '../support/default-limits.ts';
import { openFirestoreUnderTest } from '../support/firestore-under-test.ts';
import { plan as anyPlan, unfinished } from './support/run-parts.ts';

const server = await openFirestoreUnderTest();
afterAll(() => server.close());

const SOURCE: MirrorSource = { received: 100, exportedAt: null, findings: {}, warnings: [] };
const ORDINARY: MirrorPlan = {
  ...anyPlan,
  planId: 'a'.repeat(64),
  figures: { baseline: 100, received: 100, added: 1, removed: 0, quarantined: 0 },
};
/** What the guard refuses: half of the members would go. */
const ALARMING: MirrorPlan = {
  ...ORDINARY,
  planId: 'b'.repeat(64),
  figures: { ...ORDINARY.figures, removed: 50 },
};
const APPROVE = { planId: ALARMING.planId, operator: 'Jóna', reason: 'agreed' };
const PAUSE = { reason: 'the list is wrong', by: 'uid-1', at: new Date('2026-01-05T02:00:00Z') };
const ROLLBACK = { of: '7', pause: PAUSE };

let plan: MirrorPlan;
let applied: RunContext[];
let closed: number;
let logs: LogFields[];
let apply: (context: RunContext) => Promise<AppliedFacts>;
let fetched: () => Promise<MirrorSource>;
let runs: number;
/** The plans that were made, in order. */
let planned: MirrorPlan[];
let nextPlan: () => MirrorPlan;
beforeEach(async () => {
  await server.clear();
  [plan, applied, closed, logs, runs, planned] = [ORDINARY, [], 0, [], 0, []];
  nextPlan = () => plan;
  apply = async () => ({ objectGeneration: '8' });
  fetched = async () => SOURCE;
});

const mirror: Mirror<MirrorSource, MirrorPlan> = {
  name: 'roster',
  title: 'a run',
  fetch: () => fetched(),
  plan: async () => {
    planned.push(nextPlan());
    return planned.at(-1) ?? plan;
  },
  apply: (_plan, _source, context) => {
    applied.push(context);
    return apply(context);
  },
  confirm: async () => ({}),
  close: async () => {
    closed += 1;
  },
};
const dependenciesOf = (): RunDependencies => ({
  runs: makeRunStore(async () => server.db, chain.current),
  limits: DEFAULT_LIMITS,
  needsSecondPerson: false,
  log: (_severity, _message, fields) => logs.push(fields),
  now: () => new Date(),
  makeRunId: () => `run-${runs}`,
  runLimitMs: 60_000,
  leaseMs: 120_000,
});
const run = async (request: Partial<RunRequest> = {}, dependencies: Partial<RunDependencies> = {}) => {
  runs += 1;
  const report = await runMirror(
    mirror,
    { trigger: 'http', ...request },
    { ...dependenciesOf(), ...dependencies },
  );
  return report.record;
};
const events = () => logs.map(({ event }) => event);

describe('a plan that presumes what the mirror holds', () => {
  it('is applied as it is where the guard lets it through', async () => {
    plan = { ...ORDINARY, isPresumed: true };
    expect(await run()).toMatchObject({ outcome: 'published' });
    expect(planned).toEqual([plan]);
  });

  it.each([
    ['blocked', { ...ALARMING, planId: 'c'.repeat(64) }],
    ['published', ORDINARY],
  ])('is made anew before the guard refuses it, by a look at the mirror: %s', async (outcome, looked) => {
    const presumed: MirrorPlan = { ...ALARMING, isPresumed: true };
    nextPlan = () => (planned.length === 0 ? presumed : looked);
    expect(await run()).toMatchObject({ outcome, planId: looked.planId });
    expect(planned).toEqual([presumed, looked]);
  });

  it('is no plan for a person: a dry run, an approval and a rollback may not presume', async () => {
    const asked: (boolean | undefined)[] = [];
    const ask = async (request: Partial<RunRequest>) => {
      runs += 1;
      await runMirror(
        {
          ...mirror,
          fetch: async ({ mayPresume }) => {
            asked.push(mayPresume);
            return SOURCE;
          },
        },
        { trigger: 'http', ...request },
        dependenciesOf(),
      );
    };
    await ask({});
    await ask({ dryRun: true });
    await ask({ approve: { ...APPROVE, planId: ORDINARY.planId } });
    await ask({ rollback: ROLLBACK });
    expect(asked.map((may) => may === true)).toEqual([true, false, false, false]);
  });
});

describe('a plan that the guard refuses', () => {
  beforeEach(() => {
    plan = ALARMING;
  });

  it('is applied with an approval of this very plan, which the log says', async () => {
    expect(await run()).toMatchObject({ outcome: 'blocked', planId: ALARMING.planId });
    expect(applied).toEqual([]);
    expect(events()).not.toContain('run_completed');
    expect(await run({ approve: APPROVE })).toMatchObject({ outcome: 'published', approvedBy: 'Jóna' });
    expect(applied).toHaveLength(1);
    expect(logs).toContainEqual(
      expect.objectContaining({ event: 'plan_approved', planId: ALARMING.planId, runId: 'run-2' }),
    );
  });

  it('is not applied with an approval of another one, and what to do is said', async () => {
    const record = await run({ approve: { ...APPROVE, planId: 'c'.repeat(64) } });
    expect(record).toMatchObject({ outcome: 'skipped', errorCode: 'plan_changed' });
    expect(record.error).toBe(
      'The approved plan is no longer what would happen: the registry or the mirror has changed since. ' +
        'Make a new dry run, look at it, and approve its plan id.',
    );
    expect(logs).toContainEqual(expect.objectContaining({ event: 'run_skipped', code: 'plan_changed' }));
    expect(applied).toEqual([]);
  });

  it('needs two persons where two are asked for, and only where somebody approves', async () => {
    const two = { needsSecondPerson: true };
    await run({ dryRun: true, requestedBy: 'anna' }, two);
    expect(await run({ approve: APPROVE, requestedBy: 'anna' }, two)).toMatchObject({
      outcome: 'skipped',
      errorCode: 'second_person_needed',
    });
    expect(applied).toEqual([]);
    expect(await run({ approve: APPROVE, requestedBy: 'björn' }, two)).toMatchObject({
      outcome: 'published',
    });
    plan = ORDINARY;
    expect(await run({}, two)).toMatchObject({ outcome: 'published' });
  });
});

describe('a dry run', () => {
  it('says in its log that it is one, and what the guard would say', async () => {
    plan = ALARMING;
    await run({ dryRun: true });
    await run();
    expect(logs).toContainEqual(
      expect.objectContaining({ event: 'run_started', runId: 'run-1', dryRun: true }),
    );
    expect(logs).toContainEqual(
      expect.objectContaining({ event: 'dry_run', planId: ALARMING.planId, tripped: true }),
    );
    expect(logs).toContainEqual(
      expect.objectContaining({ event: 'run_started', runId: 'run-2', dryRun: false }),
    );
  });

  it('of a rollback carries no reason: nobody has decided yet', async () => {
    expect((await run({ dryRun: true, rollback: ROLLBACK })).reason).toBeNull();
    expect((await run({ rollback: ROLLBACK })).reason).toBe(PAUSE.reason);
  });
});

describe('a run', () => {
  it('logs each step once, with the warnings of the registry and of the plan, and how long the fetch took', async () => {
    fetched = async () => ({ ...SOURCE, warnings: [{ code: 'adjusted_values', message: 'of the source' }] });
    plan = { ...ORDINARY, warnings: [{ code: 'published_list_missing', message: 'of the plan' }] };
    await run();
    expect(logs.map(({ event, code }) => [event, code].filter(Boolean).join(' '))).toEqual([
      'run_started',
      'source_received',
      'run_warning adjusted_values',
      'planned',
      'run_warning published_list_missing',
      'applied',
      'run_completed',
    ]);
    expect(logs[1]?.['milliseconds']).toBeLessThan(60_000);
    expect(logs[3]).toMatchObject({ planId: ORDINARY.planId, added: 1 });
  });

  it('whose record cannot be closed ends with that, and what was done stands', async () => {
    let undo = (): void => {};
    apply = async () => {
      undo =
        server.failNext?.({
          code: status.PERMISSION_DENIED,
          times: Number.POSITIVE_INFINITY,
          method: 'commit',
        }) ?? undo;
      return {};
    };
    await expect(run()).rejects.toMatchObject({ code: 'audit_unavailable' });
    undo();
    expect(logs).toContainEqual(expect.objectContaining({ event: 'record_lost', code: 'audit_unavailable' }));
    expect(events()).not.toContain('run_completed');
  });

  it.each<[string, Partial<RunRequest>, string]>([
    ['was dry', { dryRun: true }, 'dry-run'],
    ['published', {}, 'published'],
  ])('that %s gives back what it holds, and so does one that fails', async (_what, request, outcome) => {
    expect((await run(request)).outcome).toBe(outcome);
    expect(closed).toBe(1);
    fetched = () => Promise.reject(new SyncError('registry_rejected', 'no'));
    expect((await run(request)).outcome).toBe('failed');
    expect(closed).toBe(2);
  });

  it('whose time is up before the writing writes nothing', async () => {
    fetched = async () => {
      await sleep(60);
      return SOURCE;
    };
    expect(await run({}, { runLimitMs: 20 })).toMatchObject({
      outcome: 'failed',
      errorCode: 'deadline_exceeded',
      error: 'The run reached its time limit before anything was written. It will be tried again.',
    });
    expect(applied).toEqual([]);
  });

  it('that ended in time is not told afterwards that its time is up', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true });
    try {
      await run();
      vi.advanceTimersByTime(60_000);
      expect(applied.map(({ signal }) => signal.aborted)).toEqual([false]);
    } finally {
      vi.useRealTimers();
    }
  });

  it.each([
    [1, 'published', null],
    [2, 'failed', 'storage_conflict'],
  ] as const)('that meets another writer %i times plans once more', async (times, outcome, errorCode) => {
    apply = async () => {
      if (applied.length <= times) throw new SyncError('storage_conflict', 'another writer');
      return {};
    };
    expect(await run()).toMatchObject({ outcome, errorCode });
    expect(applied).toHaveLength(2);
    expect(events().filter((event) => event === 'replanning')).toHaveLength(1);
    expect(events().filter((event) => event === 'planned')).toHaveLength(2);
  });

  it('does not plan once more after anything else', async () => {
    apply = () => Promise.reject(new SyncError('storage_unavailable', 'no answer'));
    expect(await run()).toMatchObject({ outcome: 'failed', errorCode: 'storage_unavailable' });
    expect(applied).toHaveLength(1);
  });
});

describe('a plan that takes several runs', () => {
  const occurrence = { job: 'weekly', time: '2026-01-05T03:00:00Z' };
  const cursor = { done: 40 };
  const partly = async (facts: AppliedFacts = { unfinished, cursor }) => {
    plan = { ...ORDINARY, letThrough: unfinished };
    apply = async () => facts;
    const record = await run({ occurrence });
    apply = async () => ({});
    return record;
  };
  const resumed = () => applied.at(-1)?.resume?.cursor;

  it('is partial, and the same occurrence of the schedule goes on from there', async () => {
    expect(await partly()).toMatchObject({ outcome: 'partial', status: 'error', unfinished });
    expect(logs).toContainEqual(
      expect.objectContaining({ event: 'run_partial', added: unfinished.added, planId: ORDINARY.planId }),
    );
    expect(await run({ occurrence })).toMatchObject({ outcome: 'published' });
    expect(applied.at(-1)).toMatchObject({ unfinished, resume: { cursor } });
    expect(await run({ occurrence })).toMatchObject({ outcome: 'skipped', errorCode: 'already_done' });
  });

  it('begins anew where the run that ended has left no place to go on from', async () => {
    await partly();
    await partly({ unfinished });
    await run();
    expect(resumed()).toBeNull();
  });

  it.each([
    ['an approval', { approve: { ...APPROVE, planId: ORDINARY.planId } }],
    ['a rollback', { rollback: ROLLBACK }],
  ])('is not gone on with by %s, which is of a plan that is made now', async (_what, request) => {
    await partly();
    expect((await run(request)).outcome).toBe('published');
    expect(resumed()).toBeNull();
  });

  it('goes on from where its rest began, after a run that wrote nothing of it', async () => {
    plan = { ...ORDINARY, letThrough: unfinished, cursor: { done: 10 } };
    apply = () => Promise.reject(new SyncError('store_unavailable', 'gone'));
    await run();
    await run();
    expect(applied.at(-1)).toMatchObject({ unfinished, resume: { cursor: { done: 10 } } });
  });

  it('goes on after a crash from the place that was kept last, and judges what comes on top', async () => {
    plan = { ...ORDINARY, letThrough: unfinished };
    apply = async (context) => {
      await context.resume?.keep({ done: 70 }, unfinished);
      expect(context.resume?.judge(ALARMING.figures).tripped).toBe(true);
      expect(context.resume?.judge(ORDINARY.figures).tripped).toBe(false);
      throw new SyncError('store_unavailable', 'gone');
    };
    expect((await run()).errorCode).toBe('store_unavailable');
    await run();
    expect(resumed()).toEqual({ done: 70 });
  });
});

describe('a paused mirror', () => {
  it('takes an approved plan and a rollback, and no other run', async () => {
    expect((await run({ rollback: ROLLBACK })).outcome).toBe('published');
    expect(await run()).toMatchObject({ outcome: 'skipped', errorCode: 'paused' });
    expect(logs.at(-1)).toMatchObject({ event: 'run_skipped', code: 'paused' });
    expect((await run({ rollback: ROLLBACK })).outcome).toBe('published');
    plan = ALARMING;
    expect((await run({ approve: APPROVE })).outcome).toBe('published');
  });

  it('is what a rollback leaves that found the version in its place', async () => {
    plan = { ...ORDINARY, changes: { ...ORDINARY.changes, added: 0, removed: 0, updated: 0 } };
    expect((await run({ rollback: ROLLBACK })).outcome).toBe('unchanged');
    expect(await run()).toMatchObject({ outcome: 'skipped', errorCode: 'paused' });
  });

  it('is what a rollback leaves that ends in the middle: half of it must not be undone', async () => {
    apply = () => Promise.reject(new SyncError('storage_unavailable', 'no answer'));
    expect((await run({ rollback: ROLLBACK })).outcome).toBe('failed');
    expect(await run()).toMatchObject({ outcome: 'skipped', errorCode: 'paused' });
  });

  it('is not what a rollback leaves that the guard refused', async () => {
    plan = ALARMING;
    expect((await run({ rollback: ROLLBACK })).outcome).toBe('blocked');
    plan = ORDINARY;
    expect((await run()).outcome).toBe('published');
  });
});
