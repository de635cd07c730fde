import type { Timestamp, WriteBatch } from 'firebase-admin/firestore';

/** NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION: a document is not as the batch's preconditions say. */
const OVERTAKEN = new Set<unknown>([5, 6, 9]);

/**
 * Commits a batch of which some writes have a precondition. Returns the time of its last write, for the precondition
 * of the next one, or null when a precondition does not hold; then nothing was written. The client may have sent the
 * batch twice, so null can also mean that the first answer was lost: read before concluding anything.
 */
export const tryCommit = async (batch: WriteBatch): Promise<Timestamp | null> => {
  try {
    return (await batch.commit()).at(-1)?.writeTime ?? null;
  } catch (cause) {
    if (OVERTAKEN.has((cause as { code?: unknown } | null)?.code)) return null;
    throw cause;
  }
};
