import { z } from 'zod';
import { GUARD_RULES } from '../../mirror/guard.ts';
import { isPossibleRun, NOTHING_TO_APPROVE, runFields } from '../../mirror/run-answer.ts';
import { documentId, kennitalaText, mirrorName, nextCursor, pageFields, reasonText, time } from './common.ts';

export const runOutcome = z.enum([
  'published',
  'unchanged',
  'blocked',
  'partial',
  'failed',
  'dry-run',
  'skipped',
]);
/** Of a record that may still be open, or closed without an outcome by an earlier version. */
export const endedOutcome = z.enum([...runOutcome.options, 'running', 'success', 'error']);
export const runTrigger = z.enum(['schedule', 'http', 'local', 'event', 'proof']);
export const guardRule = z.enum(GUARD_RULES);

const counts = z.object({
  added: z.number(),
  removed: z.number(),
  updated: z.number(),
  unchanged: z.number(),
  quarantined: z.number(),
});

export const missedEvents = z.object({ created: z.number(), updated: z.number(), deleted: z.number() });

/** A run's record: counts only, no member is named in it. */
export const runRecord = z.object({
  runId: z.string(),
  mirror: mirrorName,
  trigger: runTrigger,
  status: z.enum(['running', 'success', 'error']),
  outcome: runOutcome.nullable(),
  timestamp: time,
  durationMs: z.number().nullable(),
  memberCount: z.number().nullable(),
  djangoExportedAt: time.nullable(),
  changes: counts.nullable(),
  missedEvents: missedEvents.nullable(),
  planId: z.string().nullable(),
  guard: z
    .object({
      tripped: z.boolean(),
      findings: z.array(
        z.object({ rule: guardRule, field: z.string().optional(), count: z.number(), allowed: z.number() }),
      ),
    })
    .nullable(),
  objectGeneration: z.string().nullable(),
  previousGeneration: z.string().nullable(),
  rollbackOf: z.string().nullable(),
  sha256: z.string().nullable(),
  warnings: z.array(z.object({ code: z.string(), message: z.string() })),
  error: z.string().nullable(),
  errorCode: z.string().nullable(),
  requestedBy: z.string().nullable(),
  approvedBy: z.string().nullable(),
  reason: z.string().nullable(),
});

export const runsQuery = z.strictObject({
  mirror: mirrorName.optional(),
  outcome: runOutcome.optional(),
  /** Begun at this moment or later, and before that one. */
  from: time.optional(),
  until: time.optional(),
  ...pageFields,
});
export const runsPage = z.object({ runs: z.array(runRecord), next: nextCursor });
/** What another run has to do with this one. */
export const relation = z.enum(['planned', 'refused', 'approved', 'done', 'rolled_back', 'superseded']);
export const runAnswer = z.object({
  run: runRecord,
  /** Oldest first. Nobody can approve this run any more when one of them is `approved`, `done`, or `superseded`. */
  related: z.array(
    z.object({
      runId: z.string(),
      relation,
      at: time,
      /** The proved identity of who asked for that run; null for a scheduled one. */
      by: z.string().nullable(),
      /** The name that was typed with an approval. */
      typedName: z.string().nullable(),
      reason: z.string().nullable(),
    }),
  ),
});

const PAGE = 'the number of a page, from 0';
export const runChangesQuery = z.strictObject({
  page: z.coerce
    .number({ error: PAGE })
    .int({ error: PAGE })
    .min(0, { error: PAGE })
    .max(1_000_000, { error: PAGE })
    .default(0),
});
/** At most 5,000 kennitalas a page: the added first, then the removed. */
export const runChanges = z.object({
  runId: z.string(),
  added: z.array(z.string()),
  removed: z.array(z.string()),
  nextPage: z.number().nullable(),
});

const countOf = z.array(z.object({ key: z.string(), count: z.number() }));
const group = z.object({
  count: z.number(),
  /** `0-17`, `18-34`, …; `unknown`: a number without a date of birth. */
  ages: countOf,
  /** `10x`: the first two digits of the postal code; `unknown`: the portal has no address. */
  areas: countOf,
  /** The year of joining. */
  joined: countOf,
});
/** Who would be added and removed, without names. `truncated`: of more than the first 20,000 only those are grouped. */
export const runGroups = z.object({
  runId: z.string(),
  added: group,
  removed: group,
  truncated: z.boolean(),
});

export const listedPerson = z.object({
  what: z.enum(['added', 'removed']),
  kennitala: z.string(),
  name: z.string().nullable(),
  postalCode: z.string().nullable(),
  dateJoined: time.nullable(),
});
export const runPeople = z.object({
  runId: z.string(),
  people: z.array(listedPerson),
  nextPage: z.number().nullable(),
});

/** Pauses and resumptions of one mirror, newest first. */
export const pausesAnswer = z.object({
  pauses: z.array(
    z.object({
      action: z.enum(['pause', 'resume']),
      at: time,
      by: z.string(),
      reason: z.string().nullable(),
    }),
  ),
});

/** An approval says how many members the plan removes, as the operator has read and typed it; left out: none. */
const fields = {
  ...runFields,
  approve: runFields.approve
    .unwrap()
    .extend({ removed: z.number().int().min(0).optional() })
    .optional(),
};

export const startRunBody = z
  .strictObject({ mirror: mirrorName, ...fields })
  .refine(isPossibleRun, NOTHING_TO_APPROVE);

/** What a plan would cost, for a dry run and a blocked run. */
export const forecast = z.object({
  firestoreReads: z.number(),
  firestoreWrites: z.number(),
  firestoreDeletes: z.number(),
  storageClassA: z.number(),
  storageClassB: z.number(),
  costUsd: z.number(),
});
/** The same two fields stand in the problem document of a run that was refused or failed. */
export const startedRun = z.object({ run: runRecord, forecast: forecast.nullable() });

/** `kennitala`: of one member; without it of every one whom the portal holds ahead of the registry. */
export const registryWordBody = z
  .strictObject({
    kennitala: kennitalaText.optional(),
    /** Kept with who asked. A dry run may be without. */
    reason: reasonText.optional(),
    ...runFields,
  })
  .refine(isPossibleRun, NOTHING_TO_APPROVE)
  .refine(({ dryRun, reason, approve }) => dryRun === true || (reason ?? approve?.reason) !== undefined, {
    path: ['reason'],
    error: 'a reason in words',
  });

/** Cloud Storage counts in 64 bits with a sign, and answers a larger number with a failure of its own. */
const LAST_GENERATION = String(2n ** 63n - 1n);

export const rollbackBody = z
  .strictObject({
    generation: z
      .string()
      .regex(/^\d{1,19}$/, { error: 'the number of a version' })
      .refine((digits) => digits.padStart(19, '0') <= LAST_GENERATION, { error: 'the number of a version' })
      .optional(),
    runId: documentId.optional(),
    reason: reasonText.optional(),
    ...fields,
  })
  .refine(({ generation, runId }) => (generation === undefined) !== (runId === undefined), {
    error: 'either generation or runId',
  })
  .refine(isPossibleRun, NOTHING_TO_APPROVE);

/** The newest 200 of the kept versions of the published list, newest first. */
export const rosterVersions = z.object({
  versions: z.array(
    z.object({
      generation: z.string(),
      publishedAt: time,
      isCurrent: z.boolean(),
      memberCount: z.number().nullable(),
      runId: z.string().nullable(),
      sha256: z.string().nullable(),
    }),
  ),
});
