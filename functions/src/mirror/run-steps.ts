import { asSyncError, SyncError, stackFrames } from '../lib/errors.ts';
import type { Fetching } from './early-fetch.ts';
import { judgePlan } from './guard.ts';
import type { Mirror, MirrorSource, RunContext } from './mirror.ts';
import type { RunDependencies, RunRequest } from './run.ts';
import type { RunLogs } from './run-logs.ts';
import { closeFailed, closeSkipped, withPlan, withSource } from './run-record.ts';
import type { Lease } from './run-store.ts';
import type { MirrorPlan, RunRecord, RunReport } from './types.ts';

/** One run on its way through the steps. */
export interface Run<Source extends MirrorSource, Plan extends MirrorPlan> {
  readonly mirror: Mirror<Source, Plan>;
  readonly request: RunRequest;
  readonly dependencies: RunDependencies;
  readonly logs: RunLogs;
  readonly opened: RunRecord;
}

/** The record so far. A failure closes whatever is known at that moment. */
export interface Progress {
  record: RunRecord;
}

export const fetchSource = async <S extends MirrorSource, P extends MirrorPlan>(
  { mirror, dependencies, logs }: Run<S, P>,
  progress: Progress,
  context: RunContext,
  early: Fetching<S> | null = null,
): Promise<S> => {
  const { source: fetched, since } = early ?? { source: mirror.fetch(context), since: dependencies.now() };
  const source = await fetched;
  logs.received(source.received, dependencies.now().getTime() - since.getTime());
  for (const warning of source.warnings) logs.warning(warning.code, warning.message);
  progress.record = withSource(progress.record, source);
  return source;
};

export const makePlan = async <S extends MirrorSource, P extends MirrorPlan>(
  { mirror, dependencies, logs }: Run<S, P>,
  progress: Progress,
  source: S,
  context: RunContext,
) => {
  const plan = await mirror.plan(source, context);
  const verdict = judgePlan(plan.figures, dependencies.limits);
  logs.planned(plan.planId, plan.changes);
  for (const warning of plan.warnings) logs.warning(warning.code, warning.message);
  progress.record = withPlan(progress.record, plan, verdict);
  return { plan, verdict };
};

export const applyPlan = async <S extends MirrorSource, P extends MirrorPlan>(
  { mirror, request, dependencies, logs }: Run<S, P>,
  progress: Progress,
  lease: Lease,
  plan: P,
  source: S,
  context: RunContext,
) => {
  if (!isDifferent(plan)) return mirror.confirm(plan, source, context);
  // The lease is checked in the same write: past this line no other run of this mirror can be under way.
  await dependencies.runs.recordPlan(lease, progress.record, {
    added: plan.added,
    removed: plan.removed,
    ...(plan.letThrough !== undefined && { letThrough: plan.letThrough }),
    ...(request.rollback !== undefined && { pause: request.rollback.pause }),
  });
  const facts = await mirror.apply(plan, source, context);
  logs.applied(facts.memberCount ?? plan.memberCount, facts.objectGeneration);
  if (facts.missedEvents !== undefined) logs.missed(facts.missedEvents);
  return facts;
};

/**
 * The report of a run that ended with `cause`; logs it once. A pause, and an approval of a plan that is none any more, are
 * no failures of the mirror: nothing was changed. Never throws.
 */
export const fail = <S extends MirrorSource, P extends MirrorPlan>(
  { dependencies, logs }: Run<S, P>,
  progress: Progress,
  cause: unknown,
): RunReport => {
  const failure = asSyncError(cause);
  if (failure.code === 'paused' || failure.code === 'plan_changed') {
    logs.skipped(failure.message, failure.code);
    return { record: closeSkipped(progress.record, failure, dependencies.now()), forecast: null };
  }
  const record = closeFailed(progress.record, failure, dependencies.now());
  logs.failed(failure, stackFrames(failure), record.duration_ms ?? 0);
  return { record, forecast: null };
};

/** Whether applying the plan would write anything but its record. */
export const isDifferent = (plan: MirrorPlan): boolean =>
  plan.rewrite || plan.changes.added + plan.changes.removed + plan.changes.updated > 0;

/** Throws `deadline_exceeded` once the run's time is up. */
export const assertInTime = (signal: AbortSignal): void => {
  if (signal.aborted) {
    throw new SyncError(
      'deadline_exceeded',
      'The run reached its time limit before anything was written. It will be tried again.',
    );
  }
};

/** Runs `work` with a signal that is aborted after `milliseconds`; leaves no timer behind. */
export const withDeadline = async <T>(
  milliseconds: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), milliseconds);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
  }
};
