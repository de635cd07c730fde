import type { Kennitala } from '../domain/kennitala.ts';
import type { SyncError } from '../lib/errors.ts';
import type { LogSink } from '../lib/log.ts';
import type { CollectedMembers } from './collect-members.ts';
import type { RegisterPlan, RegisterSource } from './plan-register.ts';
import type { ReferTo, SyncLogCounts, SyncLogDetails } from './ports.ts';

/** The messages of the register besides those of a run. */
export const makeRegisterLogs = (sink: LogSink) => ({
  logRowLost: (runId: string, failure: SyncError) =>
    sink('ERROR', `[REGISTER] The failed run's row in sync_log could not be written: ${failure.code}`, {
      event: 'register_log_lost',
      runId,
      code: failure.code,
      detail: failure.message,
    }),
  databaseRetry: (attempt: number, failure: SyncError) =>
    sink('WARNING', `[REGISTER] Attempt ${attempt} of a transaction failed: ${failure.code}`, {
      event: 'database_retry',
      attempt,
      code: failure.code,
      ...failure.details,
    }),
  notConfigured: () =>
    sink('NOTICE', '[REGISTER] There is no database in the settings, so nothing was done', {
      event: 'register_not_configured',
    }),
  afterwardsFailed: (failure: SyncError) =>
    sink('ERROR', `[REGISTER] Notifications or old rows were not dealt with: ${failure.code}`, {
      event: 'register_afterwards_failed',
      code: failure.code,
      detail: failure.message,
    }),
  eventApplied: (member: string, action: string, result: string) =>
    sink('INFO', `[REGISTER] Event ${action}: ${result}`, {
      event: 'register_event',
      member,
      action,
      result,
    }),
  notified: (subscriber: string, messageId: string, attempts: number) =>
    sink('INFO', `[REGISTER] Notified ${subscriber}`, { event: 'notified', subscriber, messageId, attempts }),
  notNotified: (subscriber: string, messageId: string, attempts: number, why: string, isLast: boolean) =>
    sink(
      isLast ? 'ERROR' : 'WARNING',
      isLast
        ? `[REGISTER] ${subscriber} was not notified after ${attempts} attempts: ${why}`
        : `[REGISTER] ${subscriber} was not notified: ${why}; tried again later`,
      {
        event: isLast ? 'notification_failed' : 'notification_retry',
        subscriber,
        messageId,
        attempts,
        code: why,
      },
    ),
});

export type RegisterLogs = ReturnType<typeof makeRegisterLogs>;

/** Enough to look at; the count says how many there are. */
const LISTED = 100;
const SAMPLES = 5;

export interface PlanSamples {
  readonly added: readonly string[];
  readonly reactivated: readonly string[];
  readonly updated: readonly string[];
  readonly removed: readonly string[];
}

/** A few members of each kind, by opaque reference. */
export const samplesOf = (plan: RegisterPlan, referTo: ReferTo): PlanSamples => {
  const some = (members: readonly Kennitala[]) => members.slice(0, SAMPLES).map(referTo);
  return {
    added: some(plan.inserted),
    reactivated: some(plan.reactivated),
    updated: some(plan.updated),
    removed: some(plan.removed),
  };
};

export const countsOf = ({ changes }: Pick<RegisterPlan, 'changes'>): SyncLogCounts => ({
  added: changes.added,
  removed: changes.removed,
  verified: changes.unchanged,
  errors: changes.quarantined,
});

/** The `details` of a run's row in `sync_log`: counts, the plan, and who was left out, by reference and reason. */
export const detailsOf = (
  source: RegisterSource,
  plan: RegisterPlan | null,
  referTo: ReferTo,
): SyncLogDetails => ({
  findings: source.findings,
  ...leftOut(source.collected, referTo),
  ...(plan !== null && {
    planId: plan.planId,
    updated: plan.changes.updated,
    reactivated: plan.reactivated.length,
    active: plan.memberCount,
  }),
});

const leftOut = ({ unreadable, adjusted }: CollectedMembers, referTo: ReferTo): SyncLogDetails => ({
  ...(unreadable.length > 0 && {
    unreadable: unreadable.slice(0, LISTED).map(({ kennitala, position, reason }) => ({
      member: kennitala === null ? null : referTo(kennitala),
      position,
      reason,
    })),
  }),
  ...(adjusted.length > 0 && {
    adjusted: adjusted.slice(0, LISTED).map(({ kennitala, adjustments }) => ({
      member: referTo(kennitala),
      reasons: adjustments,
    })),
  }),
});
