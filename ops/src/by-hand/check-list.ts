import { bytesOf } from '../../../functions/src/domain/kennitala-list.ts';
import { type GuardLimits, type GuardVerdict, judgePlan } from '../../../functions/src/mirror/guard.ts';
import type { ChangeCounts } from '../../../functions/src/mirror/mirror.ts';
import type { KennitalaExport } from '../../../functions/src/registry/ports.ts';
import { planRoster } from '../../../functions/src/roster/plan-roster.ts';
import { readHeldList } from '../../../functions/src/roster/published-list.ts';
import { validateExport } from '../../../functions/src/roster/roster.ts';

export interface CheckedList {
  /** The file to publish. */
  readonly bytes: Uint8Array;
  readonly memberCount: number;
  readonly sha256: string;
  readonly changes: ChangeCounts;
  readonly verdict: GuardVerdict;
  /** Counts and positions only. */
  readonly warnings: readonly string[];
}

/**
 * Makes the list from an export and judges it against the published one, by the very rules of a run of the roster.
 * Pure. Throws the SyncError `empty_export` or `incomplete_export`.
 */
export const checkList = (
  exported: KennitalaExport,
  published: Uint8Array | null,
  limits: GuardLimits,
): CheckedList => {
  const source = validateExport(exported);
  const target = published === null ? null : { generation: 'by hand', held: readHeldList(published) };
  const plan = planRoster({ list: source.list, target, lastMemberCount: null, abandonedPublished: null });
  return {
    bytes: bytesOf(plan.kennitalas),
    memberCount: plan.memberCount,
    sha256: plan.sha256,
    changes: plan.changes,
    verdict: judgePlan(plan.figures, limits),
    warnings: [...source.warnings, ...plan.warnings].map(({ message }) => message),
  };
};
