import { z } from 'zod';
import { operatorText } from '../domain/operator-text.ts';
import { answerJson, answerProblem, type HttpAnswer } from '../http/problems.ts';
import { SyncError } from '../lib/errors.ts';
import type { RunRecord, RunReport } from './mirror.ts';

/** What every body that starts a run of a mirror may say. */
export const runFields = {
  dryRun: z.boolean().optional(),
  approve: z
    .strictObject({
      planId: z.string().regex(/^[0-9a-f]{64}$/, { error: 'the 64 hexadecimal digits of a dry run' }),
      operator: operatorText('the name of who decides', 100),
      reason: operatorText('a reason in words', 500),
    })
    .optional(),
};

/** The two fields exclude each other. */
export const isPossibleRun = (body: {
  readonly dryRun?: boolean | undefined;
  readonly approve?: object | undefined;
}): boolean => !(body.dryRun === true && body.approve !== undefined);

export const NOTHING_TO_APPROVE = { error: 'a dry run applies nothing, so there is nothing to approve' };

/** `POST` body of a function that starts a run of its one mirror. */
export const runRequestBody = z.strictObject(runFields).refine(isPossibleRun, NOTHING_TO_APPROVE);

export type RunRequestBody = z.output<typeof runRequestBody>;

/**
 * A run's report as an HTTP answer: 200 with `{record, forecast}` for published, unchanged and dry-run; otherwise a
 * problem document with the record in it: 422 blocked, 409 skipped or plan_changed, and the status of the
 * record's error code for a failure.
 */
export const answerRun = ({ record, forecast }: RunReport): HttpAnswer => {
  const body = { record: publicRecord(record), forecast };
  if (record.status === 'success' && record.outcome !== 'skipped') return answerJson(200, body);
  return answerProblem(record.errorCode ?? 'internal', record.error ?? 'The run did not say why.', body);
};

/** The record without the stack, which is for the log and the audit only. */
export const publicRecord = ({ errorStack: _, ...record }: RunRecord): Omit<RunRecord, 'errorStack'> =>
  record;

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
