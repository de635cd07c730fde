import { startedRun } from '../../../functions/src/ops/schemas/runs.ts';
import type { StartedRun } from '../../../functions/src/ops/schemas.ts';
import { ApiProblem } from './api.ts';
import type { ExitCode } from './exit-codes.ts';
import { withProgress } from './progress.ts';
import { exitCodeOf, nextLines, runLines } from './run-lines.ts';
import type { Session } from './session.ts';
import { pairLines } from './table.ts';
import { counted } from './text.ts';

/**
 * Starts a run through `path` and waits for its end. A run that was refused or failed is an answer too; only a request
 * that left no run throws.
 */
export const startRun = async (
  { api, terminal }: Session,
  { path, body, text }: { readonly path: string; readonly body: object; readonly text: string },
): Promise<StartedRun> => {
  try {
    return await withProgress(terminal, text, () => api.post(path, body, startedRun));
  } catch (cause) {
    const refused = cause instanceof ApiProblem ? startedRun.safeParse(cause.document) : null;
    if (refused?.success) return refused.data;
    throw cause;
  }
};

/** Shows a run that has ended. Returns the exit code. */
export const showStarted = (session: Session, { run, forecast }: StartedRun): ExitCode => {
  session.show({ run, forecast }, () => [
    ...runLines(run, session.paint),
    ...(forecast === null
      ? []
      : pairLines([
          [
            'forecast',
            `${counted(forecast.firestoreReads, 'read')}, ${counted(forecast.firestoreWrites, 'write')} and ${counted(forecast.firestoreDeletes, 'delete')} in Firestore, ${forecast.costUsd} US dollars`,
          ],
        ])),
    ...nextLines(run, session),
  ]);
  return exitCodeOf(run);
};
