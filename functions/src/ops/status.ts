import type { MirrorName, MissedEvents } from '../mirror/types.ts';
import { judgeMirror } from './mirror-health.ts';
import type { HintFigures, MirrorStates, RunHistory, TwoWayFigures, TwoWayReader } from './ports.ts';
import { sweepStatus } from './schemas/mirrors.ts';
import type { StatusAnswer, TwoWayReason } from './schemas.ts';

export const MIRRORS: readonly MirrorName[] = ['roster', 'portal', 'register'];

const DAY_MS = 24 * 3_600_000;
/** A change that waits so long has failed many attempts. */
const QUEUE_STUCK_MS = 3_600_000;

export interface StatusDependencies {
  readonly states: Pick<MirrorStates, 'read'>;
  readonly history: Pick<RunHistory, 'missedSince' | 'read'>;
  readonly hints: HintFigures;
  readonly twoWay: Pick<TwoWayReader, 'figures'>;
  readonly isConfigured: (mirror: MirrorName) => boolean;
  readonly now: () => Date;
}

/** Everything that an operator wants to know first. Throws `store_unavailable`: a guess would be worse than nothing. */
export const readStatus = async (dependencies: StatusDependencies): Promise<StatusAnswer> => {
  const { states, history, hints, twoWay: reader, isConfigured, now } = dependencies;
  const at = now();
  const [state, figures, unconfirmed, missed] = await Promise.all([
    states.read(),
    reader.figures(),
    hints.unconfirmed(),
    history.missedSince(new Date(at.getTime() - 30 * DAY_MS)),
  ]);
  const aheadOfRegistry = await countAhead(state.portal.lastSuccess?.runId ?? null, history);
  const seen = { aheadOfRegistry, oldestHintAt: unconfirmed.oldestAt };
  const mirrors = MIRRORS.map((mirror) =>
    judgeMirror(mirror, state[mirror], isConfigured(mirror), at, mirror === 'portal' ? seen : null),
  );
  const twoWay = judgeTwoWay(figures, at);
  const weekAgo = new Date(at.getTime() - 7 * DAY_MS);
  return {
    at: at.toISOString(),
    healthy: twoWay.healthy && mirrors.every(({ healthy }) => healthy !== false),
    mirrors,
    twoWay,
    portal: {
      aheadOfRegistry,
      unconfirmedHints: unconfirmed.count,
      oldestUnconfirmedHintAt: unconfirmed.oldestAt?.toISOString() ?? null,
    },
    missedEvents: {
      last7Days: sumOf(missed.filter((found) => found.at >= weekAgo).map((found) => found.missed)),
      last30Days: sumOf(missed.map((found) => found.missed)),
    },
  };
};

/** By the last reconcile that ended well; none has found any where none has ended. */
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

export const sumOf = (all: readonly MissedEvents[]): MissedEvents => {
  const sum = { created: 0, updated: 0, deleted: 0 };
  for (const { created, updated, deleted } of all) {
    sum.created += created;
    sum.updated += updated;
    sum.deleted += deleted;
  }
  return sum;
};
