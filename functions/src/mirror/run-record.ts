import { asSyncError, SyncError, stackFrames } from '../lib/errors.ts';
import { explainVerdict, type GuardVerdict } from './guard.ts';
import {
  type AppliedFacts,
  type Approval,
  type MirrorName,
  type MirrorPlan,
  type MirrorSource,
  pausedError,
  type RunOutcome,
  type RunRecord,
  type RunTrigger,
} from './mirror.ts';
import type { Begun } from './run-store.ts';

const RECORD_KEPT_MONTHS = 12;

export interface RunStart {
  readonly runId: string;
  readonly mirror: MirrorName;
  readonly trigger: RunTrigger;
  readonly startedAt: Date;
  readonly approve: Approval | null;
  readonly requestedBy: string | null;
  readonly rollbackOf?: string | undefined;
  /** Why it was asked for, where no approval says so. */
  readonly reason?: string | undefined;
}

/** The record as it is opened: everything that is known before the registry is asked. */
export const openRecord = (start: RunStart): RunRecord => ({
  runId: start.runId,
  mirror: start.mirror,
  trigger: start.trigger,
  status: 'running',
  outcome: null,
  source: 'django-api',
  timestamp: start.startedAt,
  duration_ms: null,
  memberCount: null,
  djangoExportedAt: null,
  changes: null,
  missedEvents: null,
  overtaken: null,
  unfinished: null,
  findings: null,
  planId: null,
  guard: null,
  objectGeneration: null,
  previousGeneration: null,
  sha256: null,
  warnings: [],
  error: null,
  errorCode: null,
  errorStack: null,
  requestedBy: start.requestedBy,
  approvedBy: start.approve?.operator ?? null,
  reason: start.approve?.reason ?? start.reason ?? null,
  ...(start.rollbackOf !== undefined && { rollbackOf: start.rollbackOf }),
  expireAt: monthsAfter(start.startedAt, RECORD_KEPT_MONTHS),
});

export const withSource = (record: RunRecord, source: MirrorSource): RunRecord => ({
  ...record,
  djangoExportedAt: source.exportedAt,
  findings: source.findings,
  warnings: source.warnings,
});

export const withPlan = (record: RunRecord, plan: MirrorPlan, guard: GuardVerdict): RunRecord => ({
  ...record,
  memberCount: plan.memberCount,
  changes: plan.changes,
  missedEvents: plan.missedEvents ?? null,
  planId: plan.planId,
  guard,
  previousGeneration: plan.facts.previousGeneration ?? null,
  sha256: plan.facts.sha256 ?? null,
  warnings: [
    ...record.warnings.filter(({ code }) => plan.warnings.every((w) => w.code !== code)),
    ...plan.warnings,
  ],
});

export const closeSuccess = (
  record: RunRecord,
  outcome: Exclude<RunOutcome, 'failed' | 'blocked' | 'partial' | 'skipped'>,
  facts: AppliedFacts,
  endedAt: Date,
): RunRecord => ({
  ...withFacts(record, facts),
  status: 'success',
  outcome,
  duration_ms: endedAt.getTime() - record.timestamp.getTime(),
});

/** Not a success: the mirror is not equal to the registry yet, and the run should be started again. */
export const closePartial = (record: RunRecord, facts: AppliedFacts, endedAt: Date): RunRecord => ({
  ...closeFailed(
    withFacts(record, facts),
    facts.hasMoved === true
      ? new SyncError(
          'load_moved',
          'The registry changed while its plan was applied over several runs. What was written stands; the next run ' +
            'compares everything again, and the guard judges what it finds.',
        )
      : new SyncError(
          'deadline_exceeded',
          'The time was up before everything was written. What was written stands; the next run goes on' +
            `${facts.cursor === undefined ? '' : ' from there, with this plan'}.`,
        ),
    endedAt,
  ),
  outcome: 'partial',
  unfinished: facts.unfinished ?? null,
});

export const closeBlocked = (record: RunRecord, verdict: GuardVerdict, endedAt: Date): RunRecord => ({
  ...record,
  status: 'error',
  outcome: 'blocked',
  errorCode: 'guard_tripped',
  error: `The guard refused the plan: ${explainVerdict(verdict)}. Nothing was changed.`,
  duration_ms: endedAt.getTime() - record.timestamp.getTime(),
});

export const closeSkipped = (record: RunRecord, why: SyncError, endedAt: Date): RunRecord => ({
  ...record,
  status: 'success',
  outcome: 'skipped',
  errorCode: why.code,
  error: why.message,
  duration_ms: endedAt.getTime() - record.timestamp.getTime(),
});

export const closeFailed = (record: RunRecord, cause: unknown, endedAt: Date): RunRecord => {
  const failure = asSyncError(cause);
  return {
    ...record,
    status: 'error',
    outcome: 'failed',
    errorCode: failure.code,
    error: failure.message,
    errorStack: stackFrames(failure),
    duration_ms: endedAt.getTime() - record.timestamp.getTime(),
  };
};

const withFacts = (record: RunRecord, facts: AppliedFacts): RunRecord => ({
  ...record,
  memberCount: facts.memberCount ?? record.memberCount,
  missedEvents: facts.missedEvents ?? record.missedEvents,
  overtaken: facts.overtaken ?? record.overtaken,
  objectGeneration: facts.objectGeneration ?? record.objectGeneration,
  sha256: facts.sha256 ?? record.sha256,
});

const monthsAfter = (from: Date, months: number): Date => {
  const to = new Date(from);
  to.setUTCMonth(to.getUTCMonth() + months);
  return to;
};

export const whySkipped = (begun: Exclude<Begun, { kind: 'begun' }>): SyncError => {
  switch (begun.kind) {
    case 'held':
      return new SyncError(
        'lease_held',
        `Run ${begun.owner} is under way; it keeps the lease until ${begun.expiresAt.toISOString()} at the latest.`,
      );
    case 'already-done':
      return new SyncError('already_done', `This scheduled run has been done by run ${begun.runId}.`);
    case 'paused':
      return pausedError(begun.pause.at);
    default: {
      const never: never = begun;
      return never;
    }
  }
};
