import { describe, expect, it } from 'vitest';
import type { LastSuccess, RunOutcome, RunRecord } from '../../src/mirror/mirror.ts';
import { endOfWindow, REFRESH_WINDOW_MS, windowOf } from '../../src/roster/ports.ts';
import { publishWindow } from '../../src/roster/roster.ts';

const WINDOW = '2026-11-23T03-00-05Z';
const dueAt = new Date('2026-11-23T03:00:05Z');

const refresh = async (given: { now?: Date; last?: Date; outcome?: RunOutcome; errorCode?: string }) => {
  const done = { waited: 0, runs: 0, forgotten: [] as string[] };
  const last: LastSuccess | null = given.last ? { runId: 'r', at: given.last, memberCount: 1 } : null;
  const record = {
    runId: 'r',
    mirror: 'roster',
    outcome: given.outcome ?? 'published',
    errorCode: given.errorCode ?? null,
  };
  const promise = publishWindow(WINDOW, {
    runs: { readLastSuccess: async () => last },
    requests: { forget: async (window) => void done.forgotten.push(window) },
    run: async () => {
      done.runs += 1;
      return { record: record as RunRecord, forecast: null };
    },
    now: () => given.now ?? dueAt,
    wait: async (milliseconds) => {
      done.waited = milliseconds;
    },
  });
  return { done, promise };
};

describe('a window of changes', () => {
  it('is named for its end, and holds every moment before that', () => {
    expect(windowOf(new Date('2026-11-23T03:00:00.000Z'))).toBe(WINDOW);
    expect(windowOf(new Date('2026-11-23T03:00:04.999Z'))).toBe(WINDOW);
    expect(windowOf(dueAt)).not.toBe(WINDOW);
    expect(endOfWindow(WINDOW)).toEqual(dueAt);
    expect(() => endOfWindow('nonsense')).toThrowError(
      expect.objectContaining({
        code: 'internal',
        message: 'A roster refresh has no window for its name.',
      }),
    );
  });

  it('makes far fewer runs than one a second', () => {
    expect(REFRESH_WINDOW_MS).toBeGreaterThanOrEqual(1_000);
  });
});

describe('refreshing the roster', () => {
  it('waits for the end of the window, runs once, and forgets the request', async () => {
    const { done, promise } = await refresh({ now: new Date(dueAt.getTime() - 3_000) });
    await promise;
    expect(done).toEqual({ waited: 3_000, runs: 1, forgotten: [WINDOW] });
  });

  it('does nothing when a run that began later has published already', async () => {
    const { done, promise } = await refresh({ last: dueAt });
    await promise;
    expect(done).toMatchObject({ runs: 0, forgotten: [WINDOW] });
  });

  it('does not wait for a window that is over', async () => {
    const { done, promise } = await refresh({ now: new Date(dueAt.getTime() + 60_000) });
    await promise;
    expect(done).toMatchObject({ waited: 0, runs: 1 });
  });

  it('runs when the last run began before the window had ended', async () => {
    const { done, promise } = await refresh({ last: new Date(dueAt.getTime() - 1) });
    await promise;
    expect(done.runs).toBe(1);
  });

  it('is not tried again after a refusal by the guard, which a person has to look at', async () => {
    const { done, promise } = await refresh({ outcome: 'blocked', errorCode: 'guard_tripped' });
    await promise;
    expect(done.forgotten).toEqual([WINDOW]);
  });

  it.each([
    ['failed', 'registry_unavailable'],
    ['skipped', 'lease_held'],
  ] as const)('is tried again after a run that ended %s', async (outcome, errorCode) => {
    const { done, promise } = await refresh({ outcome, errorCode });
    await expect(promise).rejects.toMatchObject({ code: errorCode });
    expect(done.forgotten).toEqual([]);
  });
});
