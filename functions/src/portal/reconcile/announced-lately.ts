import type { Kennitala } from '../../domain/kennitala.ts';
import { whoIs } from '../../domain/member/wire.ts';
import { isSyncError } from '../../lib/errors.ts';
import type { MemberPages } from '../../registry/ports.ts';

/** Longer than a delivery with a few tries. */
export const DELIVERY_MS = 2 * 60_000;

/**
 * Members whom the registry changed just before the run: their events may be under way, so the reconcile was merely
 * faster. The registry is asked for them, as its members carry no time of change. One that does not know
 * `modified_since` answers all, or nothing of use; then no difference is excused. Deletions cannot be asked for.
 */
export const findAnnouncedLately = async (
  pages: MemberPages,
  startedAt: Date,
  received: number,
  signal: AbortSignal,
): Promise<ReadonlySet<Kennitala>> => {
  const lately = new Set<Kennitala>();
  try {
    const modifiedSince = new Date(startedAt.getTime() - DELIVERY_MS);
    for await (const { members, count } of pages.pages({ signal, modifiedSince })) {
      if (count === null || count >= received) return new Set();
      for (const member of members) {
        const { kennitala } = whoIs(member);
        if (kennitala !== null) lately.add(kennitala);
      }
    }
    return lately;
  } catch (cause) {
    if (isSyncError(cause)) return new Set();
    throw cause;
  }
};
