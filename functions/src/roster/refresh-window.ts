import { SyncError } from '../lib/errors.ts';

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
