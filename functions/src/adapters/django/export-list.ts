import * as z from 'zod';
import type { ListSource } from '../../registry/ports.ts';
import type { RegistryHttp } from './registry-http.ts';

/**
 * Checked in place. `z.array(z.string())` would copy a list of a million entries, and collect a million issues for
 * a list of a million wrong ones.
 */
const stringListSchema = z.custom<string[]>().superRefine((value: unknown, context) => {
  if (!Array.isArray(value)) {
    context.addIssue({ code: 'invalid_type', expected: 'array' });
    return;
  }
  const fault = value.findIndex((entry) => typeof entry !== 'string');
  if (fault >= 0) context.addIssue({ code: 'invalid_type', expected: 'string', path: [fault] });
});

const exportSchema = z.object({
  count: z.int().min(0),
  kennitalas: stringListSchema,
  // It is recorded and published with the list, so it must be a time and nothing else. Without an offset it is read
  // as UTC, which is Iceland's time all year.
  exported_at: z.iso.datetime({ offset: true, local: true }).nullish(),
});

export interface ListExportOptions {
  /** For the whole fetch with its retries, below the time limit of the function that runs it. */
  readonly deadlineMs?: number | undefined;
}

/**
 * `GET /api/members/kennitalas/`. Errors: those of RegistryHttp. An empty list, or one shorter than its count, is an
 * answer here; the roster decides what it means.
 */
export const makeListExport = (
  http: Pick<RegistryHttp, 'getJson'>,
  { deadlineMs }: ListExportOptions = {},
): ListSource => ({
  fetchKennitalaExport: async ({ signal }) => {
    const answer = await http.getJson('/api/members/kennitalas/', exportSchema, { signal, deadlineMs });
    return { count: answer.count, kennitalas: answer.kennitalas, exportedAt: answer.exported_at ?? null };
  },
});
