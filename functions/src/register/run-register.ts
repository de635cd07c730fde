import { asSyncError } from '../lib/errors.ts';
import type { RunReport, RunTrigger } from '../mirror/mirror.ts';
import { type RunDependencies, type RunRequest, runMirror } from '../mirror/run.ts';
import type { PlanSamples } from './log-details.ts';
import type { SyncType } from './ports.ts';
import { makeRegister, type RegisterOptions } from './register.ts';
import { makeRegisterLogs } from './register-logs.ts';

export interface RegisterReport extends RunReport {
  /** A few members of each kind of change, by opaque reference; null without a plan. */
  readonly samples: PlanSamples | null;
}

const SYNC_TYPES: Readonly<Record<RunTrigger, SyncType>> = {
  schedule: 'membership',
  http: 'manual',
  local: 'manual',
  event: 'membership',
};

/**
 * One run of the register. A run that failed or was refused also closes its row in `sync_log`, in a transaction of its
 * own; when the database does not even take that, the record in Firestore says why and the next run closes the row.
 */
export const runRegister = async (
  request: RunRequest,
  options: RegisterOptions,
  dependencies: RunDependencies,
): Promise<RegisterReport> => {
  const register = makeRegister(options, {
    syncType: SYNC_TYPES[request.trigger],
    dryRun: request.dryRun === true,
  });
  const report = await runMirror(register, request, dependencies);
  const { record } = report;
  if (record.status === 'error') {
    const { errorCode, error, guard } = record;
    try {
      await register.failLog({ outcome: record.outcome, code: errorCode, error, guard });
    } catch (cause) {
      makeRegisterLogs(dependencies.log).logRowLost(record.runId, asSyncError(cause));
    }
  }
  return { ...report, samples: register.samples() };
};
