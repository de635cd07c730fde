import { answerProblem } from '../http/problems.ts';
import type { OtherAnswer } from '../http/route.ts';
import { SyncError } from '../lib/errors.ts';
import type { RunRequest } from '../mirror/run.ts';
import type { MirrorName, RunReport } from '../mirror/types.ts';
import type { StartedRun } from './schemas.ts';
import { toWireRecord } from './wire-record.ts';

/** One run of a mirror. Null: this mirror is not configured here. */
export type Runners = Readonly<Record<MirrorName, ((request: RunRequest) => Promise<RunReport>) | null>>;

/** Starts a run of any mirror and waits for its end. Throws `not_found` for one that is not configured. */
export const startRun = async (
  runners: Runners,
  mirror: MirrorName,
  request: RunRequest,
): Promise<StartedRun | OtherAnswer> => {
  const run = runners[mirror];
  if (run === null) throw new SyncError('not_found', `The ${mirror} is not configured here.`);
  return toRunAnswer(await run(request));
};

/**
 * 200 for what an operator asked for and got; otherwise the problem document of the record's code with the record in
 * it, as the functions of the mirrors answer.
 */
export const toRunAnswer = ({ record, forecast }: RunReport): StartedRun | OtherAnswer => {
  const body = { run: toWireRecord(record), forecast };
  if (record.status === 'success' && record.outcome !== 'skipped') return body;
  return {
    answer: answerProblem(record.errorCode ?? 'internal', record.error ?? 'The run did not say why.', body),
  };
};
