import { SyncError } from '../lib/errors.ts';

/** Why a paused mirror takes no run. The operator's own words are in the state of the mirror, not in a log. */
export const pausedError = (since: Date): SyncError =>
  new SyncError(
    'paused',
    `The mirror has been paused since ${since.toISOString()}. Resume it, or approve the plan of a dry run by its id.`,
  );
