import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeRunStore } from '../../src/adapters/firestore/run-store.ts';
import type { Mirror, MirrorPlan, MirrorSource, RunContext } from '../../src/mirror/mirror.ts';
import { makeOverlappedFetch } from '../../src/mirror/overlapped-fetch.ts';
import { runMirror } from '../../src/mirror/run.ts';
import { holdCommits } from '../support/before-commit.ts';
import { chain } from '../support/chain.ts';
import { type RosterStack, startRosterStack } from '../support/stack.ts';

const FOUND = {
  runId: 'run-1',
  startedAt: new Date(0),
  lastSuccess: null,
  unfinished: null,
  abandonedRunId: null,
};

/** A mirror whose fetches stay open until the test ends them. */
const openMirror = (fetchesEarly?: true) => {
  const fetches: { context: RunContext; end: (source: MirrorSource) => void; fail: (why: Error) => void }[] =
    [];
  const fetch = (context: RunContext) =>
    new Promise<MirrorSource>((end, fail) => {
      fetches.push({ context, end, fail });
    });
  const mirror = { fetch, ...(fetchesEarly && { fetchesEarly }) } as unknown as Mirror<
    MirrorSource,
    MirrorPlan
  >;
  return { mirror, fetches };
};
const options = (signal = new AbortController().signal) => ({ now: () => new Date(7), signal });
const SOURCE: MirrorSource = { received: 1, exportedAt: null, findings: {}, warnings: [] };

describe('fetching while the lease is taken', () => {
  it('hands over the fetch that is under way, and when it began', async () => {
    const { mirror, fetches } = openMirror(true);
    const early = makeOverlappedFetch(mirror, options());
    early.start(FOUND);
    const taken = early.take();
    fetches[0]?.end(SOURCE);
    expect(await taken?.source).toBe(SOURCE);
    expect(taken?.since).toEqual(new Date(7));
    expect(early.take()).toBeNull();
  });

  it('tells whoever takes a fetch of its failure, and nobody before', async () => {
    const unhandled: unknown[] = [];
    const note = (why: unknown) => unhandled.push(why);
    process.on('unhandledRejection', note);
    try {
      const { mirror, fetches } = openMirror(true);
      const early = makeOverlappedFetch(mirror, options());
      early.start(FOUND);
      fetches[0]?.fail(new Error('no answer'));
      // The lease is not taken yet, and the process goes on.
      await sleep(10);
      await expect(early.take()?.source).rejects.toThrow('no answer');
    } finally {
      process.off('unhandledRejection', note);
    }
    expect(unhandled).toEqual([]);
  });

  it('does nothing for a mirror whose fetch changes something', () => {
    const { mirror, fetches } = openMirror();
    const early = makeOverlappedFetch(mirror, options());
    early.start(FOUND);
    expect(fetches).toEqual([]);
    expect(early.take()).toBeNull();
  });

  it('gives up a fetch from before another run came between, and its failure is nobody’s', async () => {
    const { mirror, fetches } = openMirror(true);
    const early = makeOverlappedFetch(mirror, options());
    early.start(FOUND);
    early.start({ ...FOUND, abandonedRunId: 'run-0' });
    expect(fetches.map(({ context }) => context.signal.aborted)).toEqual([true, false]);
    fetches[0]?.fail(new Error('given up'));
    const taken = early.take();
    fetches[1]?.end(SOURCE);
    expect(await taken?.source).toBe(SOURCE);
    expect(fetches[1]?.context.abandonedRunId).toBe('run-0');
  });

  it('does not begin once the run has gone on, been cancelled or run out of time', async () => {
    const { mirror, fetches } = openMirror(true);
    const taken = makeOverlappedFetch(mirror, options());
    taken.take();
    taken.start(FOUND);
    const cancelled = makeOverlappedFetch(mirror, options());
    await cancelled.cancel();
    cancelled.start(FOUND);
    makeOverlappedFetch(mirror, options(AbortSignal.abort())).start(FOUND);
    expect(fetches).toEqual([]);
  });

  it('ends what a finished fetch has left, when it is given up', async () => {
    const { mirror, fetches } = openMirror(true);
    const early = makeOverlappedFetch(mirror, options());
    const ended: string[] = [];
    const giveUp = (name: string) => async () => {
      ended.push(name);
    };
    early.start(FOUND);
    fetches[0]?.end({ ...SOURCE, giveUp: giveUp('first') });
    await new Promise(setImmediate);
    early.start(FOUND);
    fetches[1]?.end({ ...SOURCE, giveUp: giveUp('second') });
    await early.cancel();
    expect(ended).toEqual(['first', 'second']);
  });

  it('ends with the run’s time, and when it is cancelled', async () => {
    const { mirror, fetches } = openMirror(true);
    const deadline = new AbortController();
    makeOverlappedFetch(mirror, options(deadline.signal)).start(FOUND);
    deadline.abort();
    const other = makeOverlappedFetch(mirror, options());
    other.start(FOUND);
    const cancelled = other.cancel();
    expect(fetches.map(({ context }) => context.signal.aborted)).toEqual([true, true]);
    expect(other.take()).toBeNull();
    // Nothing of it goes on behind the run.
    const first = await Promise.race([cancelled.then(() => 'cancelled'), Promise.resolve('under way')]);
    expect(first).toBe('under way');
    fetches[1]?.fail(new Error('given up'));
    await cancelled;
  });
});

describe('the roster', () => {
  let stack: RosterStack;
  beforeEach(async () => {
    stack = await startRosterStack();
  });
  afterEach(async () => {
    await stack.close();
  });

  it('asks the registry nothing while another run holds the lease', async () => {
    const held = stack.storage.holdNext(() => true, 'before');
    const working = stack.run();
    await held.reached;
    await expect.poll(() => stack.logs.some(({ message }) => message.includes('Received'))).toBe(true);
    stack.registry.addFault({ status: 404, times: 1 });
    expect((await stack.run()).record.outcome).toBe('skipped');
    held.release();
    expect((await working).record.outcome).toBe('published');
    // The fault was still there.
    expect((await stack.run()).record.errorCode).toBe('registry_rejected');
  });

  it('publishes nothing when the lease cannot be taken, and leaves no request behind', async () => {
    const { mirror, fetches } = openMirror(true);
    const undo = stack.firestore.failNext({
      code: status.PERMISSION_DENIED,
      times: Number.POSITIVE_INFINITY,
      method: 'commit',
    });
    const run = runMirror(
      { ...mirror, name: 'roster', title: 'a run' },
      { trigger: 'http' },
      stack.dependencies,
    );
    await expect.poll(() => fetches.map(({ context }) => context.signal.aborted)).toEqual([true]);
    // It has been told to end, and the run waits until it has.
    const soon = new Promise<string>((resolve) => setTimeout(() => resolve('under way'), 50));
    expect(await Promise.race([run.then(String, () => 'ended'), soon])).toBe('under way');
    fetches[0]?.fail(new Error('given up'));
    await expect(run).rejects.toMatchObject({ code: 'audit_unavailable' });
    undo();
    expect(await stack.file()).toBeNull();
    expect(await stack.records()).toEqual([]);
    expect((await stack.run()).record.outcome).toBe('published');
  });

  it('never publishes the list of before another run: one that was overtaken fetches anew', async () => {
    await stack.run();
    const held = holdCommits(stack.db);
    held.beforeNextCommit(async () => {
      // The overtaken run has its answer by then.
      await sleep(300);
      stack.registry.createMember();
      expect((await stack.run()).record.outcome).toBe('published');
    });
    const overtaken = { ...stack.dependencies, runs: makeRunStore(async () => held.db, chain.current) };
    const { record } = await stack.run({ trigger: 'http' }, overtaken);
    expect(record).toMatchObject({ outcome: 'unchanged', memberCount: 61 });
    expect((await stack.file())?.split('\n')).toHaveLength(62);
  });
});
