import { z } from 'zod';
import { answerJson, answerProblem, type HttpAnswer } from '../lib/http-endpoint.ts';
import type { RunRecord, RunReport } from './types.ts';

/** `POST` body of every function that starts a run of a mirror. */
export const runRequestBody = z
  .strictObject({
    dryRun: z.boolean().optional(),
    approve: z
      .strictObject({
        planId: z.string().regex(/^[0-9a-f]{64}$/, { error: 'the 64 hexadecimal digits of a dry run' }),
        operator: z.string().trim().min(1).max(100),
        reason: z.string().trim().min(1).max(500),
      })
      .optional(),
  })
  .refine(({ dryRun, approve }) => !(dryRun === true && approve !== undefined), {
    error: 'a dry run applies nothing, so there is nothing to approve',
  });

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
