import { asSyncError, SyncError } from '../lib/errors.ts';
import type { LogSink } from '../lib/log.ts';
import type { Approval, Mirror, RunReport } from '../mirror/mirror.ts';
import { makePlanId } from '../mirror/plan.ts';
import { type RunDependencies, runMirror } from '../mirror/run.ts';
import type { KennitalaExport } from '../registry/ports.ts';
import type { RosterPlan } from './plan-roster.ts';
import type { ListStore, ListVersions } from './ports.ts';
import { readHeldList } from './published-list.ts';
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

/** `alert`: a list that is not what was meant is logged. `rollback`: the version before it is restored as well. */
export type SelfCheckMode = 'off' | 'alert' | 'rollback';

export interface SelfCheckDependencies extends RestoreDependencies {
  readonly mode: SelfCheckMode;
  readonly logs: SelfCheckLogs;
}

const BY = 'roster-self-check';

/**
 * Reads a list that was just published back and compares its hash and its number of members with the run's record.
 * Says nothing about a list that somebody has replaced since, and a list that cannot be read back is no wrong list.
 * Restoring is a rollback as an operator's: recorded, and the roster is paused, so that the next run does not publish
 * the same fault again. Never throws: the run that is checked has ended, and stays what it was.
 */
export const checkPublishedRoster = async (
  { record }: RunReport,
  dependencies: SelfCheckDependencies,
): Promise<void> => {
  const { mode, logs, store } = dependencies;
  const { runId, objectGeneration, previousGeneration } = record;
  if (mode === 'off' || record.outcome !== 'published' || objectGeneration === null) return;
  try {
    const published = await store.read();
    if (published !== null && published.generation !== objectGeneration) return;
    const held = published === null ? null : readHeldList(published.bytes);
    const found = held?.kennitalas.length ?? 0;
    if (held !== null && held.sha256 === record.sha256 && found === record.memberCount) {
      logs.rosterChecked(runId);
      return;
    }
    logs.rosterCheckFailed(runId, objectGeneration, record.memberCount, found);
  } catch (cause) {
    logs.rosterNotChecked(runId, asSyncError(cause).code);
    return;
  }
  if (mode === 'rollback' && previousGeneration !== null) {
    await restore(runId, previousGeneration, dependencies);
  }
};

/**
 * Approved by its own plan id: the guard would compare with the very list that is wrong. Who lets the check restore by itself
 * has decided beforehand, so it asks for no second person, who would be none.
 */
const restore = async (
  runId: string,
  generation: string,
  { run, ...others }: SelfCheckDependencies,
): Promise<void> => {
  const { logs } = others;
  const dependencies = { ...others, run: { ...run, needsSecondPerson: false } };
  const reason = `the list of run ${runId} failed its check`;
  try {
    const { record: dry } = await runRollback(generation, { by: BY, dryRun: true, reason }, dependencies);
    if (dry.planId === null) {
      logs.rosterRestored(runId, dry.runId, dry.outcome);
      return;
    }
    const approve = { planId: dry.planId, operator: BY, reason };
    const { record } = await runRollback(generation, { by: BY, approve, reason }, dependencies);
    logs.rosterRestored(runId, record.runId, record.outcome);
  } catch (cause) {
    logs.rosterRestored(runId, 'none', asSyncError(cause).code);
  }
};

/** Codes, counts and ids only: alert policies are made of them. */
export const makeSelfCheckLogs = (log: LogSink) => ({
  rosterChecked: (runId: string) =>
    log('INFO', '[OPS] The published list was read back and is what was meant', {
      event: 'roster_checked',
      runId,
    }),
  rosterNotChecked: (runId: string, code: string) =>
    log('WARNING', `[OPS] The published list could not be read back: ${code}`, {
      event: 'roster_not_checked',
      runId,
      code,
    }),
  rosterCheckFailed: (runId: string, generation: string, expected: number | null, found: number) =>
    log('ERROR', '[OPS] The published list is not what was meant', {
      event: 'roster_check_failed',
      runId,
      generation,
      expected,
      found,
    }),
  rosterRestored: (runId: string, rollbackRunId: string, outcome: string | null) =>
    log(outcome === 'published' ? 'WARNING' : 'ERROR', `[OPS] Rollback to the version before: ${outcome}`, {
      event: 'roster_restored',
      runId,
      rollbackRunId,
      outcome,
    }),
});

export type SelfCheckLogs = ReturnType<typeof makeSelfCheckLogs>;
