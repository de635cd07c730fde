import { SyncError } from '../lib/errors.ts';
import type { Approval, MirrorName, RunRecord, RunReport } from '../mirror/mirror.ts';
import type { RunRequest } from '../mirror/run.ts';
import { answerRun } from '../mirror/run-answer.ts';
import { noVersion, type RestoreDependencies, runRollback } from '../roster/rollback.ts';
import type { RunHistory } from './ports.ts';
import type { Relation, RunAnswer, StartedRun, WireRunRecord } from './schemas.ts';

/** One run of a mirror. Null: this mirror is not configured here. */
export type Runners = Readonly<Record<MirrorName, ((request: RunRequest) => Promise<RunReport>) | null>>;

/** Starts a run of any mirror and waits for its end. Throws `not_found` for one that is not configured. */
export const startRun = async (
  runners: Runners,
  mirror: MirrorName,
  request: RunRequest,
): Promise<StartedRun> => {
  const run = runners[mirror];
  if (run === null) throw new SyncError('not_found', `The ${mirror} is not configured here.`);
  return toRunAnswer(await run(request));
};

/**
 * The approval for the run, once the number of members that the operator typed is that of the plan.
 * Throws `plan_changed` when no run has made such a plan, and `invalid_request` for another number.
 */
export const confirmApproval = async (
  approve: (Approval & { readonly removed?: number | undefined }) | undefined,
  history: Pick<RunHistory, 'byPlan'>,
): Promise<Approval | undefined> => {
  if (approve === undefined) return undefined;
  const { removed = 0, ...approval } = approve;
  const planned = (await history.byPlan(approval.planId)).find(({ changes }) => changes !== null);
  if (planned === undefined) {
    throw new SyncError('plan_changed', 'No run has made the plan that is approved. Make a new dry run.');
  }
  if (planned.changes?.removed !== removed) {
    throw new SyncError(
      'invalid_request',
      'approve.removed: not the number of members that this plan removes. Look at the plan again.',
    );
  }
  return approval;
};

/** The runs that made the same plan, approved it, came after it, or took its list back. Oldest first. */
export const findRelated = async (
  run: RunRecord,
  history: Pick<RunHistory, 'byPlan' | 'replacing' | 'page'>,
): Promise<RunAnswer['related']> => {
  const isPlanOnly = run.outcome === 'blocked' || run.outcome === 'dry-run';
  const [same, onTop, newest] = await Promise.all([
    run.planId === null ? [] : history.byPlan(run.planId),
    run.outcome === 'published' && run.objectGeneration !== null
      ? history.replacing(run.objectGeneration)
      : [],
    isPlanOnly
      ? history.page({ mirror: run.mirror, outcome: 'published', limit: 1 }).then(({ items }) => items)
      : [],
  ]);
  const related = new Map<string, { record: RunRecord; relation: Relation }>();
  for (const record of newest) {
    if (record.timestamp > run.timestamp) related.set(record.runId, { record, relation: 'superseded' });
  }
  for (const record of same) {
    const relation = relationOf(record);
    if (relation !== null) related.set(record.runId, { record, relation });
  }
  for (const record of onTop) {
    if (record.rollbackOf !== undefined && record.outcome === 'published') {
      related.set(record.runId, { record, relation: 'rolled_back' });
    }
  }
  related.delete(run.runId);
  return [...related.values()]
    .toSorted((one, other) => one.record.timestamp.getTime() - other.record.timestamp.getTime())
    .map(({ record, relation }) => ({
      runId: record.runId,
      relation,
      at: record.timestamp.toISOString(),
      by: record.requestedBy,
      typedName: record.approvedBy,
      reason: record.reason,
    }));
};

const relationOf = ({ outcome, approvedBy }: RunRecord): Relation | null => {
  if (outcome === 'blocked') return 'refused';
  if (outcome === 'dry-run') return 'planned';
  if (outcome !== 'published' && outcome !== 'unchanged' && outcome !== 'partial') return null;
  return approvedBy === null ? 'done' : 'approved';
};

/** What an operator asked for and got; otherwise throws the record's code with the record in it. */
export const toRunAnswer = (report: RunReport): StartedRun =>
  answerRun(report, { run: toWireRecord(report.record), forecast: report.forecast });

/** A record as operators get it: times as text; without the stack, which is for the log only. */
export const toWireRecord = (record: RunRecord): WireRunRecord => ({
  runId: record.runId,
  mirror: record.mirror,
  trigger: record.trigger,
  status: record.status,
  outcome: record.outcome,
  timestamp: record.timestamp.toISOString(),
  durationMs: record.duration_ms,
  memberCount: record.memberCount,
  djangoExportedAt: record.djangoExportedAt?.toISOString() ?? null,
  // A record that an earlier version wrote lacks what was added since.
  changes: record.changes ? { ...record.changes } : null,
  missedEvents: record.missedEvents ? { ...record.missedEvents } : null,
  planId: record.planId,
  guard: record.guard
    ? { tripped: record.guard.tripped, findings: record.guard.findings.map((finding) => ({ ...finding })) }
    : null,
  objectGeneration: record.objectGeneration,
  previousGeneration: record.previousGeneration,
  rollbackOf: record.rollbackOf ?? null,
  sha256: record.sha256,
  warnings: record.warnings.map((warning) => ({ ...warning })),
  error: record.error,
  errorCode: record.errorCode,
  requestedBy: record.requestedBy,
  approvedBy: record.approvedBy,
  reason: record.reason,
});

export interface RollbackDependencies extends RestoreDependencies {
  readonly history: Pick<RunHistory, 'read'>;
}

interface RollbackRequest {
  /** One of the two: a version of the list, or the run that published it. */
  readonly generation?: string | undefined;
  readonly runId?: string | undefined;
  readonly reason?: string | undefined;
  readonly dryRun?: boolean | undefined;
  readonly approve?: Approval | undefined;
  /** The proved identity of who asks. */
  readonly by: string;
}

/**
 * Brings an earlier version of the published list back, as a run like any other: lease, plan, guard, approval, record.
 * The pause that keeps the list so is written with the plan, before the list itself: a scheduled run that came between
 * would undo the rollback. It stays even when the publishing then fails, until somebody resumes.
 * Throws `not_found` for a version that is not kept any more, and for a run that is none, or has published nothing.
 */
export const rollBackRoster = async (
  request: RollbackRequest,
  dependencies: RollbackDependencies,
): Promise<StartedRun> => {
  const generation = request.generation ?? (await generationOf(request.runId ?? '', dependencies.history));
  // Looked at before a run is begun: a slip of the hand is no failed run, and alerts nobody.
  if ((await dependencies.versions.read(generation)) === null) throw noVersion(generation);
  return toRunAnswer(await runRollback(generation, request, dependencies));
};

const generationOf = async (runId: string, history: Pick<RunHistory, 'read'>): Promise<string> => {
  const record = await history.read(runId);
  if (record === null || record.mirror !== 'roster' || record.objectGeneration === null) {
    throw new SyncError('not_found', 'No run of the roster with that id has published a list.');
  }
  return record.objectGeneration;
};
