import { MIRRORS, type MirrorName, type MissedEvents, type RunRecord } from '../mirror/mirror.ts';
import type { ProofRecord, ProofStore } from '../proof/digest-ports.ts';
import type { VerifiedStore } from '../proof/ports.ts';
import { UNPROVED_SECONDS } from '../proof/prove.ts';
import { judgeAgreement, makeFindings } from './findings.ts';
import type { Concern, ConcernCode, OpsLogs } from './ops-logs.ts';
import type {
  HintFigures,
  LiveCounts,
  MirrorState,
  MirrorStates,
  RunHistory,
  TwoWayFigures,
  TwoWayReader,
} from './ports.ts';
import { sweepStatus } from './schemas/status.ts';
import type { HealthReason, MirrorStatus, ProofAnswer, StatusAnswer, TwoWayReason } from './schemas.ts';

const DAY_MS = 24 * 3_600_000;
/** A change that waits so long has failed many attempts. */
const QUEUE_STUCK_MS = 3_600_000;

export interface StatusDependencies {
  readonly states: Pick<MirrorStates, 'read'>;
  readonly history: Pick<RunHistory, 'missedSince' | 'read'>;
  readonly counts: LiveCounts;
  readonly hints: HintFigures;
  readonly twoWay: Pick<TwoWayReader, 'figures'>;
  readonly proofs: Pick<ProofStore, 'read'>;
  readonly verified: Pick<VerifiedStore, 'read'>;
  readonly isConfigured: (mirror: MirrorName) => boolean;
  readonly now: () => Date;
}

/** Everything that an operator wants to know first. Throws `store_unavailable`: a guess would be worse than nothing. */
export const readStatus = async (dependencies: StatusDependencies): Promise<StatusAnswer> => {
  const { states, history, counts, hints, twoWay: reader, isConfigured, now } = dependencies;
  const at = now();
  const [state, proved, walked, figures, unconfirmed, missed] = await Promise.all([
    states.read(),
    dependencies.proofs.read(),
    dependencies.verified.read(),
    reader.figures(),
    hints.unconfirmed(),
    history.missedSince(new Date(at.getTime() - 30 * DAY_MS)),
  ]);
  const aheadOfRegistry = await countAhead(state.portal.lastSuccess?.runId ?? null, history);
  const seen = { aheadOfRegistry, oldestHintAt: unconfirmed.oldestAt };
  const registry = newestRegistry(state);
  const mirrors = await Promise.all(
    MIRRORS.map(async (mirror) => {
      const isLive = mirror === 'portal' && isConfigured(mirror) && state.portal.members !== null;
      const members = isLive ? await counts.portal() : state[mirror].members;
      const judged = judgeMirror(
        mirror,
        { ...state[mirror], members },
        isConfigured(mirror),
        at,
        mirror === 'portal' ? seen : null,
      );
      const countedAt = isLive ? at : (state[mirror].lastSuccess?.at ?? null);
      const { eventsSince } = counts;
      const counter = registry === null ? null : state[registry.mirror].lastRun;
      const agreement = await judgeAgreement({
        status: judged,
        registry,
        isRegistryInDoubt: counter?.outcome === 'blocked' && counter.runId === registry?.runId,
        countedAt,
        now: at,
        eventsSince,
      });
      return { ...judged, agreement };
    }),
  );
  const twoWay = judgeTwoWay(figures, at);
  const portal = {
    aheadOfRegistry,
    unconfirmedHints: unconfirmed.count,
    oldestUnconfirmedHintAt: unconfirmed.oldestAt?.toISOString() ?? null,
  };
  const proof = proved === null ? null : toProofAnswer(proved);
  const verified = walked === null ? null : { ...walked, at: walked.at.toISOString() };
  const findings = makeFindings({
    proof,
    verified,
    portal,
    at: at.toISOString(),
    mirrors,
    twoWay,
    registry,
    blocked: await readBlocked(mirrors, history),
  });
  const weekAgo = new Date(at.getTime() - 7 * DAY_MS);
  return {
    at: at.toISOString(),
    healthy: findings.length === 0,
    findings,
    registry,
    mirrors,
    proof,
    verified,
    twoWay,
    portal,
    missedEvents: {
      last7Days: sumOfMissed(missed.filter((found) => found.at >= weekAgo).map((found) => found.missed)),
      last30Days: sumOfMissed(missed.map((found) => found.missed)),
    },
  };
};

export const toProofAnswer = ({ at, provedAt, unprovedSince, ...facts }: ProofRecord): ProofAnswer => {
  const { outcome, because, members, unreadable, stores, errorCode } = facts;
  return {
    at: at.toISOString(),
    outcome,
    because,
    provedAt: provedAt?.toISOString() ?? null,
    unprovedSince: unprovedSince?.toISOString() ?? null,
    members,
    unreadable,
    stores,
    errorCode,
  };
};

/** The registry as the newest run of any mirror that planned has counted it: no status asks the registry itself. */
const newestRegistry = (state: Readonly<Record<MirrorName, MirrorState>>): StatusAnswer['registry'] => {
  const known = MIRRORS.flatMap((mirror) => {
    const { registry } = state[mirror];
    return registry === null ? [] : [{ ...registry, mirror }];
  }).toSorted((one, other) => other.at.getTime() - one.at.getTime());
  const [newest] = known;
  return newest === undefined ? null : { ...newest, at: newest.at.toISOString() };
};

const readBlocked = async (
  mirrors: readonly Pick<MirrorStatus, 'mirror' | 'lastRun'>[],
  history: Pick<RunHistory, 'read'>,
): Promise<Map<MirrorName, RunRecord>> => {
  const records = await Promise.all(
    mirrors
      .filter(({ lastRun }) => lastRun?.outcome === 'blocked')
      .map(async ({ mirror, lastRun }) => [mirror, await history.read(lastRun?.runId ?? '')] as const),
  );
  return new Map(records.flatMap(([mirror, record]) => (record === null ? [] : [[mirror, record] as const])));
};

/** As the last reconcile that ended well counted them; 0 where none has ended. */
const countAhead = async (runId: string | null, { read }: Pick<RunHistory, 'read'>): Promise<number> => {
  const ahead = runId === null ? null : (await read(runId))?.findings?.['ahead'];
  return typeof ahead === 'number' ? ahead : 0;
};

const judgeTwoWay = (figures: TwoWayFigures, now: Date): StatusAnswer['twoWay'] => {
  const why: TwoWayReason[] = [];
  if (figures.deadLetters > 0) why.push('dead_letters_waiting');
  if (figures.openConflicts > 0) why.push('conflicts_waiting');
  const { oldestPendingAt } = figures;
  if (oldestPendingAt !== null && now.getTime() - oldestPendingAt.getTime() > QUEUE_STUCK_MS) {
    why.push('queue_stuck');
  }
  if (figures.lastSweep !== null && !SWEEP_WENT_WELL.has(figures.lastSweep.status)) {
    why.push('last_sweep_failed');
  }
  return {
    healthy: why.length === 0,
    why,
    pending: figures.pending,
    oldestPendingAt: oldestPendingAt?.toISOString() ?? null,
    deadLetters: figures.deadLetters,
    oldestDeadLetterAt: figures.oldestDeadLetterAt?.toISOString() ?? null,
    openConflicts: figures.openConflicts,
    oldestOpenConflictAt: figures.oldestOpenConflictAt?.toISOString() ?? null,
    lastSweep:
      figures.lastSweep === null
        ? null
        : {
            at: figures.lastSweep.at.toISOString(),
            status: sweepStatus.catch('unknown').parse(figures.lastSweep.status),
          },
  };
};

const SWEEP_WENT_WELL = new Set(['success', 'running']);

const sumOfMissed = (all: readonly MissedEvents[]): MissedEvents => {
  const sum = { created: 0, updated: 0, deleted: 0 };
  for (const { created, updated, deleted } of all) {
    sum.created += created;
    sum.updated += updated;
    sum.deleted += deleted;
  }
  return sum;
};

const HOUR = 3_600;
const DAY = 24 * HOUR;

/** When each mirror runs by itself, and how old its last success may be before somebody must look (the alerts' own limits). */
const SCHEDULES: Readonly<Record<MirrorName, MirrorStatus['schedule']>> = {
  roster: { cron: '0 3 * * 1', timeZone: 'Atlantic/Reykjavik', overdueAfterSeconds: 8 * DAY },
  portal: { cron: '0 4 * * *', timeZone: 'Atlantic/Reykjavik', overdueAfterSeconds: 2 * DAY },
  register: { cron: '0 * * * *', timeZone: 'Atlantic/Reykjavik', overdueAfterSeconds: 3 * HOUR },
};

/** A pause is meant to be short: after a week it may have been forgotten. */
const LONG_PAUSE_SECONDS = 7 * DAY;

/** Two reconciles have ended or should have, and each decides what is older than itself. */
const HINT_OVERDUE_SECONDS = 2 * DAY;

/** What is known of the portal alone. */
interface PortalFindings {
  readonly aheadOfRegistry: number;
  readonly oldestHintAt: Date | null;
}

/** Judges one mirror by its state. Pure. */
export const judgeMirror = (
  mirror: MirrorName,
  state: MirrorState,
  isConfigured: boolean,
  now: Date,
  seen: PortalFindings | null = null,
): Omit<MirrorStatus, 'agreement'> => {
  const schedule = SCHEDULES[mirror];
  const { lastRun, lastSuccess, lease, pause } = state;
  const ageSeconds = lastSuccess === null ? null : secondsBetween(lastSuccess.at, now);
  const isLeaseOver = lease !== null && lease.expiresAt <= now;
  const why: HealthReason[] = [];
  if (isConfigured) {
    if (pause !== null) why.push('paused');
    if (pause !== null && secondsBetween(pause.at, now) > LONG_PAUSE_SECONDS) why.push('paused_too_long');
    if (ageSeconds === null) why.push('never_run');
    else if (ageSeconds > schedule.overdueAfterSeconds) why.push('overdue');
    if (lastRun?.outcome === 'failed') why.push('last_run_failed');
    if (lastRun?.outcome === 'blocked') why.push('last_run_blocked');
    if (lastRun?.outcome === 'partial') why.push('last_run_partial');
    if (isLeaseOver) why.push('run_crashed');
    if (seen !== null && seen.aheadOfRegistry > 0) why.push('ahead_of_registry');
    if (seen?.oldestHintAt != null && secondsBetween(seen.oldestHintAt, now) > HINT_OVERDUE_SECONDS) {
      why.push('hints_unconfirmed');
    }
  }
  return {
    mirror,
    healthy: isConfigured ? why.length === 0 : null,
    why,
    members: state.members,
    lastRun: lastRun === null ? null : { ...lastRun, at: lastRun.at.toISOString() },
    lastSuccess: lastSuccess === null ? null : { ...lastSuccess, at: lastSuccess.at.toISOString() },
    ageSeconds,
    schedule,
    running:
      lease === null || isLeaseOver
        ? null
        : {
            runId: lease.runId,
            leaseExpiresAt: lease.expiresAt.toISOString(),
            step: lease.isWriting ? 'writing' : 'reading',
          },
    paused: pause === null ? null : toWirePause(pause),
  };
};

export const toWirePause = ({ reason, by, at }: { reason: string; by: string; at: Date }) => ({
  reason,
  by,
  since: at.toISOString(),
});

const secondsBetween = (from: Date, to: Date): number =>
  Math.max(0, Math.floor((to.getTime() - from.getTime()) / 1_000));

const DAY_SECONDS = 24 * 3_600;

/** Looks at everything once and logs each concern, for the alert policies to find. Throws what `readStatus` throws. */
export const reportConcerns = async (
  readStatus: () => Promise<StatusAnswer>,
  logs: OpsLogs,
): Promise<void> => {
  const concerns = findConcerns(await readStatus());
  for (const concern of concerns) logs.concern(concern);
  logs.watched(concerns.length);
};

/** Pure. */
export const findConcerns = ({ at, mirrors, portal, proof, twoWay }: StatusAnswer): Concern[] => {
  const ageOf = (time: string | null): number =>
    time === null ? 0 : Math.floor((Date.parse(at) - Date.parse(time)) / 1_000);
  const concerns: Concern[] = [];
  for (const { mirror, why, ageSeconds, paused } of mirrors) {
    if (why.includes('overdue')) concerns.push({ code: 'mirror_overdue', mirror, ageSeconds });
    if (why.includes('ahead_of_registry')) {
      concerns.push({ code: 'ahead_of_registry', mirror, count: portal.aheadOfRegistry });
    }
    if (why.includes('hints_unconfirmed')) {
      const ageSeconds = ageOf(portal.oldestUnconfirmedHintAt);
      concerns.push({ code: 'hints_unconfirmed', mirror, count: portal.unconfirmedHints, ageSeconds });
    }
    if (why.includes('run_crashed')) concerns.push({ code: 'run_crashed', mirror });
    if (why.includes('paused_too_long')) {
      concerns.push({ code: 'mirror_paused_too_long', mirror, ageSeconds: ageOf(paused?.since ?? null) });
    }
  }
  // A proof that found no equality has said so itself; one that was not made says nothing.
  const proofAge = ageOf(proof?.at ?? null);
  if (proofAge >= UNPROVED_SECONDS) concerns.push({ code: 'not_proved', ageSeconds: proofAge });
  const waiting = (code: ConcernCode, count: number, oldest: string | null): void => {
    const ageSeconds = ageOf(oldest);
    if (ageSeconds > DAY_SECONDS) concerns.push({ code, count, ageSeconds });
  };
  waiting('dead_letters_old', twoWay.deadLetters, twoWay.oldestDeadLetterAt);
  waiting('conflicts_old', twoWay.openConflicts, twoWay.oldestOpenConflictAt);
  waiting('queue_stuck', twoWay.pending, twoWay.oldestPendingAt);
  return concerns;
};
