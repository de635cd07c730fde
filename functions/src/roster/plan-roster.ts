import { digestOf, type KennitalaList, listOfNumbers, type MemberList } from '../domain/kennitala-list.ts';
import { counted } from '../lib/log.ts';
import { againstBaseline } from '../mirror/guard.ts';
import { CHANGES_PER_DOCUMENT, type MirrorPlan, type RunWarning } from '../mirror/mirror.ts';
import { digestOperations, makeForecast, makePlanId } from '../mirror/plan.ts';
import type { HeldList } from './published-list.ts';

/** What stands in the bucket when the plan is made. */
export interface RosterTarget {
  readonly generation: string;
  readonly held: HeldList;
}

export interface RosterPlan extends MirrorPlan {
  readonly kennitalas: KennitalaList;
  readonly sha256: string;
  /** The version that the plan was made against: the precondition of the write. */
  readonly ifGeneration: string | null;
}

export interface RosterPlanInput {
  readonly list: MemberList;
  readonly target: RosterTarget | null;
  /** Members at the last successful run; the baseline when the file itself has gone. */
  readonly lastMemberCount: number | null;
  /** The run that published the target and died before it closed its record. */
  readonly abandonedPublished: string | null;
}

/** The plan that makes the published file equal to the list. Pure: equal input gives an equal plan id. */
export const planRoster = ({
  list,
  target,
  lastMemberCount,
  abandonedPublished,
}: RosterPlanInput): RosterPlan => {
  const { kennitalas, findings } = list;
  const diff = diffLists(kennitalas, target?.held.kennitalas ?? null);
  const sha256 = digestOf(kennitalas);
  const isEqual = diff.added.length + diff.removed.length === 0;
  const rewrite = isEqual && target?.held.sha256 !== sha256;
  return {
    planId: makePlanId({
      mirror: 'roster',
      source: sha256,
      target: target === null ? 'absent' : `${target.generation} ${target.held.sha256}`,
      operations: digestOperations([
        `+${diff.added === kennitalas ? sha256 : digestOf(diff.added)}`,
        `-${digestOf(diff.removed)}`,
      ]),
    }),
    memberCount: kennitalas.length,
    changes: {
      added: diff.added.length,
      removed: diff.removed.length,
      updated: 0,
      unchanged: diff.unchanged,
      quarantined: findings.quarantined,
    },
    rewrite,
    figures: {
      received: findings.received,
      quarantined: findings.quarantined,
      ...againstBaseline({
        held: target?.held.kennitalas.length ?? null,
        lastMemberCount,
        memberCount: kennitalas.length,
        added: diff.added.length,
        removed: diff.removed.length,
      }),
    },
    forecast: forecastRoster(diff.added.length + diff.removed.length, isEqual && !rewrite),
    warnings: warningsAbout(target, lastMemberCount, abandonedPublished),
    added: diff.added,
    removed: diff.removed,
    facts: target === null ? { sha256 } : { sha256, previousGeneration: target.generation },
    kennitalas,
    sha256,
    ifGeneration: target?.generation ?? null,
  };
};

interface ListDiff {
  readonly added: KennitalaList;
  readonly removed: KennitalaList;
  readonly unchanged: number;
}

/** A first publication adds the very list: a copy of a million would count against the function's memory. */
const diffLists = (wanted: KennitalaList, held: KennitalaList | null): ListDiff => {
  if (held === null) return { added: wanted, removed: listOfNumbers([]), unchanged: 0 };
  const { added, removed, unchanged } = diffSorted(wanted.numbers, held.numbers);
  return { added: listOfNumbers(added), removed: listOfNumbers(removed), unchanged };
};

const warningsAbout = (
  target: RosterTarget | null,
  lastMemberCount: number | null,
  abandonedPublished: string | null,
): RunWarning[] => {
  const warnings: RunWarning[] = [];
  if (target === null && lastMemberCount !== null) {
    warnings.push({
      code: 'published_list_missing',
      message: `The published list is gone although the last run left ${lastMemberCount} members in it.`,
    });
  }
  if (target !== null && target.held.unreadable > 0) {
    warnings.push({
      code: 'published_list_edited',
      message: `${counted(target.held.unreadable, 'line of the published list is', 'lines of the published list are')} no kennitala; this run replaces them.`,
    });
  }
  if (abandonedPublished !== null && target !== null) {
    warnings.push({
      code: 'abandoned_run_published',
      message: `Run ${abandonedPublished}, which never closed its record, had published generation ${target.generation}.`,
    });
  }
  return warnings;
};

/** begin: 1 read, 2 writes; plan: 2 writes and the lists; finish: 2 writes. Storage: 1 read and 1 write. */
const forecastRoster = (differences: number, isUnchanged: boolean) =>
  makeForecast({
    firestoreReads: 1,
    firestoreWrites: isUnchanged ? 4 : 6 + Math.ceil(differences / CHANGES_PER_DOCUMENT),
    storageClassA: 1,
    storageClassB: 1,
  });

/** What has to be added to and removed from `held` to make it `wanted`; both keep their order. */
export interface SortedDiff<T> {
  readonly added: readonly T[];
  readonly removed: readonly T[];
  readonly unchanged: number;
}

/**
 * One merge pass over two ascending sequences without repeats: time linear in both, and `held` may be a stream of
 * any length, of which one item is in memory at a time.
 */
export const diffSorted = <T extends string | number>(
  wanted: ArrayLike<T>,
  held: Iterable<T>,
): SortedDiff<T> => {
  const added: T[] = [];
  const removed: T[] = [];
  let unchanged = 0;
  let next = 0;
  for (const item of held) {
    let candidate = wanted[next];
    while (candidate !== undefined && candidate < item) {
      added.push(candidate);
      next += 1;
      candidate = wanted[next];
    }
    if (candidate === item) {
      unchanged += 1;
      next += 1;
    } else {
      removed.push(item);
    }
  }
  for (; next < wanted.length; next += 1) {
    const candidate = wanted[next];
    if (candidate !== undefined) added.push(candidate);
  }
  return { added, removed, unchanged };
};
