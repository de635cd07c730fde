import type { StatusAnswer } from '../../../functions/src/ops/schemas.ts';

/** Nothing to say about any mirror, and all well. */
export const WELL: StatusAnswer = {
  at: '2026-11-20T12:00:00.000Z',
  healthy: true,
  mirrors: [],
  twoWay: {
    healthy: true,
    why: [],
    pending: 0,
    oldestPendingAt: null,
    deadLetters: 0,
    oldestDeadLetterAt: null,
    openConflicts: 0,
    oldestOpenConflictAt: null,
    lastSweep: null,
  },
  missedEvents: {
    last7Days: { created: 0, updated: 0, deleted: 0 },
    last30Days: { created: 0, updated: 0, deleted: 0 },
  },
};
