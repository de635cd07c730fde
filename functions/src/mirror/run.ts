import { asSyncError, type ErrorCode, isSyncError, SyncError, stackFrames } from '../lib/errors.ts';
import type { LogSink } from '../lib/log.ts';
import { assertMayApprove, type GuardLimits, judgePlan } from './guard.ts';
import {
  type Approval,
  type Cursor,
  isDifferent,
  type Mirror,
  type MirrorPlan,
  type MirrorSource,
  type Pause,
  type RunContext,
  type RunRecord,
  type RunReport,
  type RunTrigger,
} from './mirror.ts';
import { type Fetching, makeOverlappedFetch } from './overlapped-fetch.ts';
import { makeRunLogs, type RunLogs } from './run-logs.ts';
import {
  closeBlocked,
  closeFailed,
  closePartial,
  closeSkipped,
  closeSuccess,
  openRecord,
  whySkipped,
  withPlan,
  withSource,
} from './run-record.ts';
import type { Begun, Lease, PreviousRuns, RunStore, ScheduledOccurrence } from './run-store.ts';

export interface RunDependencies {
  readonly runs: RunStore;
  readonly limits: GuardLimits;
  /** Whether a plan may be approved only by somebody else than whoever first had it made. */
  readonly needsSecondPerson: boolean;
  readonly log: LogSink;
  readonly now: () => Date;
  /** Unique for every run, sorts by time; part of file metadata and log entries, so it says nothing of members. */
  readonly makeRunId: (startedAt: Date) => string;
  /** How long a run may work. Below the function's own limit, so that the record is closed by us. */
  readonly runLimitMs: number;
  /** How long a crashed run keeps others out. Above the function's limit: a live run never loses its lease. */
  readonly leaseMs: number;
}

export interface RunRequest {
  readonly trigger: RunTrigger;
  readonly dryRun?: boolean | undefined;
  readonly approve?: Approval | undefined;
  readonly occurrence?: ScheduledOccurrence;
  /** The proved identity of who asked: a Firebase user id or a service account. */
  readonly requestedBy?: string;
  /** Set when an earlier version is brought back: which one, and the pause that keeps it. */
  readonly rollback?: { readonly of: string; readonly pause: Pause };
}

/**
 * One run of one mirror: lease → fetch → validate → plan → guard → apply → record.
 *
 *     begin ──held / already done / paused──▶ skipped
 *       │ lease taken, record open ("running")
 *       ▼
 *     fetch ─▶ plan ─▶ guard ──tripped, no approval──▶ blocked
 *               ▲        │ passes, or this very plan is approved
 *               │        ├──no difference──▶ confirm ─▶ unchanged
 *     once, when another │
 *     writer came between▼                 ┌──▶ published
 *               └───── recordPlan ─▶ apply ┴──time is up, half written──▶ partial
 *
 * A paused mirror takes only what an operator has decided about that very run: an approved plan, or a rollback. A pause
 * that comes while a run works still stops it before it applies anything.
 *
 * An approval that names another plan, or by whom it may not be given, ends in `skipped` too: it says nothing of the mirror.
 *
 * Anything thrown on the way ends in `failed` with its code. A crash leaves the record "running" and the lease to
 * expire; the next run closes it as `failed` / `abandoned`. A dry run takes no lease and stops after the guard.
 *
 * Returns the closed record whatever the outcome; a failure is an outcome, not an exception. Throws `audit_unavailable`, or
 * `secret_unavailable` without a key for its chain, when the record cannot be opened (then nothing was written, and what
 * the registry was asked meanwhile is forgotten) or closed (then what was done stands, and the open record is the
 * evidence).
 */
export const runMirror = async <Source extends MirrorSource, Plan extends MirrorPlan>(
  mirror: Mirror<Source, Plan>,
  request: RunRequest,
  dependencies: RunDependencies,
): Promise<RunReport> => {
  const startedAt = dependencies.now();
  const runId = dependencies.makeRunId(startedAt);
  const logs = makeRunLogs(dependencies.log, {
    mirror: mirror.name,
    title: mirror.title,
    sourceName: mirror.sourceName,
    runId,
  });
  const opened = openRecord({
    runId,
    mirror: mirror.name,
    trigger: request.trigger,
    startedAt,
    approve: request.approve ?? null,
    requestedBy: request.requestedBy ?? null,
    rollbackOf: request.rollback?.of,
    ...(request.dryRun !== true && { reason: request.rollback?.pause.reason }),
  });
  logs.starting(request.trigger, request.dryRun === true);
  const run = { mirror, request, dependencies, logs, opened };
  return request.dryRun === true ? dryRun(run) : fullRun(run);
};

const fullRun = <S extends MirrorSource, P extends MirrorPlan>(run: Run<S, P>): Promise<RunReport> =>
  withDeadline(run.dependencies.runLimitMs, async (signal) => {
    const { mirror, opened, logs } = run;
    const early = makeOverlappedFetch(mirror, { now: run.dependencies.now, signal });
    const facts = { runId: opened.runId, startedAt: opened.timestamp, mayPresume: !isDecided(run.request) };
    const begun = await begin(run, (found) => early.start({ ...facts, ...found })).catch(async (cause) => {
      await early.cancel();
      throw cause;
    });
    if (begun.kind !== 'begun') {
      await early.cancel();
      return skip(run, begun);
    }
    const { kind, lease, ...found } = begun;
    if (found.abandonedRunId !== null) logs.recovered(found.abandonedRunId);

    const progress: Progress = { record: opened };
    let report: RunReport;
    try {
      const context = { ...facts, ...found, ...resumeOf(run, lease, found), signal };
      report = await work(run, progress, lease, context, early.take());
    } catch (cause) {
      report = fail(run, progress, cause);
    } finally {
      await mirror.close?.();
    }
    await close(run, lease, report.record, progress.cursor);
    return report;
  });

/** An operator has looked at a plan and decided about it. */
const isDecided = ({ approve, rollback }: RunRequest): boolean =>
  approve !== undefined || rollback !== undefined;

/** An approval is of a plan that is made now, and so is a rollback. */
const resumeOf = <S extends MirrorSource, P extends MirrorPlan>(
  { request, dependencies: { runs, limits } }: Run<S, P>,
  lease: Lease,
  { cursor }: PreviousRuns,
): Pick<RunContext, 'resume'> => ({
  resume: {
    cursor: isDecided(request) ? null : cursor,
    keep: (...kept) => runs.keepCursor(lease, ...kept),
    judge: (figures) => judgePlan(figures, limits),
  },
});

const begin = <S extends MirrorSource, P extends MirrorPlan>(
  { dependencies, request, opened }: Run<S, P>,
  whenFree: (found: PreviousRuns) => void,
): Promise<Begun> =>
  dependencies.runs.begin({
    record: opened,
    leaseExpiresAt: new Date(opened.timestamp.getTime() + dependencies.leaseMs),
    occurrence: request.occurrence ?? null,
    passesPause: isDecided(request),
    whenFree,
  });

const work = async <S extends MirrorSource, P extends MirrorPlan>(
  run: Run<S, P>,
  progress: Progress,
  lease: Lease,
  context: RunContext,
  early: Fetching<S> | null,
): Promise<RunReport> => {
  const { dependencies, logs, request } = run;
  const source = await fetchSource(run, progress, context, early);
  for (let attempt = 1; ; attempt += 1) {
    const { plan, verdict } = await makePlan(run, progress, source, context);
    if (request.approve !== undefined && request.approve.planId !== plan.planId) {
      throw new SyncError(
        'plan_changed',
        'The approved plan is no longer what would happen: the registry or the mirror has changed since. ' +
          'Make a new dry run, look at it, and approve its plan id.',
      );
    }
    if (request.approve !== undefined && dependencies.needsSecondPerson)
      assertMayApprove(request.requestedBy, await dependencies.runs.readPlanners(plan.planId));
    if (verdict.tripped) {
      if (request.approve === undefined) {
        logs.blocked(plan.planId, verdict);
        progress.record = await dependencies.runs.keepLists(progress.record, plan);
        const record = closeBlocked(progress.record, verdict, dependencies.now());
        return { record, forecast: plan.forecast };
      }
      logs.approved(plan.planId);
    }
    assertInTime(context.signal);
    try {
      const facts = await applyPlan(run, progress, lease, plan, source, context);
      if (facts.unfinished !== undefined) {
        progress.cursor = facts.cursor ?? null;
        const record = closePartial(progress.record, facts, dependencies.now());
        logs.partial(record);
        return { record, forecast: null };
      }
      const outcome = isDifferent(plan) ? 'published' : 'unchanged';
      const record = closeSuccess(progress.record, outcome, facts, dependencies.now());
      return { record, forecast: null };
    } catch (cause) {
      if (!isSyncError(cause, 'storage_conflict') || attempt > 1) throw cause;
      logs.replanning();
    }
  }
};

const dryRun = async <S extends MirrorSource, P extends MirrorPlan>(run: Run<S, P>): Promise<RunReport> => {
  const { mirror, dependencies, logs, opened } = run;
  const progress: Progress = { record: opened };
  const report = await withDeadline(dependencies.runLimitMs, async (signal): Promise<RunReport> => {
    try {
      const context: RunContext = {
        runId: opened.runId,
        startedAt: opened.timestamp,
        lastSuccess: await dependencies.runs.readLastSuccess(mirror.name),
        unfinished: await dependencies.runs.readUnfinished(mirror.name),
        abandonedRunId: null,
        signal,
      };
      const source = await fetchSource(run, progress, context);
      const { plan, verdict } = await makePlan(run, progress, source, context);
      logs.dryRun(plan.planId, verdict);
      progress.record = await dependencies.runs.keepLists(progress.record, plan);
      const record = closeSuccess(progress.record, 'dry-run', {}, dependencies.now());
      return { record, forecast: plan.forecast };
    } catch (cause) {
      return fail(run, progress, cause);
    } finally {
      await mirror.close?.();
    }
  });
  await dependencies.runs.append(report.record);
  return report;
};

const close = async <S extends MirrorSource, P extends MirrorPlan>(
  { dependencies, request, logs }: Run<S, P>,
  lease: Lease,
  record: RunRecord,
  cursor: Cursor | null | undefined,
): Promise<void> => {
  const done = record.outcome !== 'failed' && record.outcome !== 'partial';
  const isEqualNow = record.outcome === 'published' || record.outcome === 'unchanged';
  try {
    await dependencies.runs.finish({
      lease,
      record,
      occurrenceDone: done ? (request.occurrence ?? null) : null,
      ...(cursor !== undefined && { cursor }),
      ...(isEqualNow && request.rollback !== undefined && { pause: request.rollback.pause }),
    });
  } catch (cause) {
    logs.recordLost(asSyncError(cause));
    throw cause;
  }
  if (record.status === 'success') logs.completed(record);
};

/** Records a run that did not take the lease, and says why. Throws `audit_unavailable`. */
const skip = async <S extends MirrorSource, P extends MirrorPlan>(
  { dependencies, logs, opened }: Run<S, P>,
  begun: Exclude<Begun, { kind: 'begun' }>,
): Promise<RunReport> => {
  const why = whySkipped(begun);
  logs.skipped(why.message, why.code);
  const record = closeSkipped(opened, why, dependencies.now());
  await dependencies.runs.append(record);
  return { record, forecast: null };
};

/** One run on its way through the steps. */
interface Run<Source extends MirrorSource, Plan extends MirrorPlan> {
  readonly mirror: Mirror<Source, Plan>;
  readonly request: RunRequest;
  readonly dependencies: RunDependencies;
  readonly logs: RunLogs;
  readonly opened: RunRecord;
}

/** The record so far. A failure closes whatever is known at that moment. */
interface Progress {
  record: RunRecord;
  /** Set by a run that leaves something for the next one. */
  cursor?: Cursor | null;
}

const fetchSource = async <S extends MirrorSource, P extends MirrorPlan>(
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

const makePlan = async <S extends MirrorSource, P extends MirrorPlan>(
  { mirror, dependencies, logs }: Run<S, P>,
  progress: Progress,
  source: S,
  context: RunContext,
) => {
  const planned = async () => {
    const plan = await mirror.plan(source, context);
    return { plan, verdict: judgePlan(plan.figures, dependencies.limits) };
  };
  const first = await planned();
  // Whoever decides about a refused plan decides by what the mirror really holds.
  const { plan, verdict } = first.verdict.tripped && first.plan.isPresumed ? await planned() : first;
  logs.planned(plan.planId, plan.changes);
  for (const warning of plan.warnings) logs.warning(warning.code, warning.message);
  progress.record = withPlan(progress.record, plan, verdict);
  return { plan, verdict };
};

const applyPlan = async <S extends MirrorSource, P extends MirrorPlan>(
  { mirror, request, dependencies, logs }: Run<S, P>,
  progress: Progress,
  lease: Lease,
  plan: P,
  source: S,
  context: RunContext,
) => {
  const withHead = (): RunContext => ({ ...context, chainHead: dependencies.runs.headOf(lease) });
  if (!isDifferent(plan)) return mirror.confirm(plan, source, withHead());
  // The lease is checked in the same write: past this line no other run of this mirror can be under way.
  progress.record = await dependencies.runs.recordPlan(lease, progress.record, {
    added: plan.added,
    removed: plan.removed,
    ...(plan.letThrough !== undefined && { letThrough: plan.letThrough, cursor: plan.cursor ?? null }),
    ...(request.rollback !== undefined && { pause: request.rollback.pause }),
  });
  const facts = await mirror.apply(plan, source, withHead());
  logs.applied(facts.memberCount ?? plan.memberCount, facts.objectGeneration);
  if (facts.missedEvents !== undefined) logs.missed(facts.missedEvents);
  return facts;
};

/**
 * The report of a run that ended with `cause`; logs it once. A pause, and an approval that does not count, are
 * no failures of the mirror: nothing was changed. Never throws.
 */
const fail = <S extends MirrorSource, P extends MirrorPlan>(
  { dependencies, logs }: Run<S, P>,
  progress: Progress,
  cause: unknown,
): RunReport => {
  const failure = asSyncError(cause);
  if (NO_FAILURES.has(failure.code)) {
    logs.skipped(failure.message, failure.code);
    return { record: closeSkipped(progress.record, failure, dependencies.now()), forecast: null };
  }
  const record = closeFailed(progress.record, failure, dependencies.now());
  logs.failed(failure, stackFrames(failure), record.duration_ms ?? 0);
  return { record, forecast: null };
};

/** What ends a run before anything is changed, and says nothing of the mirror. */
const NO_FAILURES: ReadonlySet<ErrorCode> = new Set(['paused', 'plan_changed', 'second_person_needed']);

/** Throws `deadline_exceeded` once the run's time is up. */
const assertInTime = (signal: AbortSignal): void => {
  if (signal.aborted) {
    throw new SyncError(
      'deadline_exceeded',
      'The run reached its time limit before anything was written. It will be tried again.',
    );
  }
};

/** Runs `work` with a signal that is aborted after `milliseconds`; leaves no timer behind. */
const withDeadline = async <T>(
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
