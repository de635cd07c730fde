import { z } from 'zod';
import { tryKennitala } from '../../domain/kennitala.ts';
import { runFields, runReport } from '../../mirror/run-answer.ts';
import { receipt } from '../../proof/schemas.ts';

/** The API's shapes: what is parsed, and what `/openapi.json` says. */

export const health = z
  .object({
    status: z.enum(['healthy', 'unhealthy']),
    service: z.literal('membership-sync'),
    checks: z
      .object({
        database: z.string().describe('"ok" or an error code'),
        schema: z.object({ version: z.int(), needed: z.int() }).nullable(),
        registry: z.string().describe('"ok" or an error code'),
      })
      .optional(),
  })
  .meta({ id: 'Health' });

export const healthQuery = z.strictObject({ deep: z.enum(['0', '1']).optional() });

export const syncRequest = z.strictObject({ approve: runFields.approve }).meta({ id: 'SyncRequest' });
export const dryRunRequest = z.strictObject({}).meta({ id: 'DryRunRequest' });

export const registerRunReport = runReport
  .extend({
    samples: z
      .object({
        added: z.array(z.string()),
        reactivated: z.array(z.string()),
        updated: z.array(z.string()),
        removed: z.array(z.string()),
      })
      .nullable()
      .describe('a few members of each kind, by opaque reference'),
  })
  .meta({ id: 'RunReport' });

export const logEntry = z
  .object({
    id: z.int(),
    sync_type: z.enum(['membership', 'webhook', 'manual']),
    sync_timestamp: z.iso.datetime(),
    members_added: z.int(),
    members_removed: z.int(),
    members_verified: z.int(),
    error_count: z.int(),
    status: z.enum(['pending', 'success', 'failed']),
    details: z.looseObject({}),
  })
  .meta({ id: 'SyncLogEntry' });

export const registerStatus = z
  .object({
    running: z.boolean(),
    last_run: logEntry.nullable(),
    last_success: logEntry.nullable(),
    age_seconds: z.int().nullable().describe('since the last success; null before the first'),
    active_members: z.int(),
    inactive_members: z.int(),
    waiting_notifications: z.int(),
  })
  .meta({ id: 'Status' });

export const logsQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  before: z.coerce
    .number()
    .int()
    .positive()
    .max(2_147_483_647)
    .optional()
    .describe('entries with a smaller id'),
  status: z.enum(['pending', 'success', 'failed']).optional(),
  type: z.enum(['membership', 'webhook', 'manual']).optional(),
});

export const logsAnswer = z
  .object({
    logs: z.array(logEntry),
    next: z.int().nullable().describe('give it as `before` for the next page; null on the last one'),
  })
  .meta({ id: 'SyncLogs' });

/** A number that cannot be read is refused: answered as "no member" it would cost somebody their vote. */
const kennitala = z
  .string()
  .max(20)
  .transform((text, context) => {
    const read = tryKennitala(text);
    if (read !== null) return read;
    context.addIssue({ code: 'custom', message: 'is not a kennitala' });
    return z.NEVER;
  })
  .meta({ examples: ['0101302989'] });

export const eligibilityRequest = z
  .strictObject({
    kennitalas: z.array(kennitala).min(1).max(1_000),
    at: z
      .string()
      .max(40)
      .optional()
      .describe('a moment of the past: by the published list that was in force then, not by the register'),
  })
  .meta({ id: 'EligibilityRequest' });

export const eligibilityAnswer = z
  .object({
    verified_at: z.iso
      .datetime()
      .nullable()
      .describe('when the register was last known to equal the registry'),
    members: z
      .array(z.object({ kennitala: z.string(), active: z.boolean(), since: z.iso.datetime().nullable() }))
      .describe('in the order asked'),
    roll: receipt
      .optional()
      .describe('with `at`: the signed receipt of that list, whose members have no `since`'),
  })
  .meta({ id: 'Eligibility' });

export const runParams = z.strictObject({
  run: z
    .string()
    .min(1)
    .max(64)
    .regex(/^[A-Za-z0-9-]+$/),
});

export const changesQuery = z.strictObject({
  after: z.coerce.number().int().nonnegative().max(2_147_483_647).default(0),
  limit: z.coerce.number().int().min(1).max(1_000).default(500),
});

export const changesAnswer = z
  .object({
    changes: z.array(
      z.object({
        member_id: z.int().describe('members.id'),
        member: z.string().describe('the opaque reference'),
        kind: z.enum(['added', 'reactivated', 'updated', 'removed']),
      }),
    ),
    next: z.int().nullable().describe('give it as `after` for the next page; null on the last one'),
  })
  .meta({ id: 'RunChanges' });
