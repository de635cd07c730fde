import { isPlaceholder, type Kennitala, toNumber } from '../domain/kennitala.ts';
import { diffMembers } from '../domain/member/diff-members.ts';
import type { MemberChange } from '../domain/member/member-change.ts';
import { asSyncError } from '../lib/errors.ts';
import { readChange, withoutOtherTables } from '../portal/apply-event.ts';
import type { MemberStore, SeenMember } from '../portal/ports.ts';
import { registryView } from '../portal/reconcile/judge-member.ts';
import type { MemberReader } from '../registry/ports.ts';
import type { ListStore } from '../roster/ports.ts';
import { readHeldList } from '../roster/published-list.ts';
import { explainMirrors, type PortalDifference } from './because.ts';
import type {
  MemberTrace,
  MirrorStates,
  OperatorAction,
  OperatorActions,
  QueuedChange,
  RegisterLookup,
  RunHistory,
} from './ports.ts';
import type {
  ExplainAnswer,
  ExplainSource,
  RegisterNow,
  RegistryNow,
  RosterNow,
  TimelineEntry,
} from './schemas.ts';
import { MIRRORS } from './status.ts';
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
  for (const [source, found] of [
    ['registry', registry],
    ['roster', roster],
    ['register', register],
  ] as const) {
    if (found.state === 'unknown') incomplete.push({ source, code: found.code });
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
  const here = { registry, roster, portal, register };
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
