import { counted } from '../lib/counted.ts';
import type { LogSink } from '../lib/log.ts';
import type { Concern } from './watch.ts';

/** The messages that alert policies are made of: codes, counts and ages only. */
export const makeOpsLogs = (log: LogSink) => ({
  concern: ({ code, mirror, count, ageSeconds }: Concern) =>
    log('ERROR', `[OPS] ${code}${mirror === undefined ? '' : `: ${mirror}`}`, {
      event: 'ops_concern',
      code,
      mirror,
      count,
      ageSeconds,
    }),
  watched: (concerns: number) =>
    log('INFO', `[OPS] Looked at the mirrors: ${counted(concerns, 'concern')}`, {
      event: 'ops_watched',
      concerns,
    }),
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

export type OpsLogs = ReturnType<typeof makeOpsLogs>;
