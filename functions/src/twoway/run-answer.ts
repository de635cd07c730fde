import { z } from 'zod';
import { answerJson, answerProblem, type HttpAnswer } from '../lib/http-endpoint.ts';
import type { TwoWayRecord } from './run-record.ts';

/**
 * `POST {"deliver"?: "due"|"waiting"|"failed"}`: what is due (the default), also what waits for its next try, or the dead
 * letters, which get another three days.
 */
export const twoWayRequest = z.strictObject({
  deliver: z.enum(['due', 'waiting', 'failed'], { error: 'due, waiting or failed' }).default('due'),
});

/** 200 with the record; the problem of the run's failure, with the record, when it failed. */
export const answerTwoWay = (record: TwoWayRecord): HttpAnswer =>
  record.status === 'error'
    ? answerProblem(record.errorCode ?? 'internal', record.error ?? 'The run failed.', { record })
    : answerJson(200, { success: true, record });
