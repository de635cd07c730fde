import { SHARED_KEY } from '../domain/storable.ts';
import { SyncError } from '../lib/errors.ts';

/** What a plan would do, in numbers. `baseline` is null before the first publication: nothing to compare with. */
export interface GuardFigures {
  readonly baseline: number | null;
  readonly received: number;
  readonly added: number;
  readonly removed: number;
  readonly quarantined: number;
  /** Members whose content would change. Missing for a mirror that holds no content. */
  readonly updated?: number;
  /** Members who would lose what a field holds, a field. */
  readonly blanked?: Readonly<Record<string, number>>;
}

/**
 * What a plan is compared with: who is held now. Where nobody is (`held` null: the file is gone, the table empty) although
 * the last run left some, somebody emptied the mirror: who they were is not known, but how many were is, and that still
 * stops a short answer.
 */
export const againstBaseline = ({
  held,
  lastMemberCount,
  memberCount,
  added,
  removed,
}: {
  readonly held: number | null;
  readonly lastMemberCount: number | null;
  /** Members after the plan. */
  readonly memberCount: number;
  readonly added: number;
  readonly removed: number;
}): Pick<GuardFigures, 'baseline' | 'added' | 'removed'> => {
  if (held !== null || lastMemberCount === null) return { baseline: held, added, removed };
  return {
    baseline: lastMemberCount,
    added: Math.max(0, memberCount - lastMemberCount),
    removed: Math.max(0, lastMemberCount - memberCount),
  };
};

/**
 * A share and a floor must both be passed, so that neither a small list (5% of 40 is 2 people) nor a large one
 * is refused for an ordinary week; `removedMax` stops a mass removal however large the list is.
 */
export interface GuardLimits {
  readonly removedPercent: number;
  readonly removedFloor: number;
  readonly removedMax: number;
  readonly addedPercent: number;
  readonly addedFloor: number;
  readonly changedPercent: number;
  readonly changedFloor: number;
  /** Of each field by itself: a column that the registry lost shows in one field of many members. */
  readonly blankedPercent: number;
  readonly blankedFloor: number;
  readonly quarantinedPercent: number;
  readonly quarantinedFloor: number;
}

export const GUARD_RULES = [
  'removed_share',
  'removed_total',
  'added_share',
  'changed_share',
  'blanked_share',
  'quarantined_share',
] as const;

export type GuardRule = (typeof GUARD_RULES)[number];

export interface GuardFinding {
  readonly rule: GuardRule;
  /** The path of the field, where the rule is about one. */
  readonly field?: string;
  /** What the plan would do. */
  readonly count: number;
  /** The most that passes without an approval. */
  readonly allowed: number;
}

export interface GuardVerdict {
  readonly tripped: boolean;
  readonly findings: readonly GuardFinding[];
}

/** Judges a plan by its figures. Pure. Every rule that is broken is listed, not only the first. */
export const judgePlan = (figures: GuardFigures, limits: GuardLimits): GuardVerdict => {
  const findings: GuardFinding[] = [];
  const check = (rule: GuardRule, count: number, allowed: number, field?: string): void => {
    if (count > allowed) findings.push({ rule, ...(field !== undefined && { field }), count, allowed });
  };
  if (figures.baseline !== null) {
    check(
      'removed_share',
      figures.removed,
      allowedBy(figures.baseline, limits.removedPercent, limits.removedFloor),
    );
    check('removed_total', figures.removed, limits.removedMax);
    check('added_share', figures.added, allowedBy(figures.baseline, limits.addedPercent, limits.addedFloor));
    const { updated = 0, blanked = {} } = figures;
    check('changed_share', updated, allowedBy(figures.baseline, limits.changedPercent, limits.changedFloor));
    const blankedAllowed = allowedBy(figures.baseline, limits.blankedPercent, limits.blankedFloor);
    for (const [field, count] of Object.entries(blanked)) {
      check('blanked_share', count, blankedAllowed, field);
    }
  }
  check(
    'quarantined_share',
    figures.quarantined,
    allowedBy(figures.received, limits.quarantinedPercent, limits.quarantinedFloor),
  );
  return { tripped: findings.length > 0, findings };
};

/** The larger of the share and the floor: a count passes unless it is above both. */
const allowedBy = (base: number, percent: number, floor: number): number =>
  Math.max(floor, Math.floor((base * percent) / 100));

/** What a plan would do that a rule refuses, after a number. */
export const GUARD_TEXT: Record<GuardRule, string> = {
  removed_share: 'members would be removed',
  removed_total: 'members would be removed',
  added_share: 'members would be added',
  changed_share: 'members would be changed',
  blanked_share: 'members would lose a field',
  quarantined_share: 'entries cannot be read',
};

/** One sentence for the record, the log and the operator. Counts only. */
export const explainVerdict = (verdict: GuardVerdict): string =>
  verdict.findings.length === 0
    ? 'within all limits'
    : verdict.findings
        .map(
          ({ rule, field, count, allowed }) =>
            `${count} ${GUARD_TEXT[rule]}, ${allowed} allowed (${field === undefined ? rule : `${rule} ${field}`})`,
        )
        .join('; ');

/**
 * Where two persons are asked for: throws `second_person_needed` unless whoever first had the plan made (`planners`, the
 * first first) and whoever approves it are both known by proved identities, and are not the same. Nothing depends on the
 * name that was typed.
 */
export const assertMayApprove = (approvedBy: string | undefined, planners: readonly string[]): void => {
  const planner = planners.find(isPerson);
  const approver = [approvedBy ?? SHARED_KEY].find(isPerson);
  if (planner !== undefined && approver !== undefined && planner !== approver) return;
  throw new SyncError(
    'second_person_needed',
    planner === undefined || approver === undefined
      ? 'Two persons decide here, and of this plan it is not known who asked for it or who approves it. ' +
          'One person makes a dry run, signed in; another approves its plan.'
      : 'Two persons decide here, and whoever asked for this plan may not approve it. Let another administrator do so.',
  );
};

const isPerson = (identity: string): boolean => !identity.startsWith(SHARED_KEY);
