import { asSyncError } from '../lib/errors.ts';
import type { LogSink } from '../lib/log.ts';
import type { RunReport } from '../mirror/mirror.ts';
import { readHeldList } from './published-list.ts';
import { type RestoreDependencies, runRollback } from './rollback.ts';

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

/** Approved by its own plan id: the guard would compare with the very list that is wrong. */
const restore = async (
  runId: string,
  generation: string,
  dependencies: SelfCheckDependencies,
): Promise<void> => {
  const { logs } = dependencies;
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
