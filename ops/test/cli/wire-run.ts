import type { WireRunRecord } from '../../../functions/src/ops/schemas.ts';

/** A run's record as the API answers it: Monday's list, and what a test has otherwise. */
export const wireRun = (facts: Partial<WireRunRecord>): WireRunRecord => ({
  runId: '20261123T030000Z-1f2e3d4c',
  mirror: 'roster',
  trigger: 'schedule',
  status: 'success',
  outcome: 'published',
  timestamp: '2026-11-23T03:00:00.000Z',
  durationMs: 400,
  memberCount: 1_883,
  djangoExportedAt: null,
  changes: { added: 0, removed: 333, updated: 0, unchanged: 1_883, quarantined: 0 },
  missedEvents: null,
  planId: 'a'.repeat(64),
  guard: { tripped: false, findings: [] },
  objectGeneration: null,
  previousGeneration: null,
  rollbackOf: null,
  sha256: null,
  warnings: [],
  error: null,
  errorCode: null,
  requestedBy: null,
  approvedBy: null,
  reason: null,
  ...facts,
});
