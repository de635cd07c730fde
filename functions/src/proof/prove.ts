import { asSyncError } from '../lib/errors.ts';
import { counted, type LogSink } from '../lib/log.ts';
import { forEachMirror, MIRRORS, type MirrorName, type RunReport } from '../mirror/mirror.ts';
import type { ProofOutcome, ProofReason, ProofRecord, ProofStore, StoreProof } from './digest-ports.ts';
import { type Found, type Look, type LookPorts, lookAtStores } from './look.ts';

/** Runs that mend what differs, each with the plan, the guard and the record of its mirror. */
export interface Healing {
  /** Those buckets of the portal or the register; they were read by the look and are not read again. */
  readonly part: (mirror: 'portal' | 'register', found: Found) => Promise<RunReport>;
  readonly whole: (mirror: MirrorName) => Promise<RunReport>;
}

export interface ProveDependencies extends LookPorts {
  readonly proofs: ProofStore;
  readonly healing: Healing;
  /** Why a run of the mirror would not help now: it is paused, waits for a decision, or is running. */
  readonly standstill: () => Promise<Readonly<Record<MirrorName, StandstillReason | null>>>;
  readonly log: LogSink;
}

export type StandstillReason = Extract<ProofReason, 'paused' | 'blocked' | 'run_under_way'>;

/** After so long without a proof an operator is told, once with each look. */
export const UNPROVED_SECONDS = 30 * 60;
/** A run that did not help is repeated after twice the wait before, up to this. */
const LONGEST_WAIT_MS = 6 * 60 * 60_000;
const FIRST_WAIT_MS = 15 * 60_000;

const UNKNOWN: StoreProof = { state: 'unknown', differences: null, errorCode: null };
const ALL_UNKNOWN = forEachMirror(() => UNKNOWN);

interface Judged
  extends Pick<ProofRecord, 'outcome' | 'because' | 'members' | 'unreadable' | 'stores' | 'errorCode'> {}

/**
 * One proof: looks whether registry, roster, portal and register hold the same members, has what differs mended by the
 * mirrors' own runs, looks again, and writes what it found last.
 *
 * Nothing is mended while it may be on its way, while the mirror is paused, has a plan that waits for a decision, or is being
 * run; nor again and again where a run could not help. What does not answer is unknown: it is never equal, and never mended.
 *
 * `mends: false`: the look alone. Right after a run, what differs may be on its way; the next proof mends what is not.
 *
 * Throws `store_unavailable` when not even the record could be written; everything else is an outcome.
 */
export const prove = async (
  { signal, mends = true }: { readonly signal: AbortSignal; readonly mends?: boolean },
  dependencies: ProveDependencies,
): Promise<ProofRecord> => {
  const { proofs, now, log } = dependencies;
  let judged = await tryLook(dependencies, signal);
  // After the look: what another proof has counted meanwhile stays counted.
  const before = await proofs.read();
  let healed = 0;
  const { look } = judged;
  if (look !== null && judged.outcome === 'differs') {
    const still = await standstillOf(dependencies, look);
    if (still !== null)
      judged = { ...judged, because: still, outcome: still === 'run_under_way' ? 'under_way' : 'differs' };
    if (mends && mayHeal(before, now())) {
      healed = await heal(dependencies, look);
      if (healed > 0) judged = { ...(await tryLook(dependencies, signal)) };
    }
  }
  const { look: _look, ...facts } = judged;
  const at = now();
  const isEqual = facts.outcome === 'equal';
  const record: ProofRecord = {
    ...facts,
    at,
    provedAt: isEqual ? at : (before?.provedAt ?? null),
    unprovedSince: isEqual ? null : (before?.unprovedSince ?? at),
    healings: isEqual ? 0 : (before?.healings ?? 0) + Math.min(healed, 1),
    healedAt: healed > 0 ? at : (before?.healedAt ?? null),
  };
  await proofs.write(record);
  logProof(log, record, healed);
  return record;
};

const tryLook = async (
  ports: LookPorts,
  signal: AbortSignal,
): Promise<Judged & { readonly look: Look | null }> => {
  try {
    const look = await lookAtStores(ports, signal);
    if (typeof look === 'string') return { ...NOTHING_SEEN, outcome: 'unprovable', because: look };
    const { members, unreadable, stores } = look;
    const outcome = outcomeOf(look);
    const because = outcome === 'under_way' ? 'events' : null;
    return { look, outcome, because, members, unreadable, stores, errorCode: null };
  } catch (cause) {
    return { ...NOTHING_SEEN, outcome: 'unknown', because: null, errorCode: asSyncError(cause).code };
  }
};

const NOTHING_SEEN = {
  look: null,
  members: null,
  unreadable: 0,
  stores: ALL_UNKNOWN,
  errorCode: null,
} as const;

const outcomeOf = ({ stores, isUnderWay }: Look): ProofOutcome => {
  const states = Object.values(stores).map(({ state }) => state);
  if (isUnderWay) return 'under_way';
  if (states.includes('differs')) return 'differs';
  return states.includes('unknown') ? 'unknown' : 'equal';
};

const differingIn = ({ stores }: Look): MirrorName[] =>
  MIRRORS.filter((mirror) => stores[mirror].state === 'differs');

/** Why nothing is done about what differs, where that is so of every store that differs. */
const standstillOf = async (
  { standstill }: Pick<ProveDependencies, 'standstill'>,
  look: Look,
): Promise<StandstillReason | null> => {
  const reasons = await standstill();
  const ours = differingIn(look).map((mirror) => reasons[mirror]);
  return ours.every((reason) => reason !== null) ? (ours[0] ?? null) : null;
};

const mayHeal = (before: ProofRecord | null, now: Date): boolean => {
  if (before === null || before.healings === 0 || before.healedAt === null) return true;
  const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (before.healings - 1));
  return now.getTime() - before.healedAt.getTime() >= wait;
};

/** How many runs were made; one that failed has its own record and its own alert. */
const heal = async ({ healing, standstill }: ProveDependencies, look: Look): Promise<number> => {
  let runs = 0;
  for (const mirror of differingIn(look)) {
    if ((await standstill())[mirror] !== null) continue;
    runs += 1;
    const { found, stores } = look;
    // Where most members differ, a run over everybody costs little more, and counts as a success of the mirror.
    const isWhole = found === null || 2 * found.part.members.length > look.members;
    if (mirror === 'roster' || isWhole || stores[mirror].differences === null) {
      await healing.whole(mirror);
      continue;
    }
    const { record } = await healing.part(mirror, found);
    // An operator can approve a plan over everybody, not one over some buckets.
    if (record.outcome === 'blocked') await healing.whole(mirror);
  }
  return runs;
};

/** Counts, codes and times: a proof speaks of whole lists. */
const logProof = (log: LogSink, record: ProofRecord, healed: number): void => {
  const { outcome, because, members, unreadable, stores, errorCode, at, unprovedSince } = record;
  const differences = forEachMirror((mirror) => stores[mirror].differences);
  log(outcome === 'equal' || outcome === 'under_way' ? 'INFO' : 'WARNING', `[PROOF] ${outcome}`, {
    event: 'proof',
    outcome,
    because,
    members,
    unreadable,
    runs: healed,
    code: errorCode,
    ...differences,
  });
  const ageSeconds =
    unprovedSince === null ? 0 : Math.floor((at.getTime() - unprovedSince.getTime()) / 1_000);
  if (because === 'no_companion_app' || ageSeconds < UNPROVED_SECONDS) return;
  log('ERROR', `[PROOF] not proved for ${counted(Math.floor(ageSeconds / 60), 'minute')}: ${outcome}`, {
    event: 'ops_concern',
    code: 'not_proved',
    ageSeconds,
  });
};
