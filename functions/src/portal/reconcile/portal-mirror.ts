import { isPlaceholder, type Kennitala } from '../../domain/kennitala.ts';
import { whoIs } from '../../domain/member/wire.ts';
import { isSyncError, SyncError } from '../../lib/errors.ts';
import type { Mirror, MirrorSource, RunContext } from '../../mirror/mirror.ts';
import type { MemberPages, MemberReader } from '../../registry/ports.ts';
import type {
  HintStore,
  PortalDocument,
  PortalIndex,
  PortalScope,
  PortalWriter,
  RosterRefresh,
} from '../ports.ts';
import { applyPortal } from './apply-portal.ts';
import {
  type Comparison,
  makeComparison,
  type Quarantined,
  type TakesWordOf,
  warnOfQuarantine,
} from './compare-members.ts';
import type { Difference } from './difference.ts';
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

export interface PortalSource extends MirrorSource {
  readonly table: PortalTable;
  readonly strangers: number;
  readonly comparison: Comparison;
  readonly announcedLately: ReadonlySet<Kennitala>;
}

/**
 * The portal: `members/{kennitala}` in Firestore, kept equal by webhooks and proved equal by this run.
 *
 * The portal is read before the registry, so that a document which differs from what was read then has been written
 * during the run: it is left alone, whatever the pages say, since they may be older. Both are read as streams; what
 * stays in memory is a row of about 120 bytes a member, and the differences.
 */
export const makePortalMirror = (
  dependencies: PortalMirrorDependencies,
): Mirror<PortalSource, PortalPlan> => ({
  name: 'portal',
  title: 'reconcile of the portal',

  fetch: async (context) => {
    const { pages, index, reference, now, keptWrites, takesWordOf, scope } = dependencies;
    const { table, strangers } = await readTable(
      scope?.documents ?? index.documents({ signal: context.signal }),
    );
    const isScoped = scope !== undefined;
    const comparison = makeComparison({ table, index, now, keptWrites, takesWordOf, isScoped });
    for await (const { members } of pages.pages({ signal: context.signal }))
      await comparison.addPage(members);
    const compared = comparison.finish();
    if (!isScoped) assertNotEmpty(compared);
    return {
      table,
      strangers,
      comparison: compared,
      announcedLately: await announcedLately(dependencies, compared, context),
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
  },

  plan: async ({ table, strangers, comparison, announcedLately }, { lastSuccess, unfinished }) => {
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

  apply: async (plan, { comparison, announcedLately }, { startedAt, signal }) => {
    // Before the writes: the roster is made of the registry, and a run that dies half-way has asked for it.
    if (plan.added.length + plan.removed.length > 0) {
      await dependencies.rosterRefresh.request(dependencies.now());
    }
    const applied = await applyPortal({ plan, kept: comparison.kept, announcedLately, signal }, dependencies);
    if (applied.unfinished === undefined) await decideHints(dependencies, startedAt);
    return applied;
  },

  confirm: async (_plan, _source, { startedAt }) => {
    await decideHints(dependencies, startedAt);
    return {};
  },
});

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
  lastSuccess !== null && differences.some(({ isMissed }) => isMissed)
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
  readonly differences: readonly Difference[];
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
  const differences: Difference[] = [];
  let withheld = 0;
  for (const { kennitala, djangoId, row } of table.unseen()) {
    if (isAnybody || (djangoId !== null && protectedIds.has(djangoId))) withheld += 1;
    else
      differences.push({
        kennitala,
        kind: 'remove',
        digest: '',
        ifState: table.state(row),
        isMissed: true,
      });
  }
  return { differences, withheld };
};
