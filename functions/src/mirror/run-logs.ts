import type { SyncError } from '../lib/errors.ts';
import type { LogFields, LogSink } from '../lib/log.ts';
import { explainVerdict, type GuardVerdict } from './guard.ts';
import type { ChangeCounts, MirrorName, RunRecord, RunTrigger } from './types.ts';

/** The messages of a run, word for word as the runbook quotes them. */
export const makeRunLogs = (sink: LogSink, run: { mirror: MirrorName; title: string; runId: string }) => {
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
      info(`Received ${received} kennitalas from Django`, {
        event: 'source_received',
        received,
        milliseconds,
      }),
    planned: (planId: string, changes: ChangeCounts) =>
      info(`Plan: ${changes.added} to add, ${changes.removed} to remove`, {
        event: 'planned',
        planId,
        ...changes,
      }),
    warning: (code: string, message: string) => warn(message, { event: 'run_warning', code }),
    uploaded: (memberCount: number, objectGeneration: string | undefined) =>
      info('Upload complete', { event: 'applied', memberCount, objectGeneration }),
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

export type RunLogs = ReturnType<typeof makeRunLogs>;
