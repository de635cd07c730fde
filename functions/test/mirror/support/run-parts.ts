import type { MirrorPlan } from '../../../src/mirror/mirror.ts';
import { makeForecast } from '../../../src/mirror/plan.ts';
import { openRecord } from '../../../src/mirror/run-record.ts';

/** The parts that a run's record is put together of. */
export const STARTED = new Date('2026-01-05T03:00:00Z');
export const ENDED = new Date('2026-01-05T03:00:01.500Z');
export const start = {
  runId: 'run-1',
  mirror: 'portal',
  trigger: 'http',
  startedAt: STARTED,
  approve: null,
  requestedBy: null,
} as const;
export const opened = openRecord(start);

export const changes = { added: 1, removed: 2, updated: 3, unchanged: 4, quarantined: 5 };
export const plan: MirrorPlan = {
  planId: 'p'.repeat(64),
  memberCount: 8,
  changes,
  rewrite: false,
  figures: { baseline: 9, received: 8, added: 1, removed: 2, quarantined: 5 },
  forecast: makeForecast({}),
  warnings: [],
  added: [],
  removed: [],
  facts: {},
};
export const verdict = {
  tripped: true,
  findings: [{ rule: 'removed_share', count: 2, allowed: 1 } as const],
};
export const unfinished = { added: 1, removed: 0, updated: 2, blanked: {} };
