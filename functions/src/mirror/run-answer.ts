import { z } from 'zod';
import { operatorText } from '../domain/storable.ts';
import { SyncError } from '../lib/errors.ts';
import { MIRRORS, type RunReport } from './mirror.ts';

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
 * Answers whoever asked for a run: `answer` when it published, changed nothing or was a dry run. Every other outcome is
 * thrown as its code, with `answer` in it: 422 when blocked, 409 when skipped or `plan_changed`, else the failure's own.
 */
export const answerRun = <Answer extends object>({ record }: RunReport, answer: Answer): Answer => {
  if (record.status === 'success' && record.outcome !== 'skipped') return answer;
  throw new SyncError(record.errorCode ?? 'internal', record.error ?? 'The run did not say why.', { answer });
};

/** A report as the functions of the mirrors answer it. */
export const runReport = z.object({
  record: z.looseObject({
    runId: z.string(),
    mirror: z.enum(MIRRORS),
    status: z.enum(['running', 'success', 'error']),
    outcome: z
      .enum(['published', 'unchanged', 'blocked', 'partial', 'failed', 'dry-run', 'skipped'])
      .nullable(),
    memberCount: z.int().nullable(),
    planId: z.string().nullable(),
    changes: z
      .looseObject({
        added: z.int(),
        removed: z.int(),
        updated: z.int(),
        unchanged: z.int(),
        quarantined: z.int(),
      })
      .nullable(),
  }),
  forecast: z.looseObject({ costUsd: z.number() }).nullable(),
});

/** Without the stack, which is for the log and the audit only. */
export const toPublicReport = ({
  record: { errorStack: _, ...record },
  forecast,
}: RunReport): z.output<typeof runReport> => ({
  record: { ...record, changes: record.changes === null ? null : { ...record.changes } },
  forecast: forecast === null ? null : { ...forecast },
});

/**
 * Tells Cloud Scheduler whether to try this occurrence again: by throwing. It is tried again after a failure, when the time
 * was up half-way, and when another run held the lease (which may itself fail); not after a refusal by the guard, which a
 * person has to look at, nor when the occurrence has been done. The thrown message is logged by the platform.
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
