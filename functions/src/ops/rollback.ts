import type { OtherAnswer } from '../http/route.ts';
import { SyncError } from '../lib/errors.ts';
import { type RunDependencies, runMirror } from '../mirror/run.ts';
import type { Approval, RunReport } from '../mirror/types.ts';
import type { ListStore } from '../roster/ports.ts';
import type { ListVersions, RunHistory } from './ports.ts';
import { makeRosterRollback, noVersion } from './roster-rollback.ts';
import type { StartedRun } from './schemas.ts';
import { toRunAnswer } from './start-run.ts';

export interface RollbackDependencies {
  readonly versions: ListVersions;
  readonly store: ListStore;
  readonly history: Pick<RunHistory, 'read'>;
  readonly run: RunDependencies;
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
): Promise<StartedRun | OtherAnswer> => {
  const generation = request.generation ?? (await generationOf(request.runId ?? '', dependencies.history));
  // Looked at before a run is begun: a slip of the hand is no failed run, and alerts nobody.
  if ((await dependencies.versions.read(generation)) === null) throw noVersion(generation);
  return toRunAnswer(await runRollback(generation, request, dependencies));
};

export const runRollback = (
  generation: string,
  { by, dryRun, approve, reason }: Pick<RollbackRequest, 'by' | 'dryRun' | 'approve' | 'reason'>,
  { versions, store, run }: Omit<RollbackDependencies, 'history'>,
): Promise<RunReport> =>
  runMirror(
    makeRosterRollback(generation, versions, store),
    {
      trigger: 'http',
      dryRun,
      approve,
      requestedBy: by,
      rollback: {
        of: generation,
        pause: {
          reason: reason ?? approve?.reason ?? `rolled back to version ${generation}`,
          by,
          at: run.now(),
        },
      },
    },
    run,
  );

const generationOf = async (runId: string, history: Pick<RunHistory, 'read'>): Promise<string> => {
  const record = await history.read(runId);
  if (record === null || record.mirror !== 'roster' || record.objectGeneration === null) {
    throw new SyncError('not_found', 'No run of the roster with that id has published a list.');
  }
  return record.objectGeneration;
};
