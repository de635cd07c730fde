import { z } from 'zod';
import { tryKennitala } from '../../domain/kennitala.ts';
import { memberReference, nextCursor, pageFields, reasonText, time } from './common.ts';

export const queueStatus = z.enum(['pending', 'synced', 'failed', 'conflict']);
/** What became of one field of a change. */
export const fieldOutcome = z.enum(['synced', 'superseded', 'cancelled', 'failed', 'conflict']);
/** What a field held or shall hold, as the portal spells it. */
const fieldValue = z.unknown();

const queueItemFields = {
  id: z.string(),
  member: memberReference,
  status: queueStatus,
  action: z.enum(['create', 'update']),
  /** Paths of the fields: those that wait, and what became of the others. */
  waiting: z.array(z.string()),
  settled: z.record(z.string(), fieldOutcome),
  createdAt: time,
  editedAt: time,
  syncedAt: time.nullable(),
  retryCount: z.number(),
  nextAttemptAt: time,
  /** A dead letter about which an operator has decided: it stays undelivered. */
  isGivenUp: z.boolean(),
};
export const queueItem = z.object(queueItemFields);

/** With what is personal: each look at it is recorded. */
export const queueItemDetail = z.object({
  ...queueItemFields,
  kennitala: z.string(),
  values: z.record(z.string(), z.object({ oldValue: fieldValue, newValue: fieldValue })),
  errorMessage: z.string().nullable(),
});
export const queueQuery = z.strictObject({ status: queueStatus.optional(), ...pageFields });
export const queuePage = z.object({ items: z.array(queueItem), next: nextCursor });
export const queueItemAnswer = z.object({ item: queueItemDetail });
export const queueActionBody = z.strictObject({ reason: reasonText });
export const queueActionAnswer = z.object({ item: queueItem });

/** What came of a try that an operator asked for. Only `delivered` means that nothing is left to do. */
export const retryOutcome = z.enum([
  /** The registry has the value, or one that the member wrote later. */
  'delivered',
  /** The registry refused it again: a dead letter as before. */
  'given_up',
  /** The registry had another value: somebody has to decide. */
  'conflict',
  /** It did not work; the nightly sweep tries again. */
  'waiting',
  /** Somebody else was delivering the member's edits all the while. */
  'busy',
]);
export const retryAnswer = z.object({
  item: queueItem,
  /** `code`: why it is still waiting, a code of the runbook. */
  delivery: z.object({ outcome: retryOutcome, code: z.string().nullable() }),
});

export const conflictState = z.enum(['open', 'resolved']);
export const conflictWinner = z.enum(['portal', 'registry']);
export const conflictReason = z.enum(['later', 'too-close', 'incomparable']);
export const conflictKeep = z.enum(['portal', 'registry', 'value']);
const pathFacts = {
  winner: conflictWinner,
  reason: conflictReason,
  state: conflictState,
  portalEditedAt: time,
  registryChangedAt: time.nullable(),
  /** What an operator decided; null: `winner` stands. */
  decided: conflictKeep.nullable(),
};
const conflictFields = { id: z.string(), member: memberReference, state: conflictState, detectedAt: time };
export const conflict = z.object({ ...conflictFields, paths: z.record(z.string(), z.object(pathFacts)) });

/** With both values: each look at it is recorded. */
export const conflictDetail = z.object({
  ...conflictFields,
  kennitala: z.string(),
  paths: z.record(
    z.string(),
    z.object({
      ...pathFacts,
      expected: fieldValue,
      portal: fieldValue,
      registry: fieldValue,
      resolution: z
        .object({
          keep: conflictKeep,
          value: fieldValue,
          by: z.string(),
          at: time,
        })
        .nullable(),
    }),
  ),
});
export const conflictsQuery = z.strictObject({ state: conflictState.optional(), ...pageFields });
export const conflictsPage = z.object({ conflicts: z.array(conflict), next: nextCursor });
export const conflictAnswer = z.object({ conflict: conflictDetail });

/** `{"path", "keep": "portal"|"registry"|"value", "value"?}`: judged by `resolveRequest`. */
export const resolveBody = z.record(z.string(), z.unknown());
export const resolveAnswer = z.object({
  conflict,
  /** The decision has to go to the registry. */
  queued: z.boolean(),
  /** The registry has it already. */
  delivered: z.boolean(),
});

/** What is due (the default), also what waits for its next try, or the dead letters, which get another three days. */
export const twoWayRunBody = z.strictObject({
  deliver: z.enum(['due', 'waiting', 'failed'], { error: 'due, waiting or failed' }).default('due'),
});
const tally = z.object({ success: z.number(), failed: z.number() });
/** One sweep, as `sync_logs` has it. The same stands in the problem document of one that failed. */
export const twoWayRunAnswer = z.object({
  run: z.object({
    id: z.string(),
    status: z.enum(['running', 'success', 'partial', 'error']),
    startedAt: time,
    completedAt: time.nullable(),
    /** Deliveries of members' edits. */
    firestoreToDjango: tally,
    /** Changes of members that the registry's queue told of. */
    djangoToFirestore: tally,
    conflicts: z.number(),
    errorCode: z.string().nullable(),
    error: z.string().nullable(),
    requestedBy: z.string().nullable(),
  }),
});

/** The number stands in the body alone; what is wrong with it is said without quoting it. */
export const syncMemberBody = z.strictObject({
  kennitala: z.string().transform((text, context) => {
    const kennitala = tryKennitala(text);
    if (kennitala !== null) return kennitala;
    context.addIssue({ code: 'custom', message: 'ten digits, with or without a hyphen' });
    return z.NEVER;
  }),
  dryRun: z.boolean().default(false),
});
/** `stale`: the portal has a later version. `guarded`: the answer would empty most of the member, and may be broken. */
export const syncDecision = z.enum(['applied', 'would-apply', 'unchanged', 'stale', 'guarded', 'skipped']);
/** With personal values of both sides: each look is recorded. */
export const syncMemberAnswer = z.object({
  member: memberReference,
  found: z.boolean(),
  decision: syncDecision,
  differences: z.array(z.object({ path: z.string(), portal: fieldValue, registry: fieldValue })),
  keptEdits: z.array(z.string()),
  reasons: z.array(z.string()),
});
