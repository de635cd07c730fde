import type { Kennitala } from '../domain/kennitala.ts';
import {
  type Decision,
  type DecisionContext,
  decideChange,
  isDoubtfulRevival,
  type StoredMember,
} from '../domain/member/decide-change.ts';
import type { FieldPath, MemberPatch } from '../domain/member/fields.ts';
import type { Origin } from '../domain/member/member.ts';
import type { MemberChange } from '../domain/member/member-change.ts';
import { type ParsedMember, parseRegistryMember } from '../domain/member/parse-registry-member.ts';
import { SyncError } from '../lib/errors.ts';
import type { MemberReader } from '../registry/ports.ts';
import type { ChangeOutcome, EventReceipt, MemberStore } from './ports.ts';

export interface ApplyEventDependencies {
  readonly members: MemberStore;
  readonly registry: MemberReader;
  readonly reference: (kennitala: Kennitala) => Promise<string>;
  readonly now: () => Date;
}

export interface AppliedEvent {
  readonly result: EventReceipt['result'] | 'duplicate';
  readonly receipt: EventReceipt;
  /** Somebody joined or left, as far as can be known. */
  readonly changesRoster: boolean;
  /** The event's own word was not believed: what counted is what the registry said when it was asked. */
  readonly wasAsked?: true;
  /** The portal has a later word than the event's. */
  readonly isOvertaken?: true;
}

/** One look at the registry; below the webhook's 30 s, so that a slow one is answered 503. */
const READING_LIMIT_MS = 20_000;
/** How often a member is read again because another write came between. */
const READING_ATTEMPTS = 5;

/**
 * Applies one event that carries its version: all of it or nothing, whatever order and repetition it came in. Where it would
 * bring back somebody whom a reading found gone, its version says nothing, and what the registry says now counts instead.
 * Throws `store_unavailable` when the outcome is not durable; where it reads also what `applyReading` throws.
 */
export const applyVersionedEvent = async (
  change: MemberChange,
  eventId: string | null,
  dependencies: ApplyEventDependencies,
): Promise<AppliedEvent> => {
  const { members, reference, now } = dependencies;
  const member = await reference(change.kennitala);
  const at = now();
  const outcome = await members.applyChange({
    kennitala: change.kennitala,
    eventId,
    djangoId: change.content?.djangoId ?? null,
    at,
    decide: (stored, pending, former) =>
      isDoubtfulRevival(stored, change)
        ? null
        : decideChange(stored, change, { pending, former, origin: 'registry', now: at }),
    toReceipt: (decision) => receiptOf(decision, change.action, member),
  });
  if (outcome.kind !== 'undecided') return toApplied(outcome);
  const signal = AbortSignal.timeout(READING_LIMIT_MS);
  return { ...(await applyReading(change, eventId, signal, dependencies)), wasAsked: true };
};

/** Whom a reading is about, and what made somebody read. */
export interface ReadAbout {
  readonly kennitala: Kennitala;
  readonly action: MemberChange['action'];
  /**
   * An event that would create them may be under way, and nobody will tell of their deletion again: one who is gone gets a tombstone
   * also where the portal never had them, so that this event is in doubt.
   */
  readonly mayBeCreated?: boolean;
}

/**
 * Reads the member from the registry and applies what it says, after a change that has surely been committed there: a 404
 * is a deletion. Two readings of one member can read in one order and write in the other; so each writes only if nothing
 * was written to the member since before it read, and otherwise reads again.
 *
 * Throws the `registry_*` codes, `member_invalid`, `store_unavailable`.
 */
export const applyReading = async (
  about: ReadAbout,
  eventId: string | null,
  signal: AbortSignal,
  { members, registry, reference, now }: ApplyEventDependencies,
): Promise<AppliedEvent> => {
  const member = await reference(about.kennitala);
  const decide = about.mayBeCreated === true ? decideChange : decideReading;
  for (let attempt = 1; attempt <= READING_ATTEMPTS; attempt += 1) {
    const { stored: seen, state } = await members.read(about.kennitala);
    const change = withoutOtherTables(await readChange(about.kennitala, registry, signal), seen);
    const at = now();
    const outcome = await members.applyChange({
      kennitala: about.kennitala,
      eventId,
      ifState: state,
      djangoId: change.content?.djangoId ?? null,
      at,
      decide: (stored, pending, former) =>
        touchUnchanged(stored, decide(stored, change, { pending, former, origin: 'registry', now: at })),
      toReceipt: (decision) => receiptOf(decision, about.action, member),
    });
    if (outcome.kind === 'moved') continue;
    const applied = toApplied(outcome);
    // Without an id there is no receipt to tell that an earlier delivery died between its write and its request.
    return eventId === null ? { ...applied, changesRoster: true } : applied;
  }
  throw new SyncError(
    'store_unavailable',
    `The member was written ${READING_ATTEMPTS} times while it was read from the registry. Try again.`,
  );
};

/** As `decideChange`, but for somebody whom the portal does not have: that the registry has not either is no news. */
export const decideReading = (
  stored: StoredMember | null,
  change: MemberChange,
  context: DecisionContext,
): Decision =>
  stored === null && change.action === 'delete'
    ? { kind: 'unchanged' }
    : decideChange(stored, change, context);

/**
 * A reading that finds nothing to change is written all the same, as a touch of the metadata: an older reading, by
 * another hint or by a reconcile, must find that the document has moved, and then reads again. A tombstone that an event
 * made is a reading's from then on: the member may have come and gone again since, and only the registry knows.
 */
export const touchUnchanged = (stored: StoredMember | null, decision: Decision): Decision => {
  const hash = stored?.meta.source_hash ?? null;
  if (decision.kind !== 'unchanged' || stored === null || hash === null) return decision;
  const origin: Origin = stored.meta.deleted_at === null ? 'registry' : 'reconcile';
  const meta = { ...stored.meta, source_hash: hash, origin };
  return { kind: 'write', member: stored.member, meta, differences: [], keptEdits: [] };
};

/** What the registry answered about one member. @throws SyncError `member_invalid`, `registry_invalid_response` for another one. */
export const parseAnswerAbout = (kennitala: Kennitala, json: unknown): ParsedMember => {
  const said = parseRegistryMember(json);
  if (said.kennitala === kennitala) return said;
  throw new SyncError(
    'registry_invalid_response',
    'The registry answered another member than the one asked for.',
  );
};

/** What the registry says of the member now, as a change. 404 is its way to say that it has no such member. */
export const readChange = async (
  kennitala: Kennitala,
  registry: MemberReader,
  signal: AbortSignal,
): Promise<MemberChange> => {
  const json = await registry.readMember(kennitala, { signal });
  if (json === null) return { kennitala, action: 'delete', version: null, occurredAt: null, content: null };
  const content = parseAnswerAbout(kennitala, json);
  return { kennitala, action: 'update', version: content.version, occurredAt: null, content };
};

/** A registry without the companion app answers one member from other tables than its list, and says neither of these. */
export const isFromOtherTables = (content: ParsedMember): boolean =>
  content.djangoId === null && content.version === null;

/** Those fields may be older by years there. They count for somebody of whom nothing else is known. */
const IN_OTHER_TABLES: readonly FieldPath[] = ['profile.email', 'profile.addresses'];

/** What is no older than the list. */
export const ofTheList = (content: MemberPatch): MemberPatch =>
  Object.fromEntries(
    Object.entries(content).filter(([path]) => !IN_OTHER_TABLES.includes(path as FieldPath)),
  ) as MemberPatch;

/** The reading without what the list has given already and may know better. */
export const withoutOtherTables = (change: MemberChange, stored: StoredMember | null): MemberChange => {
  if (stored === null || change.content === null || !isFromOtherTables(change.content)) return change;
  return { ...change, content: { ...change.content, content: ofTheList(change.content.content) } };
};

/** Whether the registry's word makes somebody a member, or ends it. */
export const joinsOrLeaves = (stored: StoredMember | null, change: MemberChange): boolean =>
  (stored?.member.membership.status === 'active') !== (change.action !== 'delete');

const receiptOf = (decision: Decision, action: EventReceipt['action'], member: string): EventReceipt => ({
  result: decision.kind === 'stale' ? 'stale' : 'applied',
  action,
  member,
  changesRoster: asksForRoster(decision, action),
});

const toApplied = (outcome: ChangeOutcome): AppliedEvent => {
  switch (outcome.kind) {
    case 'decided': {
      const { receipt, decision } = outcome;
      const { result, changesRoster } = receipt;
      const isOvertaken = decision.kind === 'stale' && decision.isSame !== true;
      return { result, receipt, changesRoster, ...(isOvertaken && { isOvertaken }) };
    }
    case 'duplicate': {
      const { receipt } = outcome;
      return { result: 'duplicate', receipt, changesRoster: receipt.changesRoster };
    }
    case 'moved':
    case 'superseded':
    case 'undecided':
      throw new SyncError('internal', `An event that was decided about cannot end as ${outcome.kind}.`);
    default: {
      const never: never = outcome;
      return never;
    }
  }
};

/** Whether the roster must be made anew. A late create or delete asks too: a roster that is equal costs no upload. */
const asksForRoster = (decision: Decision, action: EventReceipt['action']): boolean => {
  switch (decision.kind) {
    case 'stale':
      return action !== 'update';
    case 'unchanged':
      return false;
    case 'write':
      if (decision.differences === null) return decision.member.membership.status === 'active';
      return decision.differences.some(({ path }) => path === 'membership.status');
    default: {
      const never: never = decision;
      return never;
    }
  }
};
