import type { Kennitala } from '../domain/kennitala.ts';
import {
  type Decision,
  decideChange,
  isDoubtfulRevival,
  type StoredMember,
} from '../domain/member/decide-change.ts';
import type { MemberChange } from '../domain/member/member-change.ts';
import { parseRegistryMember } from '../domain/member/parse-registry-member.ts';
import { SyncError } from '../lib/errors.ts';
import type { ChangeOutcome, MemberReader, MemberStore, Receipt } from './ports.ts';

export interface ApplyEventDependencies {
  readonly members: MemberStore;
  readonly registry: MemberReader;
  readonly reference: (kennitala: Kennitala) => Promise<string>;
  readonly now: () => Date;
}

export interface AppliedEvent {
  readonly result: 'applied' | 'stale' | 'duplicate';
  readonly receipt: Receipt;
  /** Somebody joined or left, as far as can be known. */
  readonly changesRoster: boolean;
  /** The event's own word was not believed: what counted is what the registry said when it was asked. */
  readonly wasAsked?: true;
}

/** A hint asks the registry; below the webhook's 30 s, so that a slow one is answered 503. */
export const HINT_LIMIT_MS = 20_000;
/** How often a hint is read again because another write of the member came between. */
const HINT_ATTEMPTS = 5;

/**
 * Applies one event that carries its version: in one transaction, whatever order and repetition it came in. Where it would
 * bring back somebody whom a reading found gone, its version says nothing, and it is followed as a hint instead.
 * Throws `store_unavailable` when the outcome is not durable; as a hint also what `applyHint` throws.
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
    at,
    decide: (stored, pending) =>
      isDoubtfulRevival(stored, change)
        ? null
        : decideChange(stored, change, { pending, origin: 'registry', now: at }),
    toReceipt: (decision) => receiptOf(decision, change.action, member),
  });
  if (outcome.kind !== 'undecided') return toApplied(outcome);
  const signal = AbortSignal.timeout(HINT_LIMIT_MS);
  return { ...(await applyHint(change, eventId, signal, dependencies)), wasAsked: true };
};

/**
 * Follows a hint, which only says that something about the member changed: reads the member from the registry and
 * applies what it finds. Two hints of one member can read in one order and write in the other; so each writes only
 * if nothing was written to the member since before it read, and otherwise reads again.
 *
 * Throws the `registry_*` codes, `member_invalid`, `store_unavailable`.
 */
export const applyHint = async (
  hint: { readonly kennitala: Kennitala; readonly action: MemberChange['action'] },
  eventId: string | null,
  signal: AbortSignal,
  { members, registry, reference, now }: ApplyEventDependencies,
): Promise<AppliedEvent> => {
  const member = await reference(hint.kennitala);
  for (let attempt = 1; attempt <= HINT_ATTEMPTS; attempt += 1) {
    const { state } = await members.read(hint.kennitala);
    const change = await readChange(hint.kennitala, registry, signal);
    const at = now();
    const outcome = await members.applyChange({
      kennitala: hint.kennitala,
      eventId,
      ifState: state,
      at,
      decide: (stored, pending) =>
        touchUnchanged(stored, decideChange(stored, change, { pending, origin: 'registry', now: at })),
      toReceipt: (decision) => receiptOf(decision, hint.action, member),
    });
    if (outcome.kind === 'moved') continue;
    const applied = toApplied(outcome);
    // Without an id there is no receipt to tell that an earlier delivery died between its write and its request.
    return eventId === null ? { ...applied, changesRoster: true } : applied;
  }
  throw new SyncError(
    'store_unavailable',
    `The member was written ${HINT_ATTEMPTS} times while it was read from the registry. Try again.`,
  );
};

/**
 * A reading that finds nothing to change is written all the same, as a touch of the metadata: an older reading, by
 * another hint or by a reconcile, must find that the document has moved, and then reads again.
 */
const touchUnchanged = (stored: StoredMember | null, decision: Decision): Decision => {
  const hash = stored?.meta.source_hash ?? null;
  if (decision.kind !== 'unchanged' || stored === null || hash === null) return decision;
  const origin = stored.meta.deleted_at === null ? 'registry' : (stored.meta.origin ?? 'registry');
  const meta = { ...stored.meta, source_hash: hash, origin };
  return { kind: 'write', member: stored.member, meta, differences: [], keptEdits: [] };
};

/** What the registry says of the member now, as a change. 404 is its way to say that the member was deleted. */
export const readChange = async (
  kennitala: Kennitala,
  registry: MemberReader,
  signal: AbortSignal,
): Promise<MemberChange> => {
  const json = await registry.readMember(kennitala, { signal });
  if (json === null) return { kennitala, action: 'delete', version: null, occurredAt: null, content: null };
  const content = parseRegistryMember(json);
  if (content.kennitala !== kennitala) {
    throw new SyncError(
      'registry_invalid_response',
      'The registry answered another member than the one asked for.',
    );
  }
  return { kennitala, action: 'update', version: content.version, occurredAt: null, content };
};

const receiptOf = (decision: Decision, action: Receipt['action'], member: string): Receipt => ({
  result: decision.kind === 'stale' ? 'stale' : 'applied',
  action,
  member,
  changesRoster: joinsOrLeaves(decision, action),
});

const toApplied = (outcome: ChangeOutcome): AppliedEvent => {
  switch (outcome.kind) {
    case 'decided':
    case 'duplicate': {
      const { receipt } = outcome;
      const result = outcome.kind === 'duplicate' ? 'duplicate' : receipt.result;
      return { result, receipt, changesRoster: receipt.changesRoster };
    }
    case 'moved':
    case 'undecided':
      throw new SyncError('internal', `An event that was decided about cannot end as ${outcome.kind}.`);
    default: {
      const never: never = outcome;
      return never;
    }
  }
};

/** Whether the roster must be made anew. A late create or delete asks too: a roster that is equal costs no upload. */
const joinsOrLeaves = (decision: Decision, action: Receipt['action']): boolean => {
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
