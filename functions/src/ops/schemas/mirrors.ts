import { z } from 'zod';
import { mirrorName, reasonText, time } from './common.ts';
import { missedEvents, runOutcome } from './runs.ts';

export const mirrorPath = z.strictObject({ name: mirrorName });
export const reasonBody = z.strictObject({ reason: reasonText });

const pause = z.object({ reason: z.string(), by: z.string(), since: time });
export const pauseAnswer = z.object({ mirror: mirrorName, paused: pause.nullable() });

export const healthReason = z.enum([
  'never_run',
  'overdue',
  'last_run_failed',
  'last_run_blocked',
  'last_run_partial',
  'run_crashed',
  'paused',
  'paused_too_long',
  'ahead_of_registry',
  'hints_unconfirmed',
]);

export const mirrorStatus = z.object({
  mirror: mirrorName,
  /** Null: this mirror is not configured here. */
  healthy: z.boolean().nullable(),
  /** Why it is not healthy; empty when it is. */
  why: z.array(healthReason),
  members: z.number().nullable(),
  lastRun: z
    .object({ runId: z.string(), outcome: runOutcome, errorCode: z.string().nullable(), at: time })
    .nullable(),
  lastSuccess: z.object({ runId: z.string(), at: time, memberCount: z.number() }).nullable(),
  /** Since the last success. */
  ageSeconds: z.number().nullable(),
  schedule: z.object({ cron: z.string(), timeZone: z.string(), overdueAfterSeconds: z.number() }),
  running: z.object({ runId: z.string(), leaseExpiresAt: time }).nullable(),
  paused: pause.nullable(),
});

export const twoWayReason = z.enum([
  'dead_letters_waiting',
  'conflicts_waiting',
  'queue_stuck',
  'last_sweep_failed',
]);

/** `unknown`: a record of another version. */
export const sweepStatus = z.enum(['running', 'success', 'partial', 'error', 'unknown']);

export const statusAnswer = z.object({
  at: time,
  healthy: z.boolean(),
  mirrors: z.array(mirrorStatus),
  twoWay: z.object({
    healthy: z.boolean(),
    why: z.array(twoWayReason),
    pending: z.number(),
    oldestPendingAt: time.nullable(),
    deadLetters: z.number(),
    oldestDeadLetterAt: time.nullable(),
    openConflicts: z.number(),
    oldestOpenConflictAt: time.nullable(),
    lastSweep: z.object({ at: time, status: sweepStatus }).nullable(),
  }),
  /** What real time left for somebody to see. */
  portal: z.object({
    /** Members of whom the portal holds a version that the registry has not reached, by the last run that ended well. */
    aheadOfRegistry: z.number(),
    /** Hints of a registry without versions that it never confirmed; the next reconcile decides them. */
    unconfirmedHints: z.number(),
    oldestUnconfirmedHintAt: time.nullable(),
  }),
  missedEvents: z.object({ last7Days: missedEvents, last30Days: missedEvents }),
});
