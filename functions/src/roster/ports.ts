import { SyncError } from '../lib/errors.ts';

/** The published list as it is now. `generation` names this very version of the object. */
export interface PublishedList {
  readonly generation: string;
  readonly bytes: Uint8Array;
}

/** What is written beside the list, as custom metadata. */
export interface ListMetadata {
  readonly syncedAt: Date;
  readonly memberCount: number;
  readonly djangoExportedAt: Date | null;
  readonly sha256: string;
  readonly runId: string;
  /** The signed head of the chain of records; null when the run has none. */
  readonly chainHead: string | null;
}

export interface ListStore {
  /**
   * The current version, or null when nothing has been published. Ends when the signal is aborted. Throws `storage_unavailable`, `storage_rejected`.
   */
  read(signal?: AbortSignal): Promise<PublishedList | null>;
  /** The run that wrote this version or last confirmed it, if it is the current one and says so; same errors. */
  publishedBy(generation: string): Promise<string | null>;
  /**
   * Publishes a new version if the current one is still `ifGeneration` (null: if there is none), and returns its
   * generation. Throws `storage_conflict` when it is not, `storage_unavailable`, `storage_rejected`.
   */
  publish(bytes: Uint8Array, metadata: ListMetadata, ifGeneration: string | null): Promise<string>;
  /** Refreshes the metadata of that version; same errors. Makes no new generation. */
  refresh(metadata: ListMetadata, ifGeneration: string): Promise<void>;
}

export interface ListVersion {
  readonly generation: string;
  readonly publishedAt: Date;
  readonly isCurrent: boolean;
  /** When another version, or nothing, took its place; null for the published one. */
  readonly replacedAt: Date | null;
  readonly memberCount: number | null;
  readonly runId: string | null;
  readonly sha256: string | null;
  /** The head of the roster's chain that the list remembers. */
  readonly chainHead: string | null;
}

/** The kept versions of the published list. Throws `storage_unavailable`, `storage_rejected`. */
export interface ListVersions {
  /** Newest first, at most 100. */
  list(): Promise<ListVersion[]>;
  /** Null: there is no such version any more. */
  read(generation: string): Promise<Uint8Array | null>;
}

/** The requests that members who joined or left in real time made, one a window. */
export interface RefreshRequests {
  forget(window: string): Promise<void>;
}

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
