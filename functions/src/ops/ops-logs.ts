import { counted } from '../lib/counted.ts';
import { type SyncError, stackFrames } from '../lib/errors.ts';
import type { LogSink } from '../lib/log.ts';
import type { EraseAnswer } from './schemas.ts';
import type { Concern } from './watch.ts';

/** The messages that alert policies are made of: codes, counts, ages and opaque references only. */
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
  eraseFailed: (store: string, failure: SyncError) =>
    log('ERROR', `[OPS] A part of an erasure failed: ${failure.code}`, {
      event: 'erase_failed',
      store,
      code: failure.code,
      stack: failure.code === 'internal' ? stackFrames(failure) : undefined,
    }),
  erased: (member: string, { dryRun, absent, stores }: Pick<EraseAnswer, 'dryRun' | 'absent' | 'stores'>) =>
    log(
      dryRun ? 'INFO' : absent ? 'NOTICE' : 'WARNING',
      `[OPS] One person ${dryRun ? 'looked for' : 'erased'}: ${absent ? 'absent everywhere' : 'absence not proved'}`,
      {
        event: dryRun ? 'erase_checked' : 'member_erased',
        member,
        absent,
        erased: stores.reduce((sum, { erased }) => sum + (erased ?? 0), 0),
        left: stores.reduce((sum, { left }) => sum + (left ?? 0), 0),
        unknown: stores.filter(({ left }) => left === null).length,
        codes: [...new Set(stores.flatMap(({ code }) => code ?? []))],
      },
    ),
});

export type OpsLogs = ReturnType<typeof makeOpsLogs>;
