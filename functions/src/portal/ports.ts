import type { Kennitala } from '../domain/kennitala.ts';
import type { Decision, MemberMeta, StoredMember } from '../domain/member/decide-change.ts';
import type { PendingEdit, Withdrawals } from '../domain/member/kept-values.ts';
import type { Member } from '../domain/member/member.ts';
import type { MemberHint } from '../domain/member/member-change.ts';

/** What a member's document was when it was read: writing can depend on it being so still. Opaque to features. */
export type DocumentState = string | null;

export interface SeenMember {
  readonly stored: StoredMember | null;
  readonly state: DocumentState;
  /** The store's own time of the last write; null for a document that is not there. */
  readonly writtenAt: Date | null;
}

/** What an event ended in, kept under its id so that a repetition is answered alike. */
export interface EventReceipt {
  readonly result: 'applied' | 'stale' | 'accepted';
  readonly action: 'create' | 'update' | 'delete';
  /** The opaque reference. */
  readonly member: string;
  /** Whether it made somebody join or leave: a repetition must ask for the roster again, lest nobody did. */
  readonly changesRoster: boolean;
}

export interface ChangeRequest {
  readonly kennitala: Kennitala;
  /** The sender's id of the event; null when it has none. */
  readonly eventId: string | null;
  /** Applied only while the document is in this state; undefined: in any. */
  readonly ifState?: DocumentState;
  /** Applied only while this hint stands; `closes` takes it away in the same commit. Undefined: whatever hints there are. */
  readonly hint?: { readonly token: string; readonly closes: boolean };
  /** Of the registry's row. Where it is new to the document, `former` tells what its person withdrew under another number. */
  readonly djangoId: number | null;
  readonly at: Date;
  /** Null: it cannot be decided by what is stored; then nothing is written. */
  readonly decide: (
    stored: StoredMember | null,
    pending: readonly PendingEdit[],
    former: Withdrawals,
  ) => Decision | null;
  readonly toReceipt: (decision: Decision) => EventReceipt;
}

export type ChangeOutcome =
  | { readonly kind: 'decided'; readonly decision: Decision; readonly receipt: EventReceipt }
  /** The event had been received before; the receipt is the first one. */
  | { readonly kind: 'duplicate'; readonly receipt: EventReceipt }
  /** The document is not in the expected state any more; nothing was written. */
  | { readonly kind: 'moved' }
  /** The hint does not stand any more: a newer one came, or somebody has decided it. Nothing was written. */
  | { readonly kind: 'superseded' }
  /** `decide` could not say; nothing was written. */
  | { readonly kind: 'undecided' };

/** `members/{kennitala}` and the receipts. Every call throws `store_unavailable` when the outcome is not durable. */
export interface MemberStore {
  read(kennitala: Kennitala): Promise<SeenMember>;
  /**
   * Receipt, member and pending edits are read, `decide` chooses, member and receipt are written, all of it or nothing and as if
   * at one time. `decide` is pure: it can be called several times.
   */
  applyChange(request: ChangeRequest): Promise<ChangeOutcome>;
}

/** The hint about one member that is being followed: the last one, with what the earlier ones announced. */
export interface StandingHint {
  /** Names the last one: who follows another one has been overtaken. */
  readonly token: string;
  /** What was announced and has not been confirmed. */
  readonly announced: ReadonlySet<EventReceipt['action']>;
  /** `data` of the last one that had any that can be read; null when none had. */
  readonly payload: unknown;
  /** The store's own time of its arrival, to be compared with `SeenMember.writtenAt`. */
  readonly receivedAt: Date;
}

export interface NewHint extends MemberHint {
  readonly token: string;
  readonly at: Date;
  /** The sender's id of it, kept as that of an event is; null when it has none. */
  readonly eventId: string | null;
  /** The opaque reference. */
  readonly member: string;
}

/** `webhook_hints/{kennitala}`. Every call throws `store_unavailable`. */
export interface HintStore {
  /** One commit. Returns when the hint will be followed whatever happens here: its creation is the trigger. */
  keep(hint: NewHint): Promise<'accepted' | 'duplicate'>;
  /** Null when none is being followed. */
  read(kennitala: Kennitala): Promise<StandingHint | null>;
  /** Leaves a hint that never agreed, for a person to see and a reconcile to decide. */
  giveUp(
    kennitala: Kennitala,
    token: string,
    facts: { readonly tries: number; readonly at: Date },
  ): Promise<void>;
  /** Takes away what arrived before: a reconcile has read everything since. Returns how many had been given up. */
  forgetBefore(time: Date): Promise<number>;
}

/** Says that the roster does not list who is a member any more. */
export interface RosterRefresh {
  /** Returns when the request is durable. Throws `store_unavailable`. Many requests at about one time make one run. */
  request(at: Date): Promise<void>;
}

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
  /** What the persons of these rows of the registry withdrew under other numbers; only those who have had another. */
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
  /** And only while the documents of the person's other numbers say no more than that they withdrew this; missing: there are none. */
  readonly former?: Withdrawals | undefined;
}

/** `overtaken`: a document was not as expected any more, so the other writer's word stands. */
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
