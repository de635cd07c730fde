import { z } from '@hono/zod-openapi';
import { tryKennitala } from '../../domain/kennitala.ts';
import { runFields } from '../../mirror/run-answer.ts';

/** The API's shapes: what is parsed, and what `/openapi.json` says. */

export const problem = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string().describe('stable; the runbook has a section for each'),
    detail: z.string(),
    requestId: z.string(),
  })
  .describe('RFC 9457')
  .openapi('Problem');

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
  .openapi('Health');

export const healthQuery = z.strictObject({ deep: z.enum(['0', '1']).optional() });

export const syncRequest = z.strictObject({ approve: runFields.approve }).openapi('SyncRequest');
export const dryRunRequest = z.strictObject({}).openapi('DryRunRequest');

export const runReport = z
  .object({
    record: z.looseObject({
      runId: z.string(),
      mirror: z.literal('register'),
      status: z.enum(['success', 'error']),
      outcome: z.enum(['published', 'unchanged', 'blocked', 'failed', 'dry-run', 'skipped']),
      memberCount: z.int().nullable(),
      planId: z.string().nullable(),
      changes: z
        .object({
          added: z.int(),
          removed: z.int(),
          updated: z.int(),
          unchanged: z.int(),
          quarantined: z.int(),
        })
        .nullable(),
    }),
    forecast: z.looseObject({ costUsd: z.number() }).nullable(),
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
  .openapi('RunReport');

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
  .openapi('SyncLogEntry');

export const statusAnswer = z
  .object({
    running: z.boolean(),
    last_run: logEntry.nullable(),
    last_success: logEntry.nullable(),
    age_seconds: z.int().nullable().describe('since the last success; null before the first'),
    active_members: z.int(),
    inactive_members: z.int(),
    waiting_notifications: z.int(),
  })
  .openapi('Status');

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
  .openapi('SyncLogs');

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
  .openapi({ type: 'string', example: '0101302989' });

export const eligibilityRequest = z
  .strictObject({ kennitalas: z.array(kennitala).min(1).max(1_000) })
  .openapi('EligibilityRequest');

export const eligibilityAnswer = z
  .object({
    verified_at: z.iso
      .datetime()
      .nullable()
      .describe('when the register was last known to equal the registry'),
    members: z
      .array(z.object({ kennitala: z.string(), active: z.boolean(), since: z.iso.datetime().nullable() }))
      .describe('in the order asked'),
  })
  .openapi('Eligibility');

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
  .openapi('RunChanges');
