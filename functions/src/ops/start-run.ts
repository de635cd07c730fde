import { SyncError } from '../lib/errors.ts';
import type { Approval, MirrorName, RunRecord, RunReport } from '../mirror/mirror.ts';
import type { RunRequest } from '../mirror/run.ts';
import { answerRun } from '../mirror/run-answer.ts';
import type { RunHistory } from './ports.ts';
import type { Relation, RunAnswer, StartedRun } from './schemas.ts';
import { toWireRecord } from './wire-record.ts';

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
