import { SyncError } from '../lib/errors.ts';
import type { Approval, Mirror, RunReport } from '../mirror/mirror.ts';
import { makePlanId } from '../mirror/plan.ts';
import { type RunDependencies, runMirror } from '../mirror/run.ts';
import type { KennitalaExport } from '../registry/ports.ts';
import type { RosterPlan } from './plan-roster.ts';
import type { ListStore, ListVersions } from './ports.ts';
import { makeRoster, type RosterSource } from './roster.ts';

export const noVersion = (generation: string): SyncError =>
  new SyncError('not_found', `The bucket holds no version ${generation} of the list any more.`);

/**
 * The roster with an earlier version of itself in the registry's place: reading, planning, guard, precondition and
 * record are the roster's own. Its plan ids are never those of a run that follows the registry, even where both would
 * write the same list.
 */
export const makeRosterRollback = (
  generation: string,
  versions: Pick<ListVersions, 'read'>,
  store: ListStore,
): Mirror<RosterSource, RosterPlan> => {
  const fetchKennitalaExport = async (): Promise<KennitalaExport> => {
    const bytes = await versions.read(generation);
    if (bytes === null) throw noVersion(generation);
    const kennitalas = Buffer.from(bytes)
      .toString('latin1')
      .split(/\r?\n/)
      .filter((line) => line !== '');
    return { count: kennitalas.length, kennitalas, exportedAt: null };
  };
  const roster = makeRoster({ fetchKennitalaExport }, store);
  return {
    ...roster,
    title: 'member list rollback',
    sourceName: `version ${generation} of the list`,
    plan: async (source, context) => {
      const plan = await roster.plan(source, context);
      return {
        ...plan,
        planId: makePlanId({
          mirror: roster.name,
          source: `rollback ${generation}`,
          target: plan.ifGeneration ?? 'absent',
          operations: plan.planId,
        }),
      };
    },
  };
};

export interface RestoreDependencies {
  readonly versions: Pick<ListVersions, 'read'>;
  readonly store: ListStore;
  readonly run: RunDependencies;
}

export interface RestoreRequest {
  /** The proved identity of who asks. */
  readonly by: string;
  readonly reason?: string | undefined;
  readonly dryRun?: boolean | undefined;
  readonly approve?: Approval | undefined;
}

/** One run that brings the version back, and the pause that keeps it, written with the plan. */
export const runRollback = (
  generation: string,
  { by, dryRun, approve, reason }: RestoreRequest,
  { versions, store, run }: RestoreDependencies,
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
