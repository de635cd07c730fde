import { SyncError } from '../lib/errors.ts';
import type { MirrorSource } from './mirror.ts';
import { pausedError } from './pause.ts';
import { closeSkipped } from './run-record.ts';
import type { Run } from './run-steps.ts';
import type { Begun } from './run-store.ts';
import type { MirrorPlan, RunReport } from './types.ts';

/** Records a run that did not take the lease, and says why. Throws `audit_unavailable`. */
export const skip = async <S extends MirrorSource, P extends MirrorPlan>(
  { dependencies, logs, opened }: Run<S, P>,
  begun: Exclude<Begun, { kind: 'begun' }>,
): Promise<RunReport> => {
  const why = whySkipped(begun);
  logs.skipped(why.message, why.code);
  const record = closeSkipped(opened, why, dependencies.now());
  await dependencies.runs.append(record);
  return { record, forecast: null };
};

const whySkipped = (begun: Exclude<Begun, { kind: 'begun' }>): SyncError => {
  switch (begun.kind) {
    case 'held':
      return new SyncError(
        'lease_held',
        `Run ${begun.owner} is under way; it keeps the lease until ${begun.expiresAt.toISOString()} at the latest.`,
      );
    case 'already-done':
      return new SyncError('already_done', `This scheduled run has been done by run ${begun.runId}.`);
    case 'paused':
      return pausedError(begun.pause.at);
    default: {
      const never: never = begun;
      return never;
    }
  }
};
