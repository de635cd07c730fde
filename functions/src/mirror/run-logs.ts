import type { SyncError } from '../lib/errors.ts';
import { counted, type LogFields, type LogSink } from '../lib/log.ts';
import { explainVerdict, type GuardVerdict } from './guard.ts';
import type { ChangeCounts, MirrorName, MissedEvents, RunRecord, RunTrigger } from './mirror.ts';

const WORDS: Record<MirrorName, { readonly received: string; readonly applied: string }> = {
  roster: { received: 'kennitalas', applied: 'Upload complete' },
  portal: { received: 'members', applied: 'Portal updated' },
  register: { received: 'members', applied: 'Register updated' },
};

/** The messages of a run, word for word as the runbook quotes them. */
export const makeRunLogs = (
  sink: LogSink,
  run: { mirror: MirrorName; title: string; sourceName?: string | undefined; runId: string },
) => {
  const words = WORDS[run.mirror];
  const base = { mirror: run.mirror, runId: run.runId };
  const info = (message: string, fields: LogFields = {}) =>
    sink('INFO', `[SYNC] ${message}`, { ...base, ...fields });
  const warn = (message: string, fields: LogFields = {}) =>
    sink('WARNING', `[SYNC] ${message}`, { ...base, ...fields });
  const error = (message: string, fields: LogFields = {}) =>
    sink('ERROR', `[SYNC] ${message}`, { ...base, ...fields });
  return {
    starting: (trigger: RunTrigger, dryRun: boolean) =>
      info(`Starting ${run.title}...`, { event: 'run_started', trigger, dryRun }),
    recovered: (abandonedRunId: string) =>
      warn('An earlier run ended without closing its record', { event: 'run_abandoned', abandonedRunId }),
    received: (received: number, milliseconds: number) =>
      info(`Received ${received} ${words.received} from ${run.sourceName ?? 'Django'}`, {
        event: 'source_received',
        received,
        milliseconds,
      }),
    planned: (planId: string, changes: ChangeCounts) =>
      info(`Plan: ${changes.added} to add, ${changes.removed} to remove${updates(changes)}`, {
        event: 'planned',
        planId,
        ...changes,
      }),
    warning: (code: string, message: string) => warn(message, { event: 'run_warning', code }),
    applied: (memberCount: number, objectGeneration: string | undefined) =>
      info(words.applied, { event: 'applied', memberCount, objectGeneration }),
    missed: ({ created, updated, deleted }: MissedEvents) => {
      const count = created + updated + deleted;
      if (count === 0) return;
      warn(`${counted(count, 'change was', 'changes were')} announced by no event of the registry`, {
        event: 'missed_events',
        created,
        updated,
        deleted,
      });
    },
    replanning: () =>
      warn('Another writer changed the list after it was read; planning again', { event: 'replanning' }),
    approved: (planId: string) =>
      warn('A refused plan is let through by approval', { event: 'plan_approved', planId }),
    blocked: (planId: string, verdict: GuardVerdict) =>
      error(`Sync blocked: ${explainVerdict(verdict)}. Nothing was changed.`, {
        event: 'run_blocked',
        code: 'guard_tripped',
        planId,
        rules: verdict.findings.map(({ rule }) => rule),
      }),
    partial: (record: RunRecord) =>
      warn('The time was up before everything was written; the next run goes on', {
        event: 'run_partial',
        code: 'deadline_exceeded',
        planId: record.planId,
        durationMs: record.duration_ms,
        added: record.unfinished?.added,
        removed: record.unfinished?.removed,
        updated: record.unfinished?.updated,
      }),
    skipped: (why: string, code: string) => info(`Sync skipped: ${why}`, { event: 'run_skipped', code }),
    dryRun: (planId: string, verdict: GuardVerdict) =>
      info(`Dry run completed: ${explainVerdict(verdict)}`, {
        event: 'dry_run',
        planId,
        tripped: verdict.tripped,
      }),
    completed: (record: RunRecord) =>
      info(`Sync completed successfully (${record.memberCount} members, ${record.duration_ms} ms)`, {
        event: 'run_completed',
        outcome: record.outcome,
        memberCount: record.memberCount,
        durationMs: record.duration_ms,
        ...record.changes,
      }),
    failed: (failure: SyncError, stack: string, durationMs: number) =>
      error(`Sync failed: ${failure.code}`, {
        event: 'run_failed',
        code: failure.code,
        retryable: failure.retryable,
        detail: failure.message,
        stack,
        durationMs,
        ...failure.details,
      }),
    recordLost: (failure: SyncError) =>
      error(`The record of the run could not be written: ${failure.code}`, {
        event: 'record_lost',
        code: failure.code,
        detail: failure.message,
      }),
  };
};

const updates = ({ updated }: ChangeCounts): string => (updated === 0 ? '' : `, ${updated} to update`);

export type RunLogs = ReturnType<typeof makeRunLogs>;
