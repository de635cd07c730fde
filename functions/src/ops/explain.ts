import { isPlaceholder, type Kennitala, toNumber } from '../domain/kennitala.ts';
import type { MemberChange } from '../domain/member/member-change.ts';
import { diffMembers } from '../domain/member/patch.ts';
import { asSyncError } from '../lib/errors.ts';
import { MIRRORS, type MirrorName } from '../mirror/mirror.ts';
import { readChange, withoutOtherTables } from '../portal/apply-event.ts';
import type { MemberStore, SeenMember } from '../portal/ports.ts';
import { registryView } from '../portal/reconcile/decide-member.ts';
import type { MemberReader } from '../registry/ports.ts';
import type { ListStore } from '../roster/ports.ts';
import { readHeldList } from '../roster/published-list.ts';
import type {
  MemberTrace,
  MirrorState,
  MirrorStates,
  OperatorAction,
  OperatorActions,
  QueuedChange,
  RegisterLookup,
  RunHistory,
} from './ports.ts';
import type {
  BecauseCode,
  ExplainAnswer,
  ExplainSource,
  RegisterNow,
  RegistryNow,
  RosterNow,
  TimelineEntry,
} from './schemas.ts';
import {
  fromAction,
  fromConflict,
  fromPortal,
  fromQueue,
  fromReceipt,
  fromRegister,
  fromRunAboutAll,
  fromRunOfMember,
} from './timeline.ts';

export interface ExplainDependencies {
  readonly registry: MemberReader;
  readonly members: Pick<MemberStore, 'read'>;
  readonly roster: Pick<ListStore, 'read'>;
  /** Null: the register is not configured here. */
  readonly register: RegisterLookup | null;
  readonly trace: MemberTrace;
  readonly states: Pick<MirrorStates, 'read'>;
  readonly history: Pick<RunHistory, 'page'>;
  readonly actions: OperatorActions;
  readonly reference: (kennitala: Kennitala) => Promise<string>;
  readonly now: () => Date;
}

export interface ExplainRequest {
  readonly kennitala: Kennitala;
  readonly by: Pick<OperatorAction, 'by' | 'byKind' | 'requestId'>;
  readonly signal: AbortSignal;
}

/** As many runs of a mirror are looked through for refusals and failures. */
const RUNS_LOOKED_AT = 50;

/**
 * Why a person is or is not in each mirror: what every store and the registry say now, and everything that touched the
 * person, in time order. The look is recorded before anything is read. A source that cannot be read is named in
 * `incomplete`, and what it would have said is `unknown`, never "no".
 *
 * Throws `audit_unavailable`: a look that cannot be recorded is not allowed. `secret_unavailable`.
 */
export const explainMember = async (
  { kennitala, by, signal }: ExplainRequest,
  dependencies: ExplainDependencies,
): Promise<ExplainAnswer> => {
  const { trace, states, history, actions, now } = dependencies;
  const member = await dependencies.reference(kennitala);
  const at = now();
  await actions.record({ action: 'explain', ...by, at, member });

  const incomplete: ExplainAnswer['incomplete'] = [];
  const attempt = async <T>(source: ExplainSource, read: () => Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await read();
    } catch (cause) {
      incomplete.push({ source, code: asSyncError(cause).code });
      return otherwise;
    }
  };
  const unknown = { state: 'unknown', code: 'store_unavailable' } as const;
  const [change, roster, portal, seen, register, state, receipts, runs, queued, conflicts, acts, ...recent] =
    await Promise.all([
      readRegistry(kennitala, signal, dependencies.registry),
      readRoster(kennitala, dependencies.roster),
      attempt('portal', () => trace.portal(kennitala), unknown),
      attempt('portal', () => dependencies.members.read(kennitala), null),
      readRegister(kennitala, dependencies.register),
      attempt('mirror_states', () => states.read(), null),
      attempt('webhook_receipts', () => trace.receipts(member), []),
      attempt('run_changes', () => trace.runs(kennitala), []),
      attempt('queue', () => trace.queued(kennitala), []),
      attempt('conflicts', () => trace.conflictsOf(kennitala), []),
      attempt('operator_actions', () => trace.actions(member), []),
      ...MIRRORS.map((mirror) =>
        attempt(
          `${mirror}_runs`,
          async () => (await history.page({ mirror, limit: RUNS_LOOKED_AT })).items,
          [],
        ),
      ),
    ]);
  const registry = change.now;
  const here = { registry, roster, portal, register };
  for (const source of ['registry', ...MIRRORS] as const) {
    const found = here[source];
    // Of the portal its attempt has said so, with the code.
    if (found.state === 'unknown' && source !== 'portal') incomplete.push({ source, code: found.code });
  }

  // A refused run that names the person says more than that it was refused for everybody.
  const named = new Set(runs.map(({ run }) => run.runId));
  const timeline: TimelineEntry[] = [
    ...receipts.map(fromReceipt),
    ...runs.flatMap(fromRunOfMember),
    ...recent
      .flat()
      .filter(({ runId }) => !named.has(runId))
      .flatMap(fromRunAboutAll),
    ...queued.flatMap(fromQueue),
    ...conflicts.flatMap(fromConflict),
    ...acts.map(fromAction),
    ...fromPortal(portal),
    ...fromRegister(register),
  ];
  return {
    member,
    at: at.toISOString(),
    now: here,
    because: explainMirrors(here, {
      states: state,
      isPlaceholder: isPlaceholder(kennitala),
      portal: seen === null || change.said === null ? null : differenceOf(seen, change.said, queued),
    }),
    timeline: timeline.toSorted((one, other) => (one.at < other.at ? -1 : one.at > other.at ? 1 : 0)),
    incomplete,
  };
};

const readRegistry = async (
  kennitala: Kennitala,
  signal: AbortSignal,
  registry: MemberReader,
): Promise<{ readonly now: RegistryNow; readonly said: MemberChange | null }> => {
  try {
    const said = await readChange(kennitala, registry, signal);
    const { action, version } = said;
    return { said, now: action === 'delete' ? { state: 'no-member' } : { state: 'member', version } };
  } catch (cause) {
    const { code } = asSyncError(cause);
    return { said: null, now: { state: code === 'member_invalid' ? 'unreadable' : 'unknown', code } };
  }
};

/** What a reconcile would find, but for the fields that wait to be delivered. */
const differenceOf = (
  { stored }: SeenMember,
  said: MemberChange,
  queued: readonly QueuedChange[],
): PortalDifference => {
  const known = stored?.meta.source_version ?? null;
  const change = withoutOtherTables(said, stored);
  const view = registryView(stored, change);
  const waiting = new Set(
    queued.filter(({ status }) => status === 'pending').flatMap(({ changes }) => Object.keys(changes)),
  );
  return {
    isAhead: known !== null && said.version !== null && known > said.version,
    paths:
      stored === null || view === null
        ? []
        : diffMembers(stored.member, view)
            .map(({ path }) => path)
            .filter((path) => !waiting.has(path)),
  };
};

const readRoster = async (kennitala: Kennitala, store: Pick<ListStore, 'read'>): Promise<RosterNow> => {
  try {
    const published = await store.read();
    if (published === null) return { state: 'not-listed', generation: null };
    const { generation, bytes } = published;
    const number = toNumber(kennitala);
    const isListed = Array.prototype.includes.call(readHeldList(bytes).kennitalas.numbers, number);
    return { state: isListed ? 'listed' : 'not-listed', generation };
  } catch (cause) {
    return { state: 'unknown', code: asSyncError(cause).code };
  }
};

const readRegister = async (kennitala: Kennitala, register: RegisterLookup | null): Promise<RegisterNow> => {
  if (register === null) return { state: 'not-configured' };
  try {
    return await register.find(kennitala);
  } catch (cause) {
    return { state: 'unknown', code: asSyncError(cause).code };
  }
};

type Now = ExplainAnswer['now'];

interface BecauseContext {
  /** Null: it could not be read. */
  readonly states: Readonly<Record<MirrorName, MirrorState>> | null;
  readonly isPlaceholder: boolean;
  /** How the portal's document differs from the registry's word; null: it is not known. */
  readonly portal: PortalDifference | null;
}

interface PortalDifference {
  /** It holds a version that the registry has not reached, so no run changes it. */
  readonly isAhead: boolean;
  /** Fields of both, without those where the member's own edit waits. */
  readonly paths: readonly string[];
}

/** Why each mirror holds the person or not, in the light of what the registry says now. Pure. */
const explainMirrors = (now: Now, context: BecauseContext): ExplainAnswer['because'] =>
  MIRRORS.filter((mirror) => !(mirror === 'register' && now.register.state === 'not-configured')).map(
    (mirror) => {
      const code = explainMirror(mirror, now, context);
      return { mirror, code, text: textOf(mirror, code, now, context) };
    },
  );

const explainMirror = (
  mirror: MirrorName,
  now: Now,
  { states, isPlaceholder, portal }: BecauseContext,
): BecauseCode => {
  const isHeld = holdsMember(mirror, now);
  if (isHeld === null) return 'mirror_unknown';
  if (isPlaceholder) return 'placeholder';
  const { registry } = now;
  if (registry.state === 'unreadable') return 'registry_unreadable';
  if (registry.state === 'unknown') return 'registry_unknown';
  const isMember = registry.state === 'member';
  if (mirror === 'portal' && isMember && portal?.isAhead === true) return 'ahead_of_registry';
  if (isMember === isHeld) {
    if (mirror !== 'portal' || !isMember) return 'equal_to_registry';
    if (portal === null) return 'mirror_unknown';
    return portal.paths.length === 0 ? 'equal_to_registry' : 'content_differs';
  }
  const state = states?.[mirror] ?? null;
  if (state?.pause) return 'mirror_paused';
  if (state?.lastRun?.outcome === 'blocked') return 'last_run_blocked';
  if (state?.lastRun?.outcome === 'failed') return 'last_run_failed';
  return isMember && wasKnownBefore(now, state) ? 'not_in_last_export' : 'waits_for_next_run';
};

/** Null: it could not be read. */
const holdsMember = (mirror: MirrorName, { roster, portal, register }: Now): boolean | null => {
  switch (mirror) {
    case 'roster':
      return roster.state === 'unknown' ? null : roster.state === 'listed';
    case 'portal':
      return portal.state === 'unknown' ? null : portal.state === 'active';
    case 'register':
      return register.state === 'unknown' ? null : register.state === 'active';
    default: {
      const never: never = mirror;
      return never;
    }
  }
};

/** The portal had the member before the mirror's last success, which nevertheless left them out. */
const wasKnownBefore = ({ portal }: Now, state: MirrorState | null): boolean =>
  portal.state === 'active' &&
  portal.syncedAt !== null &&
  state?.lastSuccess != null &&
  new Date(portal.syncedAt) < state.lastSuccess.at;

const textOf = (mirror: MirrorName, code: BecauseCode, now: Now, { portal }: BecauseContext): string => {
  const isHeld = holdsMember(mirror, now) === true;
  const here = isHeld
    ? `The ${mirror} has this member`
    : `The ${mirror} does not have this person as a member`;
  const fields = (portal?.paths ?? []).join(', ');
  return `${here}: ${TEXTS[code](isHeld)}${code === 'content_differs' ? ` (${fields})` : ''}`;
};

const TEXTS: Record<BecauseCode, (isHeld: boolean) => string> = {
  equal_to_registry: (isHeld) => (isHeld ? 'so does the registry.' : 'neither does the registry.'),
  ahead_of_registry: () =>
    'it holds a later version than the registry has, so no run changes it; take the registry’s word.',
  content_differs: () => 'so does the registry, with other values; the next run brings them',
  placeholder: () => 'the number is a placeholder (9999…), and those are no members.',
  registry_unknown: () => 'whether the registry does could not be found out now.',
  mirror_unknown: () => 'the mirror could not be read, so this is not certain.',
  registry_unreadable: () =>
    'what the registry sends about the person cannot be read, so it is left out of runs.',
  mirror_paused: () => 'the mirror is paused and keeps what it had.',
  last_run_blocked: () => 'the guard refused the last run, and nothing was changed.',
  last_run_failed: () => 'the last run failed, and nothing was changed.',
  not_in_last_export: () =>
    'the registry has the person, but its list for the last run, which went well, left them out.',
  waits_for_next_run: (isHeld) =>
    isHeld
      ? 'the registry has not; the next run takes them out.'
      : 'the registry has; the next run brings them in.',
};
