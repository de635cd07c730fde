import type { Kennitala } from '../../domain/kennitala.ts';
import { counted } from '../../lib/log.ts';
import { againstBaseline, type GuardFigures } from '../../mirror/guard.ts';
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
import { type Difference, type DifferenceKind, type Differences, differencesOf } from './difference.ts';
import type { PortalTable } from './portal-table.ts';

/** The rate at which Firestore asks a load to begin. */
const WRITES_PER_SECOND = 500;

export interface PortalPlan extends MirrorPlan {
  /** Ascending by kennitala; removals are the last to be written. */
  readonly differences: Differences;
}

export interface PortalPlanInput {
  readonly comparison: Comparison;
  readonly removals: Differences;
  readonly removalsWithheld: number;
  readonly table: PortalTable;
  /** Documents of `members` whose name is no member's kennitala. */
  readonly strangers: number;
  /** Active members after the last run that ended well; null: none has. */
  readonly lastMemberCount: number | null;
  readonly unfinished: Unfinished | null;
  /** Null: the run looks at everybody. Otherwise the active members at whom it does not look. */
  readonly activeOutside: number | null;
  /** Whose events may be under way. */
  readonly announcedLately: ReadonlySet<Kennitala>;
}

/** The plan that makes the portal show what the registry says. Pure: equal input gives an equal plan id. */
export const planPortal = (input: PortalPlanInput): PortalPlan => {
  const { comparison, removals, table, lastMemberCount } = input;
  const differences =
    removals.length === 0 ? comparison.differences : differencesOf(comparison.differences, removals);
  const added = differences.kennitalas(JOINING);
  const removed = differences.kennitalas(['remove']);
  const updated = differences.length - added.length - removed.length;
  const figures = figuresOf(input, added.length, removed.length);
  const quarantined = comparison.quarantined.length;
  const outside = input.activeOutside ?? 0;
  return {
    planId: makePlanId({
      mirror: 'portal',
      source: `${comparison.digest} ${comparison.received} ${quarantined}`,
      target: table.length === 0 ? 'absent' : table.digest(),
      operations: digestOperations(operationsOf(differences)),
    }),
    memberCount: table.active + outside + added.length - removed.length,
    changes: {
      added: added.length,
      removed: removed.length,
      updated: updated - comparison.noted,
      unchanged: comparison.counts.unchanged + comparison.noted + outside,
      quarantined,
    },
    rewrite: comparison.noted > 0,
    figures: judgedFigures(figures, input.activeOutside === null ? input.unfinished : null),
    forecast: forecastPortal(table.length, updated, differences.length, added.length + removed.length),
    warnings: warningsAbout(input),
    added,
    removed,
    facts: {},
    missedEvents: lastMemberCount === null ? null : missedIn(differences, input.announcedLately),
    ...(input.activeOutside === null && {
      letThrough: {
        added: added.length,
        removed: removed.length,
        updated: comparison.changed,
        blanked: comparison.blanked,
      },
    }),
    differences,
  };
};

/** Who is a member afterwards and was none. */
export const JOINING: readonly DifferenceKind[] = ['create', 'revive'];

/** Missed events by what the registry had done. */
export const missedIn = (
  differences: Iterable<Difference>,
  announcedLately: ReadonlySet<Kennitala>,
): MissedEvents => {
  const { add, missed } = countMissed(announcedLately);
  for (const difference of differences) add(difference);
  return missed;
};

export const countMissed = (announcedLately: ReadonlySet<Kennitala>) => {
  const missed = { created: 0, updated: 0, deleted: 0 };
  return {
    missed,
    add: ({ kennitala, kind, isMissed }: Pick<Difference, 'kennitala' | 'kind' | 'isMissed'>): void => {
      if (isMissed && !announcedLately.has(kennitala)) missed[EVENT_OF[kind]] += 1;
    },
  };
};

const EVENT_OF: Record<DifferenceKind, keyof MissedEvents> = {
  create: 'created',
  revive: 'created',
  update: 'updated',
  remove: 'deleted',
};

function* operationsOf(differences: Differences): Generator<string> {
  for (const { kind, kennitala, digest } of differences) yield `${kind} ${kennitala} ${digest}`;
}

/** A part of the portal is judged by the whole: `activeOutside` are those whom it does not hold. */
const figuresOf = (
  { comparison, table, lastMemberCount, activeOutside }: PortalPlanInput,
  added: number,
  removed: number,
): GuardFigures => {
  const outside = activeOutside ?? 0;
  const active = table.active + outside;
  const isHeld = active > 0;
  return {
    received: comparison.received + outside,
    quarantined: comparison.quarantined.length,
    // In one that was emptied everybody is new.
    ...(isHeld && { updated: comparison.changed, blanked: comparison.blanked }),
    ...againstBaseline({
      held: isHeld ? active : null,
      lastMemberCount: lastMemberCount || null,
      memberCount: added,
      added,
      removed,
    }),
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
  activeOutside,
}: PortalPlanInput): RunWarning[] => {
  const all: (RunWarning & { readonly count: number })[] = [
    {
      code: 'portal_emptied',
      count: table.active + (activeOutside ?? 0) === 0 ? (lastMemberCount ?? 0) : 0,
      message: `The portal holds no active member although the last run left ${lastMemberCount} in it.`,
    },
    {
      code: 'versions_went_back',
      count: counts.ahead,
      message: `Of ${counted(counts.ahead, 'member')} the portal has a newer version than the registry shows; they were left alone. Take the registry's word (ops registry-word), if it is right: it was restored from a backup, or its old queue gave the versions.`,
    },
    {
      code: 'removals_withheld',
      count: removalsWithheld,
      message: `${counted(removalsWithheld, 'member was', 'members were')} on no page, but may be among those that cannot be read: kept.`,
    },
    {
      code: 'duplicate_members',
      count: counts.duplicates,
      message: `${counted(counts.duplicates, 'member')} of the registry with the number of another one; the first one counts.`,
    },
    {
      code: 'unknown_documents',
      count: strangers,
      message: `${counted(strangers, 'document')} of the portal with a name that is no member's kennitala: left alone.`,
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
