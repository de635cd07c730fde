import type { Kennitala } from '../domain/kennitala.ts';
import type { FieldJson } from '../domain/member/fields.ts';

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

/** Where a page stands, so that a later walk can begin at it. Plain JSON; only who made it reads it. */
export interface PagePlace {
  readonly query: Readonly<Record<string, string>>;
  /** Members on the pages before it. */
  readonly before: number;
}

export interface MemberPage {
  /** As the registry spells them, unchecked. */
  readonly members: readonly unknown[];
  /** How many the registry says there are on all pages together; null when it does not say. */
  readonly count: number | null;
  /** Missing where no walk can begin at this page. */
  readonly place?: PagePlace;
}

export interface MemberPagesOptions {
  readonly signal: AbortSignal;
  /** Members a page; the registry may send fewer. */
  readonly pageSize?: number;
  /** Only members that changed then or later. */
  readonly modifiedSince?: Date;
  /** The page to begin at, instead of the first. Members who joined or left since may have moved others over its edges. */
  readonly from?: PagePlace;
}

export interface MemberPages {
  /**
   * All members of the registry, a page at a time, in its own order. Ends only after as many members as the
   * registry says it has. Throws the `registry_*` codes, and `incomplete_export` when members are missing.
   */
  pages(options: MemberPagesOptions): AsyncIterable<MemberPage>;
}

export interface MemberReader {
  /**
   * `GET /api/sync/member/<ssn>/`: the member as the registry spells it, or null when it has none (404).
   * Throws the `registry_*` codes.
   */
  readMember(kennitala: Kennitala, options: { readonly signal: AbortSignal }): Promise<unknown>;
}

export interface Change {
  readonly change_id: string;
  readonly kennitala: Kennitala;
  readonly django_id: number | null;
  readonly action: 'create' | 'update';
  readonly edited_at: string;
  readonly changes: FieldJson;
  readonly expected?: FieldJson;
}

export type ChangeAnswer =
  /** `version`: of the member after it; null from a registry without the companion app. */
  | { readonly status: 'success'; readonly version: number | null }
  | { readonly status: 'refused'; readonly code: string | null; readonly message: string }
  | {
      readonly status: 'conflict';
      /** What the registry holds, in the portal's spelling. */
      readonly current: FieldJson;
      readonly version: number | null;
      /** When the registry's value was last changed; null when it cannot say. */
      readonly changedAt: Date | null;
    };

/** One row of the registry's change queue that has not been acknowledged. */
export interface OutboxRow {
  /** Also the version that the change gave its member, where the registry's members carry versions. */
  readonly id: number;
  readonly ssn: string;
  readonly action: 'create' | 'update' | 'delete';
  readonly createdAt: Date;
}

export interface CallLimits {
  readonly signal: AbortSignal;
}

/** The registry's side of the way back. Every call throws the `registry_*` codes. */
export interface RegistryChanges {
  /** One answer a change, in order. @param isRepeatable whether the registry knows change ids. */
  apply(
    changes: readonly Change[],
    options: CallLimits & { readonly isRepeatable: boolean },
  ): Promise<readonly ChangeAnswer[]>;
  /** Oldest first; at most as many as the registry gives at once. */
  outbox(options: CallLimits): Promise<readonly OutboxRow[]>;
  markSynced(ids: readonly number[], options: CallLimits): Promise<void>;
}
