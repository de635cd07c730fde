import { z } from 'zod';
import { memberReference, reasonText, time } from './common.ts';
import { explainBody } from './explain.ts';

const REASON = 'a reason in words, without the number';

export const eraseBody = z
  .strictObject({
    ...explainBody.shape,
    /** Kept for 12 months. A dry run may be without. */
    reason: reasonText.optional(),
    /** Shows what is held and changes nothing. */
    dryRun: z.boolean().default(false),
  })
  .superRefine(({ kennitala, reason, dryRun }, context) => {
    const isNamed = reason?.replaceAll(/\D/g, '').includes(kennitala) === true;
    if (isNamed || (reason === undefined && !dryRun)) {
      context.addIssue({ code: 'custom', path: ['reason'], message: REASON });
    }
  });

/** Every place that this project may hold a person in. */
export const eraseStoreName = z.enum([
  'members',
  'sync_queue',
  'sync_conflicts',
  'sync_audit/*/changes',
  'webhook_receipts',
  'webhook_hints',
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
