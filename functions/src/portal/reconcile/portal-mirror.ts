import { isPlaceholder, type Kennitala } from '../../domain/kennitala.ts';
import { whoIs } from '../../domain/member/wire.ts';
import { isSyncError, SyncError } from '../../lib/errors.ts';
import type { Mirror, MirrorSource, RunContext, Unfinished } from '../../mirror/mirror.ts';
import type { MemberPages, MemberReader } from '../../registry/ports.ts';
import type {
  HintStore,
  PortalDocument,
  PortalIndex,
  PortalScope,
  PortalWriter,
  RosterRefresh,
} from '../ports.ts';
import { applyPortal, applyRest } from './apply-portal.ts';
import {
  type Comparison,
  makeComparison,
  type Quarantined,
  type TakesWordOf,
  warnOfQuarantine,
} from './compare-members.ts';
import { type Differences, makeDifferences } from './difference.ts';
import { isStillThere, type Load, type PlannedLoad, planRest, tryLoad } from './load.ts';
import { type PortalPlan, planPortal } from './plan-portal.ts';
import { makePortalTable, type PortalTable } from './portal-table.ts';

export interface PortalMirrorDependencies {
  readonly pages: MemberPages;
  readonly registry: MemberReader;
  readonly index: PortalIndex;
  readonly writer: PortalWriter;
  readonly rosterRefresh: RosterRefresh;
  readonly hints: Pick<HintStore, 'forgetBefore'>;
  readonly reference: (kennitala: Kennitala) => Promise<string>;
  readonly now: () => Date;
  /** Differing members kept in memory between the reading and the writing; above it the registry is read again. */
  readonly keptWrites?: number | undefined;
  /** Of whom the registry's word is taken also where the portal holds a later version. */
  readonly takesWordOf?: TakesWordOf | undefined;
  /** Then `pages` gives the members of the same buckets alone, and nothing is said of anybody else. */
  readonly scope?: PortalScope | undefined;
}

interface Compared {
  readonly table: PortalTable;
  readonly strangers: number;
  readonly comparison: Comparison;
  readonly announcedLately: ReadonlySet<Kennitala>;
}

/** What was compared, or the plan of an earlier run that is gone on with. */
export type PortalSource = MirrorSource &
  ({ readonly load: null; readonly compared: Compared } | { readonly load: Load; readonly compared: null });

/**
 * The portal: `members/{kennitala}` in Firestore, kept equal by webhooks and proved equal by this run.
 *
 * The portal is read before the registry, so that a document which differs from what was read then has been written
 * during the run: it is left alone, whatever the pages say, since they may be older. Both are read as streams; what
 * stays in memory is a row of 57 bytes a member, and the differences.
 */
export const makePortalMirror = (
  dependencies: PortalMirrorDependencies,
): Mirror<PortalSource, PortalPlan> => ({
  name: 'portal',
  title: 'reconcile of the portal',

  fetch: async (context) => {
    const { pages, scope, takesWordOf = null, now } = dependencies;
    const load = scope === undefined && takesWordOf === null ? tryLoad(context.resume?.cursor, now()) : null;
    if (load !== null && context.unfinished !== null && (await isStillThere(load, pages, context.signal))) {
      const findings = {
        received: load.received,
        quarantined: load.quarantined,
        finished: load.place.before,
      };
      return { load, compared: null, received: load.received, exportedAt: null, findings, warnings: [] };
    }
    return compareAll(dependencies, context);
  },

  plan: async ({ load, compared }, { lastSuccess, unfinished }) => {
    if (load !== null) return planRest(load, unfinished ?? NOTHING_LEFT);
    const { table, strangers, comparison, announcedLately } = compared;
    const removals = planRemovals(table, comparison.quarantined);
    return planPortal({
      comparison,
      removals: removals.differences,
      removalsWithheld: removals.withheld,
      table,
      strangers,
      lastMemberCount: lastSuccess?.memberCount ?? null,
      unfinished,
      activeOutside: dependencies.scope?.activeOutside ?? null,
      announcedLately,
    });
  },

  apply: async (plan, { load, compared }, { runId, startedAt, signal, unfinished, resume }) => {
    if (load !== null) {
      if (resume === undefined)
        throw new SyncError('internal', 'A load is gone on with by a run that may not.');
      const rest = await applyRest(
        { load, unfinished: unfinished ?? NOTHING_LEFT, signal, resume },
        dependencies,
      );
      if (rest.unfinished === undefined) await decideHints(dependencies, new Date(load.plannedAt));
      return rest;
    }
    // Before the writes: the roster is made of the registry, and a run that dies half-way has asked for it.
    if (plan.added.length + plan.removed.length > 0) {
      await dependencies.rosterRefresh.request(dependencies.now());
    }
    const { comparison, announcedLately } = compared;
    const planned = plannedLoad(dependencies, plan, compared, { runId, startedAt });
    const applied = await applyPortal(
      {
        plan,
        kept: comparison.kept,
        announcedLately,
        signal,
        ...(planned !== null && resume !== undefined && { resumable: { planned, resume } }),
      },
      dependencies,
    );
    if (applied.unfinished === undefined) await decideHints(dependencies, startedAt);
    return applied;
  },

  confirm: async (_plan, _source, { startedAt }) => {
    await decideHints(dependencies, startedAt);
    return {};
  },
});

const NOTHING_LEFT: Unfinished = { added: 0, removed: 0, updated: 0, blanked: {} };

/** Compares everybody, or those of the scope. */
const compareAll = async (
  dependencies: PortalMirrorDependencies,
  context: RunContext,
): Promise<PortalSource> => {
  const { pages, index, reference, now, keptWrites, takesWordOf, scope } = dependencies;
  const { table, strangers } = await readTable(
    scope?.documents ?? index.documents({ signal: context.signal }),
  );
  const isScoped = scope !== undefined;
  const comparison = makeComparison({ table, index, now, keptWrites, takesWordOf, isScoped });
  for await (const { members } of pages.pages({ signal: context.signal })) await comparison.addPage(members);
  const compared = comparison.finish();
  if (!isScoped) assertNotEmpty(compared);
  return {
    load: null,
    compared: {
      table,
      strangers,
      comparison: compared,
      announcedLately: await announcedLately(dependencies, compared, context),
    },
    received: compared.received,
    exportedAt: null,
    findings: {
      received: compared.received,
      quarantined: compared.quarantined.length,
      held: table.length,
      ...compared.counts,
    },
    warnings: await warnOfQuarantine(compared.quarantined, reference),
  };
};

/** Null for a plan that a later run could not go on with: page by page it would not know the second of two members. */
const plannedLoad = (
  { scope, takesWordOf = null }: PortalMirrorDependencies,
  plan: PortalPlan,
  { table, comparison }: Compared,
  { runId, startedAt }: { readonly runId: string; readonly startedAt: Date },
): PlannedLoad | null =>
  scope !== undefined || takesWordOf !== null || comparison.counts.duplicates > 0
    ? null
    : {
        planId: plan.planId,
        run: runId,
        plannedAt: startedAt.toISOString(),
        said: comparison.digest,
        received: comparison.received,
        quarantined: comparison.quarantined.length,
        memberCount: plan.memberCount,
        isFirstLoad: table.length === 0,
        countsMissed: plan.missedEvents != null,
      };

/** Longer than a hint is followed: what it announced was committed or taken back before the run read anything. */
const HINT_FOLLOWED_MS = 10 * 60_000;

/** The run has compared every member, so an older hint has nothing more to say, whether it was confirmed or not. */
const decideHints = async ({ hints, scope }: PortalMirrorDependencies, startedAt: Date): Promise<void> => {
  if (scope !== undefined) return;
  await hints.forgetBefore(new Date(startedAt.getTime() - HINT_FOLLOWED_MS));
};

const readTable = async (documents: Iterable<PortalDocument> | AsyncIterable<PortalDocument>) => {
  const builder = makePortalTable();
  let strangers = 0;
  for await (const { kennitala, stored, state } of documents) {
    if (kennitala === null || isPlaceholder(kennitala)) strangers += 1;
    else builder.add(kennitala, stored, state);
  }
  return { table: builder.finish(), strangers };
};

/** Before the first success, differences are what the portal never had: nothing was missed, and nothing is asked. */
const announcedLately = async (
  { pages }: PortalMirrorDependencies,
  { differences, received }: Comparison,
  { lastSuccess, startedAt, signal }: RunContext,
): Promise<ReadonlySet<Kennitala>> =>
  lastSuccess !== null && differences.hasMissed()
    ? findAnnouncedLately(pages, startedAt, received, signal)
    : new Set();

const assertNotEmpty = ({ received, quarantined, counts }: Comparison): void => {
  if (received > quarantined.length + counts.placeholders) return;
  throw new SyncError(
    'empty_export',
    `The registry showed no member (${received} entries, ${quarantined.length} unreadable, ` +
      `${counts.placeholders} placeholders). Nothing was changed. Look at the registry, then run again.`,
    { details: { received, quarantined: quarantined.length } },
  );
};

/** Longer than a delivery with a few tries. */
const DELIVERY_MS = 2 * 60_000;

/**
 * Members whom the registry changed just before the run: their events may be under way, so the reconcile was merely
 * faster. The registry is asked for them, as its members carry no time of change. One that does not know
 * `modified_since` answers all, or nothing of use; then no difference is excused. Deletions cannot be asked for.
 */
const findAnnouncedLately = async (
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

interface PlannedRemovals {
  readonly differences: Differences;
  /** Members who were on no page, but who may be one of those that could not be read. */
  readonly withheld: number;
}

/**
 * The members of the portal whom no page showed. One who may be among those that cannot be read is kept: by the
 * registry's row number, and when a row has neither a number nor a kennitala that can be read, everybody is.
 */
export const planRemovals = (table: PortalTable, quarantined: readonly Quarantined[]): PlannedRemovals => {
  const unknown = quarantined.filter(({ kennitala }) => kennitala === null);
  const protectedIds = new Set(unknown.map(({ djangoId }) => djangoId));
  const isAnybody = protectedIds.has(null);
  const differences = makeDifferences();
  let withheld = 0;
  for (const { kennitala, djangoId, row } of table.unseen()) {
    if (isAnybody || protectedIds.has(djangoId)) withheld += 1;
    else
      differences.add({
        kennitala,
        kind: 'remove',
        digest: '',
        ifState: table.state(row),
        isMissed: true,
      });
  }
  return { differences: differences.finish(), withheld };
};
