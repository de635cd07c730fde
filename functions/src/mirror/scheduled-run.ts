import { SyncError } from '../lib/errors.ts';
import type { RunReport } from './mirror.ts';

/**
 * Tells Cloud Scheduler whether to try this occurrence again: by throwing. It is tried again after a failure, when
 * the time was up half-way, and when another run held the lease (which may itself fail); not after a refusal by the guard, which a person has to
 * look at, nor when the occurrence has been done. The thrown message is logged by the platform.
 */
export const assertOccurrenceDone = ({ record }: RunReport): void => {
  const mustRetry =
    record.outcome === 'failed' ||
    record.outcome === 'partial' ||
    (record.outcome === 'skipped' && record.errorCode === 'lease_held');
  if (mustRetry) {
    throw new SyncError(
      record.errorCode ?? 'internal',
      `Run ${record.runId} of the ${record.mirror} ended ${record.outcome}: ${record.errorCode}`,
    );
  }
};
