import { SyncError } from '../lib/errors.ts';
import type { Approval } from '../mirror/mirror.ts';
import { noVersion, type RestoreDependencies, runRollback } from '../roster/rollback.ts';
import type { RunHistory } from './ports.ts';
import type { StartedRun } from './schemas.ts';
import { toRunAnswer } from './start-run.ts';

export interface RollbackDependencies extends RestoreDependencies {
  readonly history: Pick<RunHistory, 'read'>;
}

export interface RollbackRequest {
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
