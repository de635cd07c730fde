import * as z from 'zod';
import { tryKennitala } from '../../domain/kennitala.ts';
import type { Json } from '../../domain/member/fields.ts';
import { memberVersion } from '../../domain/member/member.ts';
import { SyncError } from '../../lib/errors.ts';
import type { Change, ChangeAnswer, RegistryChanges } from '../../registry/ports.ts';
import type { RegistryHttp } from './registry-http.ts';

const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
/** Django without `USE_TZ` writes no offset: Iceland's time, which is UTC all year. */
const queuedTime = z.iso
  .datetime({ offset: true, local: true })
  .transform((text) => new Date(/(?:Z|[+-]\d{2}:?\d{2})$/i.test(text) ? text : `${text}Z`));
/** Without an offset, or not a time at all: then it cannot be compared. */
const comparableTime = z.unknown().transform((value) => time.safeParse(value).data ?? null);
const json = z.json() as z.ZodType<Json>;
const version = memberVersion.nullish();

const result = z.discriminatedUnion('status', [
  z.looseObject({ ssn: z.string(), status: z.literal('success'), version }),
  z.looseObject({
    ssn: z.string(),
    status: z.literal('error'),
    code: z.string().max(100).nullish(),
    message: z.string().nullish(),
  }),
  z.looseObject({
    ssn: z.string(),
    status: z.literal('conflict'),
    version,
    current: z.record(z.string(), json),
    changed_at: comparableTime.optional(),
  }),
]);

const applyAnswer = z.object({ results: z.array(result) });

const outboxAnswer = z.object({
  changes: z.array(
    z.looseObject({
      id: z.int().positive(),
      ssn: z.string(),
      action: z.enum(['create', 'update', 'delete']),
      created_at: queuedTime,
    }),
  ),
});

const markAnswer = z.looseObject({ success: z.literal(true) });

/** Long enough for the registry to write a hundred members, and well below the claim of those who wait for it. */
const DEADLINE_MS = 40_000;

export interface MemberChangesOptions {
  /** For one call with its retries, in milliseconds. */
  readonly deadlineMs?: number | undefined;
}

/** The calls of the way back and of the change queue. Errors: those of RegistryHttp. */
export const makeMemberChanges = (
  http: Pick<RegistryHttp, 'getJson' | 'postJson'>,
  { deadlineMs = DEADLINE_MS }: MemberChangesOptions = {},
): RegistryChanges => ({
  apply: async (changes, { signal, isRepeatable }) => {
    const { results } = await http.postJson('/api/sync/apply/', { changes }, applyAnswer, {
      signal,
      deadlineMs,
      idempotent: isRepeatable,
    });
    return assertInOrder(changes, results).map(toAnswer);
  },
  outbox: async ({ signal }) => {
    const { changes } = await http.getJson('/api/sync/changes/', outboxAnswer, { signal, deadlineMs });
    return changes
      .map(({ id, ssn, action, created_at: createdAt }) => ({ id, ssn, action, createdAt }))
      .sort((a, b) => a.id - b.id);
  },
  markSynced: async (ids, { signal }) => {
    await http.postJson('/api/sync/mark-synced/', { sync_ids: ids }, markAnswer, {
      signal,
      deadlineMs,
      idempotent: true,
    });
  },
});

/** An answer about other members, or about fewer, says nothing of any change. */
const assertInOrder = (
  changes: readonly Change[],
  results: readonly z.output<typeof result>[],
): readonly z.output<typeof result>[] => {
  const isInOrder =
    results.length === changes.length &&
    results.every(({ ssn }, n) => tryKennitala(ssn) === changes[n]?.kennitala);
  if (isInOrder) return results;
  throw new SyncError(
    'registry_invalid_response',
    `POST /api/sync/apply/: ${results.length} results for ${changes.length} changes, or in another order. The registry and this project disagree on the format.`,
  );
};

const toAnswer = (one: z.output<typeof result>): ChangeAnswer => {
  switch (one.status) {
    case 'success':
      return { status: 'success', version: one.version ?? null };
    case 'error':
      return { status: 'refused', code: one.code ?? null, message: one.message ?? 'no reason given' };
    case 'conflict':
      return {
        status: 'conflict',
        current: one.current,
        version: one.version ?? null,
        changedAt: one.changed_at ?? null,
      };
    default: {
      const never: never = one;
      return never;
    }
  }
};
