import type { Kennitala } from '../../domain/kennitala.ts';
import type { Withdrawals } from '../../domain/member/consents.ts';
import type { MemberMeta, StoredMember } from '../../domain/member/decide-change.ts';
import type { PendingEdit } from '../../domain/member/keep-pending-edits.ts';
import type { Member } from '../../domain/member/member.ts';
import type { DocumentState } from '../ports.ts';

/** One document of the portal as it was when it was read. */
export interface PortalDocument {
  /** Null: the document's name is no kennitala. */
  readonly kennitala: Kennitala | null;
  readonly stored: StoredMember;
  readonly state: DocumentState;
}

/** What is needed of one document to decide about it. */
export interface MemberToDecide {
  readonly stored: StoredMember | null;
  readonly state: DocumentState;
  /** Null for a document that is not there. */
  readonly writtenAt: Date | null;
  readonly pending: readonly PendingEdit[];
  /** What the person withdrew under another number, where that was asked for. */
  readonly former?: Withdrawals | undefined;
}

/** The part of the portal that a run looks at: the members of some buckets, as they were read already. */
export interface PortalScope {
  /** The active ones of these buckets. */
  readonly documents: readonly PortalDocument[];
  /** How many active members the portal has in the other buckets. */
  readonly activeOutside: number;
}

/** Reading of `members`. Every call throws `store_unavailable`. */
export interface PortalIndex {
  /** Every document, ascending by name, a few in memory at a time. */
  documents(options: { readonly signal: AbortSignal }): AsyncIterable<PortalDocument>;
  /** These members as they are now; one that has no document is there without `stored`. */
  read(kennitalas: readonly Kennitala[]): Promise<ReadonlyMap<Kennitala, MemberToDecide>>;
  /** What the persons of these rows of the registry withdrew under other numbers; only those who withdrew something. */
  former(
    members: readonly { readonly kennitala: Kennitala; readonly djangoId: number }[],
  ): Promise<ReadonlyMap<Kennitala, Withdrawals>>;
}

export interface MemberWrite {
  readonly kennitala: Kennitala;
  readonly member: Member;
  readonly meta: MemberMeta;
  /** The write is made only while the document is in this state; null: while there is none. */
  readonly ifState: DocumentState;
}

/** `overtaken`: the document was not in the expected state any more, so the other writer's word stands. */
export type WriteResult = 'written' | 'overtaken';

export interface WriteOptions<W extends MemberWrite> {
  /** Stands in the metadata of every document written, and tells this run's writes from others'. */
  readonly at: Date;
  /** Once aborted, no further write is taken; those that were taken are finished. */
  readonly signal: AbortSignal;
  readonly onSettled: (write: W, result: WriteResult) => void;
}

export interface PortalWriter {
  /**
   * Makes the writes, each for itself, as they come; reads no further ahead than it can write. Resolves when every
   * write that was taken is settled. Throws `store_unavailable` when one of them could not be made.
   */
  write<W extends MemberWrite>(writes: AsyncIterable<W>, options: WriteOptions<W>): Promise<void>;
}
