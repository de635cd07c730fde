import type { MirrorName } from '../mirror/mirror.ts';
import type { MirrorState } from './ports.ts';
import type { HealthReason, MirrorStatus } from './schemas.ts';

const HOUR = 3_600;
const DAY = 24 * HOUR;

/** When each mirror runs by itself, and how old its last success may be before somebody must look (the alerts' own limits). */
export const SCHEDULES: Readonly<Record<MirrorName, MirrorStatus['schedule']>> = {
  roster: { cron: '0 3 * * 1', timeZone: 'Atlantic/Reykjavik', overdueAfterSeconds: 8 * DAY },
  portal: { cron: '0 4 * * *', timeZone: 'Atlantic/Reykjavik', overdueAfterSeconds: 2 * DAY },
  register: { cron: '0 * * * *', timeZone: 'Atlantic/Reykjavik', overdueAfterSeconds: 3 * HOUR },
};

/** A pause is meant to be short: after a week it may have been forgotten. */
export const LONG_PAUSE_SECONDS = 7 * DAY;

/** Two reconciles have ended or should have, and each decides what is older than itself. */
export const HINT_OVERDUE_SECONDS = 2 * DAY;

/** What is known of the portal alone. */
export interface PortalFindings {
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
