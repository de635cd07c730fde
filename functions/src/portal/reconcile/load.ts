import { z } from 'zod';
import { whoIs } from '../../domain/member/wire.ts';
import { isSyncError } from '../../lib/errors.ts';
import type { Cursor, Resume, Unfinished } from '../../mirror/mirror.ts';
import { makeForecast } from '../../mirror/plan.ts';
import type { MemberPages, PagePlace } from '../../registry/ports.ts';
import type { PortalIndex } from '../ports.ts';
import { makeSetDigest } from './compact.ts';
import { makeComparison } from './compare-members.ts';
import { differencesOf, type PlannedWrite } from './difference.ts';
import { JOINING, type PortalPlan } from './plan-portal.ts';
import { makePortalTable } from './portal-table.ts';

/** A verdict of the guard is of its day: what is older is judged again. */
const VALID_MS = 24 * 60 * 60_000;

const loadShape = z.object({
  scheme: z.literal(1),
  planId: z.string(),
  /** The run that made the plan: its record holds the lists. */
  run: z.string(),
  plannedAt: z.iso.datetime(),
  /** Of the whole plan: what the registry said, and what came of it. */
  said: z.string(),
  received: z.int().min(0),
  quarantined: z.int().min(0),
  memberCount: z.int().min(0),
  isFirstLoad: z.boolean(),
  countsMissed: z.boolean(),
  /** The last page that is finished, who stands last on it, and what the registry said until there. */
  place: z.object({ query: z.record(z.string(), z.string()), before: z.int().min(0) }),
  last: z.string(),
  seen: z.string(),
});

/**
 * A plan that takes several runs, and how far it is: `sync_state/portal.cursor`.
 *
 *     plan ── guard ── record ──▶ write pages ──time is up──▶ partial, cursor ──▶ next run: write pages from there … ──▶ equal?
 *                                     │  ▲                                                    │                       yes: published
 *                                every few seconds: cursor          more than was let through, and the guard refuses   no: compare all
 *
 * The next run reads neither the portal nor the pages before the cursor. The guard's verdict holds for the whole plan; what a
 * later run would write beyond it is judged as a plan of its own. When all is written, the sum of what the registry said page
 * by page, and how many they are, have to be those that the plan was made of: otherwise the registry changed meanwhile, and the
 * next run compares everything. What changed on a page after it was finished is as what changes after any run: an event brings
 * it, or the next reconcile.
 */
export type Load = z.output<typeof loadShape>;

export type PlannedLoad = Omit<Load, 'scheme' | 'place' | 'last' | 'seen'>;

/** Null for what is no cursor, is from another version of this program, or too old to be gone on with. */
export const tryLoad = (cursor: Cursor | null | undefined, now: Date): Load | null => {
  const load = loadShape.safeParse(cursor).data ?? null;
  return load !== null && now.getTime() - Date.parse(load.plannedAt) < VALID_MS ? load : null;
};

/**
 * The registry's row that stands somewhere on a page: the cursor is stored, and a hash of a kennitala could be found by trying
 * all there are. Null for an entry without a row number, after which no load goes on.
 */
const nameOf = (member: unknown): string | null => {
  const { djangoId } = whoIs(member);
  return djangoId === null ? null : String(djangoId);
};

/** Whether the page still shows whom it showed last: nobody who stands after them was finished, and nobody before is left. */
export const isStillThere = async (load: Load, pages: MemberPages, signal: AbortSignal): Promise<boolean> => {
  try {
    for await (const { members } of pages.pages({ signal, from: load.place })) {
      return members.some((member) => nameOf(member) === load.last);
    }
    return false;
  } catch (cause) {
    if (isOtherRegistry(cause)) return false;
    throw cause;
  }
};

/** The pages are not those that they were: there are fewer, or they do not add up any more. */
export const isOtherRegistry = (cause: unknown): boolean =>
  isSyncError(cause, 'registry_rejected') ||
  isSyncError(cause, 'registry_invalid_response') ||
  isSyncError(cause, 'incomplete_export');

interface Mark {
  readonly place: PagePlace | undefined;
  readonly last: string | null;
  readonly seen: string;
  isRead: boolean;
  waiting: number;
}

/** A write of a page, which counts as finished when all of its writes have settled and every page before it has. */
export interface MarkedWrite extends PlannedWrite {
  readonly mark?: Mark;
}

/** How far the pages are finished. @param planned Null where the plan is not to be gone on with: nothing is kept then. */
export const makePageMarks = (
  planned: PlannedLoad | null,
  start: Load | null,
  {
    keep,
    rest,
    now,
  }: {
    readonly keep: Resume['keep'] | undefined;
    readonly rest: () => Unfinished;
    readonly now: () => Date;
  },
) => {
  const open: Mark[] = [];
  let finished: Load | null = start;
  let kept = finished;
  let keptAt = now();

  const advance = (): void => {
    while (open[0]?.isRead === true && open[0].waiting === 0) {
      const { place, last, seen } = open.shift() as Mark;
      if (planned !== null && place !== undefined && last !== null)
        finished = { scheme: 1, ...planned, place, last, seen };
    }
  };

  return {
    begin: (place: PagePlace | undefined, members: readonly unknown[], seen: string): Mark => {
      const mark = { place, last: nameOf(members.at(-1)), seen, isRead: false, waiting: 0 };
      open.push(mark);
      return mark;
    },
    /** The page has no further write. Remembers how far it is, unless it did so a moment ago. */
    end: async (mark: Mark): Promise<void> => {
      mark.isRead = true;
      advance();
      if (keep === undefined || kept === finished || now().getTime() - keptAt.getTime() < KEPT_EVERY_MS)
        return;
      [kept, keptAt] = [finished, now()];
      await keep(finished, rest());
    },
    taken: (mark: Mark): void => {
      mark.waiting += 1;
    },
    settled: (mark: Mark | undefined): void => {
      if (mark === undefined) return;
      mark.waiting -= 1;
      advance();
    },
    finished: (): Load | null => finished,
  };
};

export type PageMarks = ReturnType<typeof makePageMarks>;

/** A crash costs so much of the reading again, and nothing of the writing. */
const KEPT_EVERY_MS = 15_000;

/** Nobody: every member of a page is asked for by name. */
const NO_TABLE = makePortalTable().finish();

export interface RestOfLoad {
  readonly load: Load;
  /** What was let through and is left. */
  readonly unfinished: Unfinished;
  readonly pages: MemberPages;
  readonly index: PortalIndex;
  readonly signal: AbortSignal;
  readonly now: () => Date;
  readonly judge: Resume['judge'];
  readonly marks: PageMarks;
}

/** The writes of what is left, page by page. Returns whether the registry said the same as when the plan was made. */
export async function* restOfLoad({
  load,
  unfinished,
  pages,
  index,
  signal,
  now,
  judge,
  marks,
}: RestOfLoad): AsyncGenerator<MarkedWrite, boolean> {
  const digest = makeSetDigest(load.seen);
  const beyond = { added: -unfinished.added, updated: -unfinished.updated, quarantined: -load.quarantined };
  const blanked: Record<string, number> = {};
  let isFirst = true;
  let received = load.place.before;
  for await (const { members, place } of pages.pages({ signal, from: load.place })) {
    const after = isFirst ? members.findIndex((member) => nameOf(member) === load.last) + 1 : 0;
    if (isFirst && after === 0) return false;
    isFirst = false;
    received += members.length;
    const comparison = makeComparison({
      table: NO_TABLE,
      index,
      now,
      keptWrites: Number.POSITIVE_INFINITY,
      isScoped: true,
      isFirstLoad: load.isFirstLoad,
      digest,
    });
    await comparison.addPage(members.slice(after));
    const { differences, kept, changed, quarantined, ...found } = comparison.finish();
    beyond.added += differences.count(JOINING);
    beyond.updated += changed;
    beyond.quarantined += quarantined.length;
    for (const [field, count] of Object.entries(found.blanked))
      blanked[field] = (blanked[field] ?? 0) + count;
    const { tripped } = judge({
      baseline: load.memberCount,
      received: load.received,
      removed: 0,
      added: Math.max(0, beyond.added),
      updated: Math.max(0, beyond.updated),
      quarantined: Math.max(0, beyond.quarantined),
      blanked: Object.fromEntries(
        Object.entries(blanked).map(([field, count]) => [
          field,
          Math.max(0, count - (unfinished.blanked[field] ?? 0)),
        ]),
      ),
    });
    if (tripped) return false;
    const mark = marks.begin(place, members, digest.sum());
    for (const write of kept?.values() ?? []) {
      marks.taken(mark);
      yield { ...write, mark };
    }
    await marks.end(mark);
  }
  return received === load.received && digest.finish() === load.said;
}

/** What is left of a plan that an earlier run made: it keeps its id, and the guard has let it through. */
export const planRest = (load: Load, unfinished: Unfinished): PortalPlan => {
  const left = unfinished.added + unfinished.removed + unfinished.updated;
  const finished = load.place.before;
  return {
    planId: load.planId,
    memberCount: load.memberCount,
    changes: {
      added: unfinished.added,
      removed: unfinished.removed,
      updated: unfinished.updated,
      unchanged: Math.max(0, load.memberCount - unfinished.added - unfinished.updated),
      quarantined: load.quarantined,
    },
    // What is left may be nothing but the proof that nothing is.
    rewrite: true,
    figures: {
      baseline: load.memberCount,
      received: load.received,
      added: 0,
      removed: 0,
      quarantined: 0,
    },
    forecast: makeForecast({ firestoreReads: 2 + load.received - finished, firestoreWrites: 7 + left }),
    warnings: [
      {
        code: 'load_continued',
        message: `Goes on with the plan of run ${load.run}, after ${finished} of ${load.received} members; those are not read again.`,
      },
    ],
    added: [],
    removed: [],
    facts: {},
    missedEvents: null,
    letThrough: unfinished,
    cursor: load,
    differences: differencesOf(),
  };
};
