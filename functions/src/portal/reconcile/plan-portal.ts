import type { Kennitala } from '../../domain/kennitala.ts';
import type { GuardFigures } from '../../mirror/guard.ts';
import {
  CHANGES_PER_DOCUMENT,
  type MirrorPlan,
  type MissedEvents,
  type RunWarning,
  type Unfinished,
  warningsOfNumbers,
} from '../../mirror/mirror.ts';
import { digestOperations, makeForecast, makePlanId } from '../../mirror/plan.ts';
import type { Comparison } from './compare-members.ts';
import type { Difference, DifferenceKind } from './difference.ts';
import type { PortalTable } from './portal-table.ts';

/** The rate at which Firestore asks a load to begin. */
const WRITES_PER_SECOND = 500;

export interface PortalPlan extends MirrorPlan {
  /** Ascending by kennitala; removals are the last to be written. */
  readonly differences: readonly Difference[];
}

export interface PortalPlanInput {
  readonly comparison: Comparison;
  readonly removals: readonly Difference[];
  readonly removalsWithheld: number;
  readonly table: PortalTable;
  /** Documents of `members` whose name is no member's kennitala. */
  readonly strangers: number;
  /** Active members after the last run that ended well; null: none has. */
  readonly lastMemberCount: number | null;
  readonly unfinished: Unfinished | null;
  /** Whose events may be under way. */
  readonly announcedLately: ReadonlySet<Kennitala>;
}

/** The plan that makes the portal show what the registry says. Pure: equal input gives an equal plan id. */
export const planPortal = (input: PortalPlanInput): PortalPlan => {
  const { comparison, removals, table, lastMemberCount } = input;
  const differences = [...comparison.differences, ...removals].sort(byKennitala);
  const added = kennitalasOf(differences, ['create', 'revive']);
  const removed = kennitalasOf(differences, ['remove']);
  const updated = differences.length - added.length - removed.length;
  const figures = figuresOf(input, added.length, removed.length);
  const quarantined = comparison.quarantined.length;
  return {
    planId: makePlanId({
      mirror: 'portal',
      source: `${comparison.digest} ${comparison.received} ${quarantined}`,
      target: table.length === 0 ? 'absent' : table.digest(),
      operations: digestOperations(differences.map(operationText)),
    }),
    memberCount: table.active + added.length - removed.length,
    changes: {
      added: added.length,
      removed: removed.length,
      updated,
      unchanged: comparison.counts.unchanged,
      quarantined,
    },
    rewrite: false,
    figures: judgedFigures(figures, input.unfinished),
    forecast: forecastPortal(table.length, updated, differences.length, added.length + removed.length),
    warnings: warningsAbout(input),
    added,
    removed,
    facts: {},
    missedEvents: lastMemberCount === null ? null : missedIn(differences, input.announcedLately),
    letThrough: {
      added: added.length,
      removed: removed.length,
      updated: comparison.changed,
      blanked: comparison.blanked,
    },
    differences,
  };
};

/** Missed events by what the registry had done. */
export const missedIn = (
  differences: Iterable<Difference>,
  announcedLately: ReadonlySet<Kennitala>,
): MissedEvents => {
  const missed = { created: 0, updated: 0, deleted: 0 };
  for (const { kennitala, kind, isMissed } of differences) {
    if (isMissed && !announcedLately.has(kennitala)) missed[EVENT_OF[kind]] += 1;
  }
  return missed;
};

const EVENT_OF: Record<DifferenceKind, keyof MissedEvents> = {
  create: 'created',
  revive: 'created',
  update: 'updated',
  remove: 'deleted',
};

const byKennitala = (a: Difference, b: Difference): number => (a.kennitala < b.kennitala ? -1 : 1);

const kennitalasOf = (differences: readonly Difference[], kinds: readonly DifferenceKind[]): Kennitala[] =>
  differences.filter(({ kind }) => kinds.includes(kind)).map(({ kennitala }) => kennitala);

const operationText = ({ kind, kennitala, digest }: Difference): string => `${kind} ${kennitala} ${digest}`;

/** A portal that was emptied is judged by what the last run left in it, as a lost file is. */
const figuresOf = (
  { comparison, table, lastMemberCount }: PortalPlanInput,
  added: number,
  removed: number,
): GuardFigures => {
  const base = { received: comparison.received, quarantined: comparison.quarantined.length };
  const content = { updated: comparison.changed, blanked: comparison.blanked };
  if (table.active > 0) return { ...base, ...content, baseline: table.active, added, removed };
  if (lastMemberCount === null || lastMemberCount === 0) return { ...base, baseline: null, added, removed };
  return {
    ...base,
    baseline: lastMemberCount,
    added: Math.max(0, added - lastMemberCount),
    removed: Math.max(0, lastMemberCount - added),
  };
};

/** Without what an earlier run was let through with and did not finish. */
const judgedFigures = (figures: GuardFigures, unfinished: Unfinished | null): GuardFigures => {
  if (unfinished === null || figures.baseline === null) return figures;
  const less = (count: number, by: number | undefined): number => Math.max(0, count - (by ?? 0));
  return {
    ...figures,
    added: less(figures.added, unfinished.added),
    removed: less(figures.removed, unfinished.removed),
    updated: less(figures.updated ?? 0, unfinished.updated),
    blanked: Object.fromEntries(
      Object.entries(figures.blanked ?? {}).map(([field, count]) => [
        field,
        less(count, unfinished.blanked[field]),
      ]),
    ),
  };
};

const warningsAbout = ({
  comparison: { counts },
  removalsWithheld,
  strangers,
  table,
  lastMemberCount,
}: PortalPlanInput): RunWarning[] => {
  const all: (RunWarning & { readonly count: number })[] = [
    {
      code: 'portal_emptied',
      count: table.active === 0 ? (lastMemberCount ?? 0) : 0,
      message: `The portal holds no active member although the last run left ${lastMemberCount} in it.`,
    },
    {
      code: 'versions_went_back',
      count: counts.ahead,
      message: `Of ${counts.ahead} members the portal has a newer version than the registry shows; they were left alone. Take the registry's word (ops registry-word), if it is right: it was restored from a backup, or its old queue gave the versions.`,
    },
    {
      code: 'removals_withheld',
      count: removalsWithheld,
      message: `${removalsWithheld} members were on no page, but may be among those that cannot be read; they were kept.`,
    },
    {
      code: 'duplicate_members',
      count: counts.duplicates,
      message: `${counts.duplicates} members of the registry have the number of another one; the first one counts.`,
    },
    {
      code: 'unknown_documents',
      count: strangers,
      message: `${strangers} documents of the portal have a name that is no member's kennitala; they were left alone.`,
    },
  ];
  return [
    ...all.filter(({ count }) => count > 0).map(({ code, message }) => ({ code, message })),
    ...warningsOfNumbers(counts),
  ];
};

/** Every document is read once; one that differs is read again, and its pending edits are asked for. */
const forecastPortal = (held: number, updated: number, writes: number, listed: number) =>
  makeForecast(
    {
      firestoreReads: 2 + held + 2 * updated,
      firestoreWrites: writes === 0 ? 4 : 7 + writes + Math.ceil(listed / CHANGES_PER_DOCUMENT),
    },
    Math.ceil(writes / WRITES_PER_SECOND),
  );
