import { isPlaceholder, type Kennitala } from '../../domain/kennitala.ts';
import type { StoredMember } from '../../domain/member/decide-change.ts';
import { FIELD_PATHS } from '../../domain/member/field-table.ts';
import { fieldOf, type Json } from '../../domain/member/fields.ts';
import type { Member } from '../../domain/member/member.ts';
import type { MemberChange } from '../../domain/member/member-change.ts';
import { toRegistryValue } from '../../domain/member/parse-registry-member.ts';
import { diffMembers } from '../../domain/member/patch.ts';
import { SyncError } from '../../lib/errors.ts';
import type { LogSink } from '../../lib/log.ts';
import type { MemberReader } from '../../registry/ports.ts';
import { joinsOrLeaves, readChange, withoutOtherTables } from '../apply-event.ts';
import type { ChangeRequest, MemberStore, RosterRefresh } from '../ports.ts';
import { judgeMember, type MemberJudgement, registryView } from './decide-member.ts';

export interface SyncMemberDependencies {
  readonly members: MemberStore;
  readonly registry: MemberReader;
  readonly rosterRefresh: RosterRefresh;
  readonly reference: (kennitala: Kennitala) => Promise<string>;
  readonly now: () => Date;
  readonly log: LogSink;
}

export interface SyncMemberRequest {
  readonly kennitala: Kennitala;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

/** For an administrator's screen. **`portal` and `registry` are personal values**: they are answered, never logged. */
export interface SyncedMember {
  /** The opaque reference, as it stands in the logs. */
  readonly member: string;
  /** Whether the registry has the member. */
  readonly found: boolean;
  readonly decision: 'applied' | 'would-apply' | Exclude<MemberJudgement['kind'], 'write'> | 'skipped';
  /** What differed before, where the registry says something; a member whom the portal did not have differs in all. */
  readonly differences: readonly { readonly path: string; readonly portal: Json; readonly registry: Json }[];
  /** Paths where the member's own edit waits for delivery and stays. */
  readonly keptEdits: readonly string[];
  /** Why it was decided so: sentences without values. */
  readonly reasons: readonly string[];
}

/** How often the member is read again because another write came between. */
const ATTEMPTS = 5;

/**
 * Brings one member in line with the registry now, as a reconcile would, and says what was found and why. A dry run
 * decides in the same transaction and writes nothing.
 *
 * Throws the `registry_*` codes, `member_invalid`, `store_unavailable`.
 */
export const syncMember = async (
  request: SyncMemberRequest,
  dependencies: SyncMemberDependencies,
): Promise<SyncedMember> => {
  const member = await dependencies.reference(request.kennitala);
  if (isPlaceholder(request.kennitala)) return { member, ...SKIPPED };
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const synced = await attemptSync(request, member, dependencies);
    if (synced !== null) {
      logSynced(dependencies.log, member, synced);
      return { member, ...synced };
    }
  }
  throw new SyncError(
    'store_unavailable',
    `The member was written ${ATTEMPTS} times while it was read from the registry. Try again.`,
  );
};

/** Which fields, never what stands in them. */
const logSynced = (
  log: LogSink,
  member: string,
  { decision, found, differences }: Omit<SyncedMember, 'member'>,
): void =>
  log('INFO', `[PORTAL] One member synced on demand: ${decision}`, {
    event: 'member_synced',
    member,
    decision,
    found,
    paths: differences.map(({ path }) => path),
  });

const SKIPPED: Omit<SyncedMember, 'member'> = {
  found: false,
  decision: 'skipped',
  differences: [],
  keptEdits: [],
  reasons: ['The number is a placeholder (9999…), and those are no members.'],
};

/** Null when the document was written since it was read: what the registry said may be older than that. */
const attemptSync = async (
  { kennitala, dryRun, signal }: SyncMemberRequest,
  member: string,
  { members, registry, rosterRefresh, now }: SyncMemberDependencies,
): Promise<Omit<SyncedMember, 'member'> | null> => {
  const { stored: before, state } = await members.read(kennitala);
  const change = withoutOtherTables(await readChange(kennitala, registry, signal), before);
  const at = now();
  if (!dryRun && joinsOrLeaves(before, change)) await rosterRefresh.request(at);

  let judgement: MemberJudgement | null = null;
  const decide: ChangeRequest['decide'] = (stored, pending, former) => {
    judgement = judgeMember(stored, change, { pending, former, now: at });
    return judgement.kind === 'write' && !dryRun ? judgement.decision : { kind: 'unchanged' };
  };
  const outcome = await members.applyChange({
    kennitala,
    eventId: null,
    ifState: state,
    djangoId: change.content?.djangoId ?? null,
    at,
    decide,
    toReceipt: () => ({ result: 'applied', action: change.action, member, changesRoster: false }),
  });
  return outcome.kind === 'decided' && judgement !== null ? answer(judgement, before, change, dryRun) : null;
};

const answer = (
  judgement: MemberJudgement,
  before: StoredMember | null,
  change: MemberChange,
  dryRun: boolean,
): Omit<SyncedMember, 'member'> => ({
  found: change.action !== 'delete',
  decision: judgement.kind === 'write' ? (dryRun ? 'would-apply' : 'applied') : judgement.kind,
  differences: differencesBetween(before?.member ?? null, registryView(before, change)),
  keptEdits: judgement.kind === 'write' || judgement.kind === 'unchanged' ? judgement.keptEdits : [],
  reasons: judgement.reasons,
});

const differencesBetween = (before: Member | null, after: Member | null): SyncedMember['differences'] => {
  if (after === null) return [];
  if (before === null) {
    return FIELD_PATHS.map((path) => ({
      path,
      portal: null,
      registry: toRegistryValue(path, fieldOf(after, path)),
    }));
  }
  return diffMembers(before, after).map(({ path, oldValue, newValue }) => ({
    path,
    portal: toRegistryValue(path, oldValue),
    registry: toRegistryValue(path, newValue),
  }));
};
