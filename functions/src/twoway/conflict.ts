import type { Kennitala } from '../domain/kennitala.ts';
import type { Json } from '../domain/member/fields.ts';

/** Two changes nearer to each other than this are decided by a person: clocks differ, and so do intentions. */
export const TOO_CLOSE_MS = 60 * 60_000;

export type Winner = 'portal' | 'registry';

/**
 * later         the later change won
 * too-close     both within an hour: the registry stands until a person has prepared
 * incomparable  the registry cannot say when its value was changed: likewise
 */
export type ConflictReason = 'later' | 'too-close' | 'incomparable';

export interface ConflictResolution {
  readonly keep: 'portal' | 'registry' | 'value';
  readonly value: Json;
  /** The proved identity of who decided; `late-edit` where the member's own edits explained it. */
  readonly by: string;
  readonly at: Date;
}

/** One field that both sides had changed. Both values are personal: they stand here and nowhere else. */
export interface PathConflict {
  readonly expected: Json;
  readonly portal: { readonly value: Json; readonly editedAt: Date };
  readonly registry: { readonly value: Json; readonly changedAt: Date | null };
  readonly winner: Winner;
  readonly reason: ConflictReason;
  /** `open` until a person has decided. */
  readonly state: 'open' | 'resolved';
  readonly resolution: ConflictResolution | null;
}

/** `sync_conflicts/{changeId}`. */
export interface ConflictRecord {
  readonly id: string;
  readonly kennitala: Kennitala;
  readonly detectedAt: Date;
  readonly paths: Readonly<Record<string, PathConflict>>;
}

export const isOpen = ({ paths }: ConflictRecord): boolean =>
  Object.values(paths).some(({ state }) => state === 'open');

/** The last writer wins where it is certain who that was; otherwise the registry does, and a person decides. */
export const decideConflict = (
  editedAt: Date,
  changedAt: Date | null,
): { readonly winner: Winner; readonly reason: ConflictReason; readonly state: 'open' | 'resolved' } => {
  if (changedAt === null || Number.isNaN(changedAt.getTime())) {
    return { winner: 'registry', reason: 'incomparable', state: 'open' };
  }
  const aheadMs = editedAt.getTime() - changedAt.getTime();
  if (Math.abs(aheadMs) <= TOO_CLOSE_MS) return { winner: 'registry', reason: 'too-close', state: 'open' };
  return { winner: aheadMs > 0 ? 'portal' : 'registry', reason: 'later', state: 'resolved' };
};

/** The record once one of its fields is decided. */
export const withResolution = (
  conflict: ConflictRecord,
  path: string,
  resolution: ConflictResolution,
): ConflictRecord => ({
  ...conflict,
  paths: Object.fromEntries(
    Object.entries(conflict.paths).map(([name, disputed]) => [
      name,
      name === path ? { ...disputed, state: 'resolved', resolution } : disputed,
    ]),
  ),
});
