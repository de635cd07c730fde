import { type DocumentData, Timestamp } from 'firebase-admin/firestore';
import { z } from 'zod';
import type { Kennitala } from '../../domain/kennitala.ts';
import type { Json } from '../../domain/member/field-row.ts';
import { type ConflictRecord, isOpen, type PathConflict } from '../../twoway/conflict.ts';

/** A decided conflict is kept for 12 months, as every record; an open one until somebody decides. */
const DECIDED_KEPT_MS = 365 * 24 * 60 * 60_000;

const date = z.instanceof(Timestamp).transform((time) => time.toDate());
const json = z.json() as z.ZodType<Json>;

const pathConflict = z
  .object({
    expected: json,
    portal: z.object({ value: json, edited_at: date }),
    registry: z.object({ value: json, changed_at: date.nullable() }),
    winner: z.enum(['portal', 'registry']),
    reason: z.enum(['later', 'too-close', 'incomparable']),
    state: z.enum(['open', 'resolved']),
    resolution: z
      .object({ keep: z.enum(['portal', 'registry', 'value']), value: json, by: z.string(), at: date })
      .nullable(),
  })
  .transform(
    ({ portal, registry, ...rest }): PathConflict => ({
      ...rest,
      portal: { value: portal.value, editedAt: portal.edited_at },
      registry: { value: registry.value, changedAt: registry.changed_at },
    }),
  );

const conflictDocument = z.object({
  kennitala: z.string(),
  detected_at: date,
  paths: z.record(z.string(), pathConflict),
});

/** A conflict as `sync_conflicts/{changeId}` holds it. */
export const toConflictDocument = (record: ConflictRecord): DocumentData => {
  const isDecided = !isOpen(record);
  const ends = Object.values(record.paths).map(({ resolution }) =>
    (resolution?.at ?? record.detectedAt).getTime(),
  );
  return {
    kennitala: record.kennitala,
    state: isDecided ? 'resolved' : 'open',
    detected_at: record.detectedAt,
    paths: Object.fromEntries(
      Object.entries(record.paths).map(([path, { portal, registry, ...rest }]) => [
        path,
        {
          ...rest,
          portal: { value: portal.value, edited_at: portal.editedAt },
          registry: { value: registry.value, changed_at: registry.changedAt },
        },
      ]),
    ),
    expireAt: isDecided ? new Date(Math.max(...ends) + DECIDED_KEPT_MS) : null,
  };
};

/** @throws ZodError for a document of another author. */
export const fromConflictDocument = (id: string, data: DocumentData): ConflictRecord => {
  const { kennitala, detected_at: detectedAt, paths } = conflictDocument.parse(data);
  return { id, kennitala: kennitala as Kennitala, detectedAt, paths };
};
