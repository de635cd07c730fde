import { z } from 'zod';
import { tryKennitala } from '../../domain/kennitala.ts';
import { memberReference, time } from './common.ts';

export const explainBody = z.strictObject({
  kennitala: z
    .string()
    .max(20)
    .transform((text, context) => {
      const kennitala = tryKennitala(text);
      if (kennitala !== null) return kennitala;
      context.addIssue({ code: 'custom', message: 'a kennitala: ten digits' });
      return z.NEVER;
    }),
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
export const portalNow = z.discriminatedUnion('state', [
  z.object({
    state: z.enum(['active', 'inactive']),
    version: z.number().nullable(),
    origin: z.string().nullable(),
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

export const timelineEntry = z.object({
  at: time,
  source: z.enum(['webhook', 'run', 'portal', 'register', 'queue', 'conflict', 'operator']),
  /** What happened, as a code: `added`, `removed`, `blocked`, `applied`, `edit_pending`, … */
  what: z.string(),
  mirror: z.enum(['roster', 'portal', 'register']).nullable(),
  runId: z.string().nullable(),
  /** False: it was about the whole mirror, and so about this member too. */
  isPersonal: z.boolean(),
  detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())])),
});

export const explainAnswer = z.object({
  member: memberReference,
  at: time,
  now: z.object({ registry: registryNow, roster: rosterNow, portal: portalNow, register: registerNow }),
  because: z.array(
    z.object({ mirror: z.enum(['roster', 'portal', 'register']), code: becauseCode, text: z.string() }),
  ),
  /** Oldest first. */
  timeline: z.array(timelineEntry),
  /** Sources that could not be read: what is above may lack their entries. */
  incomplete: z.array(z.object({ source: z.string(), code: z.string() })),
});
