import type { MirrorStatus, StatusAnswer } from '../../../src/ops/schemas.ts';

export const EQUAL: MirrorStatus['agreement'] = { state: 'equal', difference: 0, because: null };

/** A mirror about which there is nothing to say. */
export const wellMirror = (mirror: MirrorStatus['mirror']): MirrorStatus => ({
  mirror,
  healthy: true,
  why: [],
  members: 2_216,
  lastRun: null,
  lastSuccess: null,
  ageSeconds: 60,
  schedule: { cron: '0 3 * * 1', timeZone: 'Atlantic/Reykjavik', overdueAfterSeconds: 691_200 },
  running: null,
  paused: null,
  agreement: EQUAL,
});

/** Nothing waits on the way back. */
export const QUIET: StatusAnswer['twoWay'] = {
  healthy: true,
  why: [],
  pending: 0,
  oldestPendingAt: null,
  deadLetters: 0,
  oldestDeadLetterAt: null,
  openConflicts: 0,
  oldestOpenConflictAt: null,
  lastSweep: null,
};

const NO_EVENTS = { created: 0, updated: 0, deleted: 0 };

/** No mirror, and all well: what `GET /status` answers before anything is put into it. */
export const WELL: StatusAnswer = {
  at: '2026-11-20T12:00:00.000Z',
  healthy: true,
  findings: [],
  registry: null,
  mirrors: [],
  proof: null,
  verified: null,
  twoWay: QUIET,
  portal: { aheadOfRegistry: 0, unconfirmedHints: 0, oldestUnconfirmedHintAt: null },
  missedEvents: { last7Days: NO_EVENTS, last30Days: NO_EVENTS },
};
