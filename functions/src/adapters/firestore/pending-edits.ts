import { type DocumentData, Timestamp } from 'firebase-admin/firestore';
import { z } from 'zod';
import type { PendingEdit } from '../../domain/member/keep-pending-edits.ts';

const queueItem = z.object({
  edited_at: z.instanceof(Timestamp),
  changes: z.record(z.string(), z.object({ new_value: z.unknown() })),
});

/** The edits of one `sync_queue` document. One that cannot be read is the sweep's to report, and holds up nothing here. */
export const toPendingEdits = (data: DocumentData): PendingEdit[] => {
  const read = queueItem.safeParse(data);
  if (!read.success) return [];
  const editedAt = read.data.edited_at.toDate();
  return Object.entries(read.data.changes).map(([path, { new_value: value }]) => ({ path, editedAt, value }));
};
