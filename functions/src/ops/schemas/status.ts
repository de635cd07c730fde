import { z } from 'zod';
import { forEachMirror } from '../../mirror/mirror.ts';
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

/** Whether a mirror has as many members as the registry. `unknown`: one of the two numbers is not known yet. */
export const agreementState = z.enum(['equal', 'explained', 'differs', 'unknown']);
/** Why a mirror may differ for now: nobody has to look for that alone. */
export const differenceReason = z.enum(['paused', 'run_under_way', 'recent_events', 'blocked', 'partial']);
const agreement = z.object({
  state: agreementState,
  /** The mirror's members less the registry's. */
  difference: z.number().nullable(),
  because: differenceReason.nullable(),
});
/** How far a run has come: it reads and plans, or it writes. */
export const runStep = z.enum(['reading', 'writing']);

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
  running: z.object({ runId: z.string(), leaseExpiresAt: time, step: runStep }).nullable(),
  agreement,
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

export const findingCode = z.enum([
  ...healthReason.options,
  ...twoWayReason.options,
  'counts_differ',
  'not_proved',
  'chain_broken',
]);
/** `error`: the mirror is wrong or no run can be trusted to mend it. `warning`: somebody should decide. */
export const severity = z.enum(['error', 'warning']);

/** Something that needs a person, as data: whoever shows it has the words. */
export const finding = z.object({
  code: findingCode,
  severity,
  /** Null: the way back, or for `chain_broken` the record. */
  mirror: mirrorName.nullable(),
  since: time.nullable(),
  runId: z.string().nullable(),
  errorCode: z.string().nullable(),
  /** What there is to count: `removed`, `before`, `count`, `members`, `registry`, … */
  numbers: z.record(z.string(), z.number()),
  /** A command of `npm run ops --`, without what names the place. */
  command: z.string(),
});

const storeProof = z.object({
  state: z.enum(['equal', 'differs', 'unknown', 'absent']),
  /** How many members stand otherwise than in the registry; null: not counted. */
  differences: z.number().nullable(),
  errorCode: z.string().nullable(),
});

export const proofOutcome = z.enum(['equal', 'under_way', 'differs', 'unprovable', 'unknown']);
export const proofReason = z.enum([
  'no_companion_app',
  'digests_missing',
  'events',
  'run_under_way',
  'paused',
  'blocked',
]);

/** What the last proof found; counts of whole lists only. */
export const proofAnswer = z.object({
  at: time,
  outcome: proofOutcome,
  because: proofReason.nullable(),
  /** When all four were last seen to hold the same members; null: never. */
  provedAt: time.nullable(),
  unprovedSince: time.nullable(),
  /** In the registry. */
  members: z.number().nullable(),
  /** Members whom nobody can read: they are in no store as they stand in the registry. */
  unreadable: z.number(),
  stores: z.object(forEachMirror(() => storeProof)),
  errorCode: z.string().nullable(),
});

export const statusAnswer = z.object({
  at: time,
  /** All is well: nothing was found, and every mirror agrees with the registry or its difference is explained. */
  healthy: z.boolean(),
  findings: z.array(finding),
  /** As the newest run of any mirror found it; null: no run has read the registry yet. */
  registry: z.object({ count: z.number(), at: time, runId: z.string(), mirror: mirrorName }).nullable(),
  mirrors: z.array(mirrorStatus),
  /** Null: nobody has looked yet. */
  proof: proofAnswer.nullable(),
  /** What the last walk over the record of runs and operators found; null: nobody has walked yet. */
  verified: z
    .object({
      at: time,
      whole: z.boolean(),
      findings: z.number(),
      records: z.number(),
      versions: z.number(),
    })
    .nullable(),
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
  /** What webhooks left behind for a person to look at. */
  portal: z.object({
    /** Members of whom the portal holds a version that the registry has not reached, by the last run that ended well. */
    aheadOfRegistry: z.number(),
    /** Hints of a registry without versions that it never confirmed; the next reconcile decides them. */
    unconfirmedHints: z.number(),
    oldestUnconfirmedHintAt: time.nullable(),
  }),
  missedEvents: z.object({ last7Days: missedEvents, last30Days: missedEvents }),
});

const DAYS = 'a whole number from 1 to 366';
export const seriesQuery = z.strictObject({
  days: z.coerce
    .number({ error: DAYS })
    .int({ error: DAYS })
    .min(1, { error: DAYS })
    .max(366, { error: DAYS })
    .default(90),
});

export const mirrorDay = z.object({
  /** Members at the last success of the day; null: no success. */
  members: z.number().nullable(),
  runs: z.number(),
  failed: z.number(),
  blocked: z.number(),
  skipped: z.number(),
  /** The longest run of the day. */
  longestMs: z.number().nullable(),
  added: z.number(),
  removed: z.number(),
  updated: z.number(),
});

export const seriesDay = z.object({
  /** `YYYY-MM-DD` in Iceland, which keeps UTC. */
  day: z.string(),
  ...forEachMirror(() => mirrorDay),
  missedEvents,
  twoWay: z.object({ sent: z.number(), received: z.number(), conflicts: z.number(), failed: z.number() }),
  deadLetters: z.number(),
});

export const seriesAnswer = z.object({
  from: time,
  to: time,
  /** Every day of the range, oldest first. */
  days: z.array(seriesDay),
  /** There was more than is read at once: the oldest days lack runs. */
  truncated: z.boolean(),
});
