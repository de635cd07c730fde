import { setTimeout as sleep } from 'node:timers/promises';
import type { RunReport } from '../mirror/mirror.ts';
import { assertOccurrenceDone } from '../mirror/run-answer.ts';
import type { RunStore } from '../mirror/run-store.ts';
import { endOfWindow, type RefreshRequests } from './ports.ts';

export interface RefreshDependencies {
  readonly requests: RefreshRequests;
  readonly runs: Pick<RunStore, 'readLastSuccess'>;
  readonly run: () => Promise<RunReport>;
  readonly now: () => Date;
  readonly wait?: (milliseconds: number) => Promise<unknown>;
}

/**
 * Publishes the roster once for all changes of a window: waits for its end, and does nothing when a run that began
 * later has already published them. It goes through the whole pipeline, guard included.
 * Throws when the platform should deliver the event again: the run failed, or another one held the lease.
 */
export const refreshRoster = async (
  window: string,
  { requests, runs, run, now, wait = sleep }: RefreshDependencies,
): Promise<void> => {
  const dueAt = endOfWindow(window);
  const early = dueAt.getTime() - now().getTime();
  if (early > 0) await wait(early);
  const last = await runs.readLastSuccess('roster');
  if (last === null || last.at < dueAt) assertOccurrenceDone(await run());
  await requests.forget(window);
};
