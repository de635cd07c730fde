import type { Kennitala } from '../domain/kennitala.ts';
import { againstBaseline } from '../mirror/guard.ts';
import { CHANGES_PER_DOCUMENT, type MirrorPlan, type RunWarning } from '../mirror/mirror.ts';
import { makeForecast, makePlanId } from '../mirror/plan.ts';
import type { RegisterDifferences } from './ports.ts';

export interface RegisterPlan extends MirrorPlan {
  readonly added: readonly Kennitala[];
  readonly removed: readonly Kennitala[];
  readonly reactivated: readonly Kennitala[];
  readonly updated: readonly Kennitala[];
  /** New rows alone; `added` of the record counts those who come back too. */
  readonly inserted: readonly Kennitala[];
}

export interface RegisterPlanInput {
  readonly differences: RegisterDifferences;
  readonly received: number;
  readonly quarantined: number;
  /** Digest of what the registry sent. */
  readonly sourceDigest: string;
  /** Members at the last successful run: the baseline when the table has been emptied. */
  readonly lastMemberCount: number | null;
}

/**
 * The plan for a set of differences. Pure. Whoever comes back counts as added: to the guard and to the services that is
 * somebody who becomes a member.
 */
export const planRegister = (input: RegisterPlanInput): RegisterPlan => {
  const { differences, received, quarantined, sourceDigest, lastMemberCount } = input;
  const { active, inactive, reactivated, updated, removed, unchanged, digest } = differences;
  const added = [...differences.added, ...reactivated].sort();
  const memberCount = active + added.length - removed.length;
  const counts = { added: added.length, removed: removed.length };
  return {
    planId: makePlanId({
      mirror: 'register',
      source: sourceDigest,
      target: `${active} active, ${inactive} inactive`,
      operations: digest,
    }),
    memberCount,
    changes: { ...counts, updated: updated.length, unchanged, quarantined },
    rewrite: false,
    figures: {
      received,
      quarantined,
      updated: updated.length,
      blanked: differences.blanked,
      ...againstBaseline({ held: active > 0 ? active : null, lastMemberCount, memberCount, ...counts }),
    },
    forecast: makeForecast({
      firestoreReads: 1,
      firestoreWrites:
        counts.added + counts.removed + updated.length === 0
          ? 4
          : 6 + Math.ceil((counts.added + counts.removed) / CHANGES_PER_DOCUMENT),
    }),
    warnings: warningsAbout(active, lastMemberCount),
    added,
    removed,
    facts: {},
    inserted: differences.added,
    reactivated,
    updated,
  };
};

const warningsAbout = (active: number, lastMemberCount: number | null): RunWarning[] =>
  active === 0 && lastMemberCount !== null && lastMemberCount > 0
    ? [
        {
          code: 'register_emptied',
          message: `The register has no active member although the last run left ${lastMemberCount}.`,
        },
      ]
    : [];
