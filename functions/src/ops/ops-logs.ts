import { type SyncError, stackFrames } from '../lib/errors.ts';
import { counted, type LogSink } from '../lib/log.ts';
import type { MirrorName } from '../mirror/mirror.ts';
import type { EraseAnswer } from './schemas.ts';

export type ConcernCode =
  | 'mirror_overdue'
  | 'mirror_paused_too_long'
  | 'run_crashed'
  | 'dead_letters_old'
  | 'conflicts_old'
  | 'queue_stuck'
  | 'ahead_of_registry'
  | 'hints_unconfirmed'
  | 'not_proved'
  | 'chain_broken';

/** Something that lasts, and so is seen only by looking: no single event of it could raise an alert. */
export interface Concern {
  readonly code: ConcernCode;
  readonly mirror?: MirrorName;
  readonly count?: number;
  readonly ageSeconds?: number | null;
}

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
