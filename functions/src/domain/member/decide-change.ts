import { isDeepStrictEqual } from 'node:util';
import type { DigestNumbers } from './digest.ts';
import { type FieldDifference, type FieldPath, type FieldValues, fieldOf, withFields } from './fields.ts';
import {
  CONSENT_PATHS,
  type Consents,
  type Heard,
  keepPendingEdits,
  keepWithdrawals,
  type PendingEdit,
  unheardConsents,
  type Withdrawals,
} from './kept-values.ts';
import type { Member, Origin } from './member.ts';
import type { MemberChange } from './member-change.ts';
import { applyPatch, diffMembers, makeTombstone, sourceHash } from './patch.ts';

/** What a decision says about `metadata`; the writer adds the times of writing and the schema's version. */
export interface MemberMeta {
  readonly django_id: number | null;
  readonly source_version: number | null;
  /** Of what the registry said, before the member's pending edits: a reconcile must find it equal meanwhile. */
  readonly source_hash: string;
  readonly origin: Origin;
  readonly deleted_at: Date | null;
  /** The registry's digest of what was applied. Absent where it gave none, and of a tombstone: in no set of members. */
  readonly digest?: DigestNumbers;
  /** Absent where there are none. */
  readonly withdrawn?: Withdrawals;
  /** Absent of a document that no server has written since this is kept. */
  readonly heard?: Heard;
}

export interface StoredMember {
  readonly member: Member;
  readonly meta: Omit<MemberMeta, 'source_hash' | 'origin'> & {
    readonly source_hash: string | null;
    /** Missing where it is not known. */
    readonly origin?: Origin | null;
  };
}

/** `write` with no differences touches the metadata alone. */
export type Decision =
  /** `isSame`: what is stored has this very version. */
  | { readonly kind: 'stale'; readonly isSame?: true }
  | { readonly kind: 'unchanged' }
  | {
      readonly kind: 'write';
      readonly member: Member;
      readonly meta: MemberMeta;
      /** From what is stored; null when the document is new. */
      readonly differences: readonly FieldDifference[] | null;
      /** Where a member's own pending edit stayed. */
      readonly keptEdits: readonly FieldPath[];
    };

export interface DecisionContext {
  readonly pending: readonly PendingEdit[];
  /** Consents that the person withdrew under another number; see `isNewNumber`. */
  readonly former?: Withdrawals | undefined;
  /** No event of a member's write comes any more: a consent that nobody has heard of counts as never given. */
  readonly isLate?: boolean;
  readonly origin: Origin;
  /** Stands for the time of a delete that carries none. */
  readonly now: Date;
  /** Over which stored versions the change comes; without it, over older ones. */
  readonly comesOver?: ComesOver;
}

/**
 * `older`: an event. `same`: also the very version that it has itself, which somebody who has just read the registry mends,
 * since only the registry's word can be right about it. `any`: also newer ones; somebody has decided for the registry's word.
 */
export type ComesOver = 'older' | 'same' | 'any';

/**
 * What one change of the registry does to what the portal holds.
 *
 *     nothing ──create, update──▶ active ──delete──▶ tombstone
 *        └────────────delete────────────────────────▶  │ ▲
 *                                active ◀──create, update┘ (newer only)
 *
 * The version decides and the action does not: a change that is no newer than what is stored is stale, whatever it
 * is. A late update so cannot revive a tombstone, and a create over a member merges. A **newer update revives** as a
 * create does: the registry says that the member exists, its create was lost or is still under way, and when it comes
 * it will be stale, so nothing else could revive the member before the next reconcile. Hence the newest version alone
 * decides the end, in any order and with any repetition, for changes that carry the whole member; of two that carry
 * parts, the older one's part is lost when it comes second, and the reconcile brings it.
 *
 * A change without a version carries what was just read from a registry that answers none (one that does gives the
 * change its version): it is applied and leaves the stored version alone. Only one such change of a member may be
 * under way, or an older reading could come last.
 */
export const decideChange = (
  stored: StoredMember | null,
  change: MemberChange,
  context: DecisionContext,
): Decision =>
  isStale(stored, change.version, context.comesOver)
    ? { kind: 'stale', ...(stored?.meta.source_version === change.version && { isSame: true }) }
    : planMemberWrite(stored, change, context);

/** True when what is stored stands against the version. */
export const isStale = (
  stored: StoredMember | null,
  version: number | null,
  comesOver: ComesOver = 'older',
): boolean => {
  if (version === null || comesOver === 'any') return false;
  const known = stored?.meta.source_version ?? -1;
  return comesOver === 'same' ? known > version : known >= version;
};

/**
 * True for a change that would revive somebody whom a reading found gone. No version of that is known: the change may be newer
 * than what the tombstone has and older than the deletion. Only the registry knows.
 */
export const isDoubtfulRevival = (stored: StoredMember | null, change: MemberChange): boolean =>
  isFoundGone(stored) &&
  change.action !== 'delete' &&
  change.version !== null &&
  !isStale(stored, change.version);

/** An event of a deletion does not end this: the reading can have been of another one, later than that. */
const isFoundGone = (stored: StoredMember | null): boolean =>
  stored?.meta.deleted_at != null && stored.meta.origin === 'reconcile';

const planMemberWrite = (
  stored: StoredMember | null,
  change: MemberChange,
  context: DecisionContext,
): Decision => {
  const { origin, now } = context;
  const before = stored?.member ?? null;
  const said =
    change.action === 'delete' ? makeTombstone(before, change.kennitala) : applyPatch(before, change.content);
  const { member, kept, withdrawn } = keepOwnWords(said, stored, change, context);
  const source_version = change.version ?? stored?.meta.source_version ?? null;
  const source_hash = sourceHash(said);
  const isAsBefore =
    stored?.meta.source_version === source_version && stored.meta.source_hash === source_hash;
  // Where the registry does not say one, that of the same content and version stands.
  const digest =
    change.action === 'delete'
      ? undefined
      : (change.content.digest ?? (isAsBefore ? stored?.meta.digest : undefined));
  const facts = {
    django_id: change.content?.djangoId ?? stored?.meta.django_id ?? null,
    source_version,
    source_hash,
    deleted_at: deletedAt(stored, change, now),
    ...(digest !== undefined && { digest }),
    ...(Object.keys(withdrawn).length > 0 && { withdrawn }),
  };
  const heard = heardAfter(stored, member);
  const differences = before === null ? null : diffMembers(before, member);
  if (differences?.length === 0 && isDeepStrictEqual(facts, factsOf(stored))) return { kind: 'unchanged' };
  const by =
    change.action === 'delete' && (change.version === null || isFoundGone(stored)) ? 'reconcile' : origin;
  return { kind: 'write', member, meta: { ...facts, heard, origin: by }, differences, keptEdits: kept };
};

/** The member's own waiting edits and withdrawals stand over the registry's word. A tombstone shows what was known. */
const keepOwnWords = (
  said: Member,
  stored: StoredMember | null,
  change: MemberChange,
  { pending, former, isLate }: DecisionContext,
): {
  readonly member: Member;
  readonly kept: readonly FieldPath[];
  readonly withdrawn: Withdrawals;
} => {
  const before = { ...former, ...stored?.meta.withdrawn };
  if (change.action === 'delete') return { member: said, kept: [], withdrawn: before };
  const edited = keepPendingEdits(said, pending, change.occurredAt);
  const unheard = stored === null ? {} : unheardConsents(stored.member, stored.meta.heard);
  const counted = Object.fromEntries(Object.entries(unheard).filter(([, isOn]) => !(isOn && isLate)));
  const consented = keepWithdrawals(edited.member, change, before, pending, counted);
  return { ...consented, kept: [...new Set([...edited.kept, ...consented.kept])] };
};

/** What the servers know once this is written. A word of the member's that stays is still to be heard. */
const heardAfter = (stored: StoredMember | null, written: Member): Heard => {
  const known = stored?.meta.heard ?? NOTHING_HEARD;
  const values = consentsOf(written);
  if (stored === null) return { ...NOTHING_HEARD, consents: values };
  const before = consentsOf(stored.member);
  const changed = CONSENT_PATHS.filter((path) => before[path] !== values[path]);
  const kept = { ...known, consents: { ...values, ...known.consents } };
  return hearing(kept, Object.fromEntries(changed.map((path) => [path, values[path]])));
};

const NOTHING_HEARD: Heard = { consents: {}, writtenOver: {} };

const consentsOf = (member: Member): Consents =>
  Object.fromEntries(CONSENT_PATHS.map((path) => [path, fieldOf(member, path)]));

const hearing = ({ consents, writtenOver }: Heard, values: Consents): Heard => ({
  consents: { ...consents, ...values },
  writtenOver: { ...writtenOver, ...Object.fromEntries(Object.keys(values).map((path) => [path, null])) },
});

/** The metadata once a server has written these values over others. */
export const withHeard = <M extends Pick<MemberMeta, 'heard'>>(meta: M, values: Partial<FieldValues>): M => {
  const written = CONSENT_PATHS.filter((path) => values[path] !== undefined);
  if (written.length === 0) return meta;
  const consents = Object.fromEntries(written.map((path) => [path, values[path]]));
  return { ...meta, heard: hearing(meta.heard ?? NOTHING_HEARD, consents) };
};

/** The metadata once the servers have heard of this word of the member's. */
export const withWord = <M extends Pick<MemberMeta, 'heard'>>(meta: M, consents: Consents): M => {
  const { heard = NOTHING_HEARD } = meta;
  return { ...meta, heard: { ...heard, consents: { ...heard.consents, ...consents } } };
};

/** The member without what they have said since the servers last heard of them. */
export const asHeard = ({ member, meta: { heard } }: StoredMember): Member =>
  withFields(member, heard?.consents ?? {});

const deletedAt = (stored: StoredMember | null, change: MemberChange, now: Date): Date | null => {
  if (change.action !== 'delete') return null;
  // A second reading that finds the member gone keeps the time of the first.
  const known = change.version === null ? (stored?.meta.deleted_at ?? null) : null;
  return known ?? change.occurredAt ?? now;
};

const factsOf = (stored: StoredMember | null): unknown => {
  if (stored === null) return null;
  const { django_id, source_version, source_hash, deleted_at, digest, withdrawn } = stored.meta;
  return {
    django_id,
    source_version,
    source_hash,
    deleted_at,
    ...(digest !== undefined && { digest }),
    ...(Object.keys(withdrawn ?? {}).length > 0 && { withdrawn }),
  };
};
