import { z } from 'zod';
import { ORIGINS } from '../../domain/member/member.ts';
import { kennitalaText, memberReference, mirrorName, reasonText, time } from './common.ts';
import { endedOutcome, guardRule, runTrigger } from './runs.ts';
import { conflictKeep, conflictWinner } from './two-way.ts';

export const explainBody = z.strictObject({
  kennitala: kennitalaText,
});

const unknown = z.object({ state: z.literal('unknown'), code: z.string() });

export const registryNow = z.discriminatedUnion('state', [
  z.object({ state: z.literal('member'), version: z.number().nullable() }),
  z.object({ state: z.literal('no-member') }),
  /** What the registry sent about this member cannot be read. */
  z.object({ state: z.literal('unreadable'), code: z.string() }),
  unknown,
]);
export const rosterNow = z.discriminatedUnion('state', [
  z.object({ state: z.literal('listed'), generation: z.string() }),
  z.object({ state: z.literal('not-listed'), generation: z.string().nullable() }),
  unknown,
]);
/** Who wrote a member's document last. */
export const memberOrigin = z.enum(ORIGINS);
/** What an event or an edit is about. */
export const changeAction = z.enum(['create', 'update', 'delete']);

export const portalNow = z.discriminatedUnion('state', [
  z.object({
    state: z.enum(['active', 'inactive']),
    version: z.number().nullable(),
    origin: memberOrigin.nullable(),
    syncedAt: time.nullable(),
    deletedAt: time.nullable(),
  }),
  z.object({ state: z.literal('absent') }),
  unknown,
]);
export const registerNow = z.discriminatedUnion('state', [
  z.object({ state: z.enum(['active', 'inactive']), addedAt: time.nullable(), removedAt: time.nullable() }),
  z.object({ state: z.literal('absent') }),
  z.object({ state: z.literal('not-configured') }),
  unknown,
]);

export const becauseCode = z.enum([
  'equal_to_registry',
  'ahead_of_registry',
  'content_differs',
  'placeholder',
  'registry_unknown',
  'mirror_unknown',
  'registry_unreadable',
  'mirror_paused',
  'last_run_blocked',
  'last_run_failed',
  'not_in_last_export',
  'waits_for_next_run',
]);

export const timelineSource = z.enum([
  'webhook',
  'run',
  'portal',
  'register',
  'queue',
  'conflict',
  'operator',
]);

/** What happened. */
export const timelineWhat = z.enum([
  // An event of the registry, by what it was answered; `received`: with an answer that is not known any more.
  'applied',
  'stale',
  'duplicate',
  'received',
  // A run, or the register's own row.
  'added',
  'removed',
  'rolled_back',
  'blocked',
  'failed',
  'partial',
  'skipped',
  'running',
  // The portal's own document.
  'last_written',
  'deleted',
  // A member's own edit.
  'edited',
  'edit_pending',
  'edit_synced',
  'edit_failed',
  'edit_conflict',
  // A conflict.
  'detected',
  'resolved',
  // What an operator did, or looked at.
  'view_changes',
  'explain',
  'view_queue_item',
  'sync_member',
  'view_conflict',
  'pause',
  'resume',
  'retry_change',
  'fail_change',
  'resolve_conflict',
  'registry_word',
  'view_roll',
  'compare_rolls',
  'freeze_roll',
  'erase',
  'erase_check',
]);

/** Facts that go with an entry: codes, ids, paths of fields, no value of one. */
export const timelineDetail = z
  .object({
    id: z.string(),
    action: changeAction,
    trigger: runTrigger,
    outcome: endedOutcome,
    errorCode: z.string().nullable(),
    rules: z.array(guardRule),
    approvedBy: z.string().nullable(),
    rollbackOf: z.string().nullable(),
    origin: memberOrigin.nullable(),
    version: z.number().nullable(),
    status: z.enum(['active', 'inactive']),
    paths: z.array(z.string()),
    /** Whose value stands, by the path of the field. */
    winners: z.record(z.string(), conflictWinner),
    keep: conflictKeep,
    retryCount: z.number(),
    nextAttemptAt: time,
    by: z.string(),
    reason: z.string().nullable(),
  })
  .partial();

export const timelineEntry = z.object({
  at: time,
  source: timelineSource,
  what: timelineWhat,
  mirror: mirrorName.nullable(),
  runId: z.string().nullable(),
  /** False: it was about the whole mirror, and so about this member too. */
  isPersonal: z.boolean(),
  detail: timelineDetail,
});

/** Where an explanation looks. */
export const explainSource = z.enum([
  'registry',
  'roster',
  'portal',
  'register',
  'mirror_states',
  'webhook_receipts',
  'run_changes',
  'roster_runs',
  'portal_runs',
  'register_runs',
  'queue',
  'conflicts',
  'operator_actions',
]);

export const explainAnswer = z.object({
  member: memberReference,
  at: time,
  now: z.object({ registry: registryNow, roster: rosterNow, portal: portalNow, register: registerNow }),
  because: z.array(z.object({ mirror: mirrorName, code: becauseCode, text: z.string() })),
  /** Oldest first. */
  timeline: z.array(timelineEntry),
  /** Sources that could not be read: what is above may lack their entries. */
  incomplete: z.array(z.object({ source: explainSource, code: z.string() })),
});

export const eraseBody = z
  .strictObject({
    ...explainBody.shape,
    /** Kept for 12 months. A dry run may be without. */
    reason: reasonText.optional(),
    /** Shows what is held and changes nothing. */
    dryRun: z.boolean().default(false),
  })
  .refine(({ reason, dryRun }) => reason !== undefined || dryRun, {
    path: ['reason'],
    error: 'a reason in words',
  });

/** Every place that this project may hold a person in. */
export const eraseStoreName = z.enum([
  'members',
  'sync_queue',
  'sync_conflicts',
  'sync_audit/*/changes',
  'webhook_receipts',
  'webhook_hints',
  'free texts of operators',
  'public.members',
  'public.member_unverified',
  'public.member_changes',
  'public.sync_log',
  'public.notification_outbox',
  'versions of the list',
]);

const count = z.number().int().nonnegative().nullable();

/** Documents, rows or versions. Null: it is not known. */
export const erasedStore = z.object({
  store: eraseStoreName,
  found: count,
  erased: count,
  /** Read after everything was done. 0 is the proof. */
  left: count,
  /** What went wrong, as a code of the runbook. */
  code: z.string().nullable(),
});

export const softDeletedCopies = z.discriminatedUnion('state', [
  z.object({
    state: z.literal('known'),
    /** How long the bucket keeps what is deleted; 0: it does not. */
    retentionDays: z.number(),
    /** Deleted versions of the list that it still keeps, whoever stands in them. */
    copies: z.number(),
    /** When the last of them is gone for good. */
    lastExpiresAt: time.nullable(),
  }),
  z.object({ state: z.literal('unknown'), code: z.string() }),
]);

export const eraseAnswer = z.object({
  member: memberReference,
  at: time,
  dryRun: z.boolean(),
  /** Everything was read again, and nothing is left. Soft-deleted copies may be: see there. */
  absent: z.boolean(),
  stores: z.array(erasedStore),
  /** False: there is no register here, and so no rows of it above. */
  hasRegister: z.boolean(),
  softDeleted: softDeletedCopies,
  /** What stays on purpose. */
  stays: z.array(z.string()),
  /** What this cannot reach. */
  outOfReach: z.array(z.string()),
});
