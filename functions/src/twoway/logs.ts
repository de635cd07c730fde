import type { SyncError } from '../lib/errors.ts';
import { counted, type LogSink } from '../lib/log.ts';
import type { TwoWayRecord } from './ports.ts';

/** The messages of the way back. Members are named by their opaque reference, fields by their paths; no value is here. */
export const makeTwoWayLogs = (log: LogSink) => ({
  tracked: (member: string, paths: readonly string[]) =>
    log('INFO', '[TWO-WAY] A member edited their own fields', { event: 'edit_tracked', member, paths }),
  ofNobody: (member: string) =>
    log('NOTICE', '[TWO-WAY] An edit is left: its document was erased or deleted meanwhile', {
      event: 'edit_of_nobody',
      member,
    }),
  revived: (member: string) =>
    log('WARNING', '[TWO-WAY] A delivery that had been left is taken up again', {
      event: 'claim_revived',
      member,
    }),
  moved: (from: string, to: string) =>
    log('NOTICE', "[TWO-WAY] A member's waiting edits follow a corrected number", {
      event: 'edits_moved',
      member: from,
      to,
    }),
  delivered: (members: number, synced: number, milliseconds: number) =>
    log(
      'INFO',
      `[TWO-WAY] ${counted(synced, 'delivery', 'deliveries')} to the registry for ${counted(members, 'member')}`,
      {
        event: 'edits_delivered',
        members,
        synced,
        milliseconds,
      },
    ),
  conflict: (member: string, conflict: string, paths: readonly string[]) =>
    log('WARNING', '[TWO-WAY] Both sides changed: look at sync_conflicts', {
      event: 'edit_conflict',
      member,
      conflict,
      paths,
    }),
  refused: (member: string, change: string, code: string | null, paths: readonly string[]) =>
    log('ERROR', `[TWO-WAY] The registry refused an edit: ${code ?? 'without a code'}`, {
      event: 'edit_refused',
      member,
      change,
      code,
      paths,
    }),
  waiting: (member: string, code: string, until: Date) =>
    log('WARNING', `[TWO-WAY] An edit waits: ${code}`, {
      event: 'edit_waits',
      member,
      code,
      until: until.toISOString(),
    }),
  dead: (member: string, change: string, code: string) =>
    log('ERROR', `[TWO-WAY] An edit is given up after three days: ${code}`, {
      event: 'edit_dead',
      member,
      change,
      code,
    }),
  notPulled: (row: number, code: string) =>
    log('ERROR', `[TWO-WAY] A change of the registry could not be applied: ${code}`, {
      event: 'change_not_pulled',
      row,
      code,
    }),
  finished: (record: TwoWayRecord) =>
    log(record.status === 'success' ? 'INFO' : 'ERROR', `[TWO-WAY] Run ended: ${record.status}`, {
      event: 'two_way_run',
      runId: record.id,
      code: record.errorCode,
      sent: record.firestoreToDjango.success,
      sendFailed: record.firestoreToDjango.failed,
      received: record.djangoToFirestore.success,
      receiveFailed: record.djangoToFirestore.failed,
      conflicts: record.conflicts,
    }),
  resolved: (member: string, conflict: string, path: string, keep: string) =>
    log('NOTICE', '[TWO-WAY] A conflict was decided', {
      event: 'conflict_resolved',
      member,
      conflict,
      path,
      keep,
    }),
  crashed: (stack: string) =>
    log('ERROR', '[TWO-WAY] Unexpected failure', { event: 'two_way_failed', stack }),
  recordLost: ({ code }: SyncError) =>
    log('ERROR', `[TWO-WAY] The record of the run could not be written: ${code}`, {
      event: 'record_lost',
      code,
    }),
});

export type TwoWayLogs = ReturnType<typeof makeTwoWayLogs>;
