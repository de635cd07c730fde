import type { Kennitala } from '../domain/kennitala.ts';
import { SyncError } from '../lib/errors.ts';
import { counted } from '../lib/log.ts';
import { againstBaseline } from '../mirror/guard.ts';
import {
  CHANGES_PER_DOCUMENT,
  type MirrorPlan,
  type MirrorSource,
  type RunWarning,
  type WarningCode,
  warningsOfNumbers,
} from '../mirror/mirror.ts';
import { makeForecast, makePlanId } from '../mirror/plan.ts';
import { type CollectedMembers, digestMembers } from './collect-members.ts';
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
 * The plan for a set of differences. Pure. A member who comes back counts as added: to the guard and to the services
 * they become a member.
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

export interface RegisterSource extends MirrorSource {
  readonly collected: CollectedMembers;
  readonly digest: string;
}

const POSITIONS_SHOWN = 20;

/**
 * What was collected, as a run's source. Throws `incomplete_export` when fewer members came than the registry says it
 * has, `empty_export` when none is left: applying those would remove members. A run of some buckets may find none: a
 * bucket can lose its only member.
 */
export const toRegisterSource = (
  collected: CollectedMembers,
  { mayBeEmpty = false }: { readonly mayBeEmpty?: boolean } = {},
): RegisterSource => {
  const { received, announced, members, unreadable } = collected;
  if (announced !== null && received < announced) {
    throw new SyncError(
      'incomplete_export',
      `The registry says it has ${announced} members but sent ${received}. Nothing was changed. Look at the ` +
        'registry, then run again.',
      { details: { announced, received } },
    );
  }
  if (members.length === 0 && !mayBeEmpty) {
    throw new SyncError(
      'empty_export',
      `The registry sent no member that can be read (${received} entries, ${unreadable.length} unreadable). ` +
        'Nothing was changed. Look at the registry, then run again.',
      { details: { received, unreadable: unreadable.length } },
    );
  }
  return {
    collected,
    digest: digestMembers(collected),
    received,
    exportedAt: null,
    findings: {
      ...(announced !== null && { announced }),
      received,
      quarantined: unreadable.length,
      quarantinedAt: unreadable.slice(0, POSITIONS_SHOWN).map(({ position }) => position),
      placeholders: collected.placeholders,
      repeated: collected.repeated,
      legalEntities: collected.legalEntities,
      impossibleDates: collected.impossibleDates,
      adjusted: collected.adjusted.length,
    },
    warnings: warningsOfSource(collected),
  };
};

const warningsOfSource = (collected: CollectedMembers): RunWarning[] => {
  const { unreadable, adjusted, repeated } = collected;
  const unknown = unreadable.filter((it) => it.kennitala === null && it.external_id === null).length;
  const warnings: [applies: boolean, code: WarningCode, message: string][] = [
    [
      unreadable.length > 0,
      'quarantined_entries',
      `${counted(unreadable.length, 'member')} cannot be read; who of them is in the register stays as they are.`,
    ],
    [
      unknown > 0,
      'unidentified_entries',
      `${counted(unknown, 'of those has', 'of those have')} neither a kennitala nor a row number: if they are in the register, they count as gone.`,
    ],
    [
      adjusted.length > 0,
      'adjusted_values',
      `${counted(adjusted.length, 'member has', 'members have')} a value that the register cannot hold as it is; sync_log says which.`,
    ],
    [
      repeated > 0,
      'repeated_members',
      `${counted(repeated, 'entry repeats', 'entries repeat')} a kennitala; one of each counts.`,
    ],
  ];
  return [
    ...warnings.flatMap(([applies, code, message]) => (applies ? [{ code, message }] : [])),
    ...warningsOfNumbers(collected),
  ];
};
