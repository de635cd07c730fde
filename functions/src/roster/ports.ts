/** What the registry's list export answers, its shape checked, its entries as sent. */
export interface KennitalaExport {
  /** How many members the registry says there are. */
  readonly count: number;
  readonly kennitalas: readonly string[];
  readonly exportedAt: string | null;
}

export interface ListSource {
  /**
   * Fetches the whole list. Throws the `registry_*` codes, `secret_unavailable` and `config_invalid`; an answer
   * that is not surely the whole list is never returned.
   */
  fetchKennitalaExport(options: { readonly signal: AbortSignal }): Promise<KennitalaExport>;
}

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
