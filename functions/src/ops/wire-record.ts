import type { RunRecord } from '../mirror/mirror.ts';
import type { WireRunRecord } from './schemas.ts';

/** A record as operators get it: times as text; without the stack, which is for the log only. */
export const toWireRecord = (record: RunRecord): WireRunRecord => ({
  runId: record.runId,
  mirror: record.mirror,
  trigger: record.trigger,
  status: record.status,
  outcome: record.outcome,
  timestamp: record.timestamp.toISOString(),
  durationMs: record.duration_ms,
  memberCount: record.memberCount,
  djangoExportedAt: record.djangoExportedAt?.toISOString() ?? null,
  // A record that an earlier version wrote lacks what was added since.
  changes: record.changes ? { ...record.changes } : null,
  missedEvents: record.missedEvents ? { ...record.missedEvents } : null,
  planId: record.planId,
  guard: record.guard
    ? { tripped: record.guard.tripped, findings: record.guard.findings.map((finding) => ({ ...finding })) }
    : null,
  objectGeneration: record.objectGeneration,
  previousGeneration: record.previousGeneration,
  rollbackOf: record.rollbackOf ?? null,
  sha256: record.sha256,
  warnings: record.warnings.map((warning) => ({ ...warning })),
  error: record.error,
  errorCode: record.errorCode,
  requestedBy: record.requestedBy,
  approvedBy: record.approvedBy,
  reason: record.reason,
});
