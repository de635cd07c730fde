import { setTimeout as sleep } from 'node:timers/promises';
import { SyncError } from '../lib/errors.ts';
import type { RunReport } from '../mirror/mirror.ts';
import { assertOccurrenceDone } from '../mirror/run-answer.ts';
import type { RunStore } from '../mirror/run-store.ts';

/** The requests that members who joined or left in real time made, one a window. */
export interface RefreshRequests {
  forget(window: string): Promise<void>;
}

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

/** Changes of so many milliseconds are published together: soon enough for a person who waits to log in. */
export const REFRESH_WINDOW_MS = 5_000;

/**
 * The window that holds this moment, named for when it ends: `2026-11-23T03-00-05Z`. From then on a run sees every
 * change of the window.
 */
export const windowOf = (at: Date): string =>
  new Date((Math.floor(at.getTime() / REFRESH_WINDOW_MS) + 1) * REFRESH_WINDOW_MS)
    .toISOString()
    .replace(/\.\d+/, '')
    .replaceAll(':', '-');

/** When the window ends. @throws SyncError `internal` for what is no window's name. */
export const endOfWindow = (window: string): Date => {
  const end = new Date(window.replace(/T(\d\d)-(\d\d)-(\d\d)Z$/, 'T$1:$2:$3Z'));
  if (Number.isNaN(end.getTime()))
    throw new SyncError('internal', 'A roster refresh has no window for its name.');
  return end;
};
