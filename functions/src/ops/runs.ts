import { SyncError } from '../lib/errors.ts';
import {
  type Approval,
  forEachMirror,
  type MirrorName,
  type RunRecord,
  type RunReport,
} from '../mirror/mirror.ts';
import type { RunRequest } from '../mirror/run.ts';
import { answerRun } from '../mirror/run-answer.ts';
import { noVersion, type RestoreDependencies, runRollback } from '../roster/rollback.ts';
import type { KnownPerson, PeopleReader, RunDay, RunHistory, SweepDay } from './ports.ts';
import type {
  ListedPerson,
  MirrorDay,
  Relation,
  RunAnswer,
  RunGroups,
  RunPeople,
  SeriesAnswer,
  SeriesDay,
  StartedRun,
  WireRunRecord,
} from './schemas.ts';

/** One run of a mirror. Null: this mirror is not configured here. */
export type Runners = Readonly<Record<MirrorName, ((request: RunRequest) => Promise<RunReport>) | null>>;

/** Starts a run of any mirror and waits for its end. Throws `not_found` for one that is not configured. */
export const startRun = async (
  runners: Runners,
  mirror: MirrorName,
  request: RunRequest,
): Promise<StartedRun> => {
  const run = runners[mirror];
  if (run === null) throw new SyncError('not_found', `The ${mirror} is not configured here.`);
  return toRunAnswer(await run(request));
};

/**
 * The approval for the run, once the number of members that the operator typed is that of the plan.
 * Throws `plan_changed` when no run has made such a plan, and `invalid_request` for another number.
 */
export const confirmApproval = async (
  approve: (Approval & { readonly removed?: number | undefined }) | undefined,
  history: Pick<RunHistory, 'byPlan'>,
): Promise<Approval | undefined> => {
  if (approve === undefined) return undefined;
  const { removed = 0, ...approval } = approve;
  const planned = (await history.byPlan(approval.planId)).find(({ changes }) => changes !== null);
  if (planned === undefined) {
    throw new SyncError('plan_changed', 'No run has made the plan that is approved. Make a new dry run.');
  }
  if (planned.changes?.removed !== removed) {
    throw new SyncError(
      'invalid_request',
      'approve.removed: not the number of members that this plan removes. Look at the plan again.',
    );
  }
  return approval;
};

/** The runs that made the same plan, approved it, came after it, or took its list back. Oldest first. */
export const findRelated = async (
  run: RunRecord,
  history: Pick<RunHistory, 'byPlan' | 'replacing' | 'page'>,
): Promise<RunAnswer['related']> => {
  const isPlanOnly = run.outcome === 'blocked' || run.outcome === 'dry-run';
  const [same, onTop, newest] = await Promise.all([
    run.planId === null ? [] : history.byPlan(run.planId),
    run.outcome === 'published' && run.objectGeneration !== null
      ? history.replacing(run.objectGeneration)
      : [],
    isPlanOnly
      ? history.page({ mirror: run.mirror, outcome: 'published', limit: 1 }).then(({ items }) => items)
      : [],
  ]);
  const related = new Map<string, { record: RunRecord; relation: Relation }>();
  for (const record of newest) {
    if (record.timestamp > run.timestamp) related.set(record.runId, { record, relation: 'superseded' });
  }
  for (const record of same) {
    const relation = relationOf(record);
    if (relation !== null) related.set(record.runId, { record, relation });
  }
  for (const record of onTop) {
    if (record.rollbackOf !== undefined && record.outcome === 'published') {
      related.set(record.runId, { record, relation: 'rolled_back' });
    }
  }
  related.delete(run.runId);
  return [...related.values()]
    .toSorted((one, other) => one.record.timestamp.getTime() - other.record.timestamp.getTime())
    .map(({ record, relation }) => ({
      runId: record.runId,
      relation,
      at: record.timestamp.toISOString(),
      by: record.requestedBy,
      typedName: record.approvedBy,
      reason: record.reason,
    }));
};

const relationOf = ({ outcome, approvedBy }: RunRecord): Relation | null => {
  if (outcome === 'blocked') return 'refused';
  if (outcome === 'dry-run') return 'planned';
  if (outcome !== 'published' && outcome !== 'unchanged' && outcome !== 'partial') return null;
  return approvedBy === null ? 'done' : 'approved';
};

/** What an operator asked for and got; otherwise throws the record's code with the record in it. */
export const toRunAnswer = (report: RunReport): StartedRun =>
  answerRun(report, { run: toWireRecord(report.record), forecast: report.forecast });

/** A record as operators get it: times as text; without the stack, which is for the log only. */
export const toWireRecord = (record: RunRecord): WireRunRecord => ({
  runId: record.runId,
  mirror: record.mirror,
  trigger: record.trigger,
  status: record.status,
  outcome: record.outcome,
  timestamp: record.timestamp.toISOString(),
  durationMs: record.duration_ms,
  memberCount: record.memberCount,
  djangoExportedAt: record.djangoExportedAt?.toISOString() ?? null,
  // A record that an earlier version wrote lacks what was added since.
  changes: record.changes ? { ...record.changes } : null,
  missedEvents: record.missedEvents ? { ...record.missedEvents } : null,
  planId: record.planId,
  guard: record.guard
    ? { tripped: record.guard.tripped, findings: record.guard.findings.map((finding) => ({ ...finding })) }
    : null,
  objectGeneration: record.objectGeneration,
  previousGeneration: record.previousGeneration,
  rollbackOf: record.rollbackOf ?? null,
  sha256: record.sha256,
  warnings: record.warnings.map((warning) => ({ ...warning })),
  error: record.error,
  errorCode: record.errorCode,
  requestedBy: record.requestedBy,
  approvedBy: record.approvedBy,
  reason: record.reason,
});

export interface RollbackDependencies extends RestoreDependencies {
  readonly history: Pick<RunHistory, 'read'>;
}

interface RollbackRequest {
  /** One of the two: a version of the list, or the run that published it. */
  readonly generation?: string | undefined;
  readonly runId?: string | undefined;
  readonly reason?: string | undefined;
  readonly dryRun?: boolean | undefined;
  readonly approve?: Approval | undefined;
  /** The proved identity of who asks. */
  readonly by: string;
}

/**
 * Brings an earlier version of the published list back, as a run like any other: lease, plan, guard, approval, record.
 * The pause that keeps the list so is written with the plan, before the list itself: a scheduled run that came between
 * would undo the rollback. It stays even when the publishing then fails, until somebody resumes.
 * Throws `not_found` for a version that is not kept any more, and for a run that is none, or has published nothing.
 */
export const rollBackRoster = async (
  request: RollbackRequest,
  dependencies: RollbackDependencies,
): Promise<StartedRun> => {
  const generation = request.generation ?? (await generationOf(request.runId ?? '', dependencies.history));
  // Looked at before a run is begun: a slip of the hand is no failed run, and alerts nobody.
  if ((await dependencies.versions.read(generation)) === null) throw noVersion(generation);
  return toRunAnswer(await runRollback(generation, request, dependencies));
};

const generationOf = async (runId: string, history: Pick<RunHistory, 'read'>): Promise<string> => {
  const record = await history.read(runId);
  if (record === null || record.mirror !== 'roster' || record.objectGeneration === null) {
    throw new SyncError('not_found', 'No run of the roster with that id has published a list.');
  }
  return record.objectGeneration;
};

/** As many people are grouped; more than that, the shape of the first says enough. */
const MOST_GROUPED = 20_000;

interface PeopleDependencies {
  readonly history: Pick<RunHistory, 'changes'>;
  readonly people: PeopleReader;
  readonly now: () => Date;
}

/** One page of a run's lists with what the portal knows of each person. Null: there is no such page. */
export const readPeople = async (
  runId: string,
  page: number,
  { history, people }: PeopleDependencies,
): Promise<RunPeople | null> => {
  const found = await history.changes(runId, page);
  if (found === null) return page === 0 ? { runId, people: [], nextPage: null } : null;
  const listed = [
    ...found.added.map((kennitala) => ({ what: 'added' as const, kennitala })),
    ...found.removed.map((kennitala) => ({ what: 'removed' as const, kennitala })),
  ];
  const known = await people.describe(listed.map(({ kennitala }) => kennitala));
  return {
    runId,
    people: listed.map((one, index): ListedPerson => {
      const { name = null, postalCode = null, dateJoined = null } = known[index] ?? {};
      return { ...one, name, postalCode, dateJoined: dateJoined?.toISOString() ?? null };
    }),
    nextPage: found.isLast ? null : page + 1,
  };
};

/** The people of a run's lists counted by age, area and year of joining: what a wrong list looks like, without a name. */
export const groupPeople = async (runId: string, dependencies: PeopleDependencies): Promise<RunGroups> => {
  const all: ListedPerson[] = [];
  let page: number | null = 0;
  while (page !== null && all.length < MOST_GROUPED) {
    const found: RunPeople | null = await readPeople(runId, page, dependencies);
    all.push(...(found?.people ?? []));
    page = found?.nextPage ?? null;
  }
  const group = (what: ListedPerson['what']) => {
    const some = all.filter((person) => person.what === what);
    const now = dependencies.now();
    return {
      count: some.length,
      ages: countedBy(some, ({ kennitala }) => ageBand(kennitala, now), [...BANDS.map(([band]) => band)]),
      areas: countedBy(some, ({ postalCode }) => areaOf(postalCode)),
      joined: countedBy(some, ({ dateJoined }) => dateJoined?.slice(0, 4) ?? 'unknown'),
    };
  };
  return { runId, added: group('added'), removed: group('removed'), truncated: page !== null };
};

const BANDS = [
  ['0-17', 17],
  ['18-34', 34],
  ['35-49', 49],
  ['50-66', 66],
  ['67+', Number.POSITIVE_INFINITY],
] as const;

/** The century stands in the last digit: 8 for the 1800s, 9 for the 1900s, 0 for the 2000s. Pure. */
export const ageBand = (kennitala: string, now: Date): string => {
  const century = { '8': 1800, '9': 1900, '0': 2000 }[kennitala.slice(9)];
  const [day, month, year] = [0, 2, 4].map((from) => Number(kennitala.slice(from, from + 2)));
  const isDate =
    month !== undefined && month >= 1 && month <= 12 && day !== undefined && day >= 1 && day <= 31;
  if (century === undefined || year === undefined || !isDate) return 'unknown';
  const born = new Date(Date.UTC(century + year, month - 1, day));
  const hadBirthday =
    now.getUTCMonth() > born.getUTCMonth() ||
    (now.getUTCMonth() === born.getUTCMonth() && now.getUTCDate() >= born.getUTCDate());
  const age = now.getUTCFullYear() - born.getUTCFullYear() - (hadBirthday ? 0 : 1);
  if (age < 0) return 'unknown';
  return BANDS.find(([, most]) => age <= most)?.[0] ?? 'unknown';
};

const areaOf = (postalCode: KnownPerson['postalCode']): string =>
  postalCode !== null && /^\d{3}$/.test(postalCode) ? `${postalCode.slice(0, 2)}x` : 'unknown';

/** In the order of `order` or of the keys; what is not known comes last. */
const countedBy = (
  people: readonly ListedPerson[],
  keyOf: (person: ListedPerson) => string,
  order: readonly string[] = [],
): { key: string; count: number }[] => {
  const counts = new Map<string, number>();
  for (const person of people) counts.set(keyOf(person), (counts.get(keyOf(person)) ?? 0) + 1);
  const rank = (key: string): string => {
    if (key === 'unknown') return '~';
    const at = order.indexOf(key);
    return at === -1 ? key : String(at).padStart(3, '0');
  };
  return [...counts]
    .map(([key, count]) => ({ key, count }))
    .toSorted((one, other) => (rank(one.key) < rank(other.key) ? -1 : 1));
};

const DAY_MS = 24 * 3_600_000;

/** As many records as are read for one answer: a year of hourly and nightly runs. */
export const MOST_RUNS = 12_000;

export interface SeriesInput {
  readonly from: Date;
  readonly to: Date;
  /** Newest first. */
  readonly runs: readonly RunDay[];
  readonly sweeps: readonly SweepDay[];
  readonly deadLetters: readonly Date[];
}

/** The start of the day that lies `days - 1` days before this one: so many days with today. Iceland keeps UTC. */
export const firstDay = (now: Date, days: number): Date =>
  new Date(Math.floor(now.getTime() / DAY_MS) * DAY_MS - (days - 1) * DAY_MS);

/** Counts a day, every day of the range. Pure. */
export const makeSeries = ({ from, to, runs, sweeps, deadLetters }: SeriesInput): SeriesAnswer => {
  const days = new Map<string, Day>();
  for (let at = from.getTime(); at <= to.getTime(); at += DAY_MS) {
    const day = dayOf(new Date(at));
    days.set(day, emptyDay(day));
  }
  // Oldest first, so that the last success of a day is the one that stays.
  for (const run of runs.toReversed()) {
    const day = days.get(dayOf(run.timestamp));
    if (day !== undefined && run.outcome !== 'dry-run') addRun(day, run);
  }
  for (const { at, sent, received, conflicts, failed } of sweeps) {
    const day = days.get(dayOf(at));
    if (day === undefined) continue;
    day.twoWay.sent += sent;
    day.twoWay.received += received;
    day.twoWay.conflicts += conflicts;
    day.twoWay.failed += failed;
  }
  for (const at of deadLetters) {
    const day = days.get(dayOf(at));
    if (day !== undefined) day.deadLetters += 1;
  }
  return {
    from: from.toISOString(),
    to: to.toISOString(),
    days: [...days.values()],
    truncated: runs.length >= MOST_RUNS,
  };
};

type Day = SeriesDay;

const dayOf = (at: Date): string => at.toISOString().slice(0, 10);

const addRun = (day: Day, run: RunDay): void => {
  const mirror: MirrorDay = day[run.mirror];
  if (run.outcome === 'skipped') {
    mirror.skipped += 1;
    return;
  }
  mirror.runs += 1;
  if (run.outcome === 'blocked') mirror.blocked += 1;
  if (run.outcome === 'failed') mirror.failed += 1;
  if (run.duration_ms !== null) mirror.longestMs = Math.max(mirror.longestMs ?? 0, run.duration_ms);
  const isSuccess = run.outcome === 'published' || run.outcome === 'unchanged';
  if (isSuccess && run.memberCount !== null) mirror.members = run.memberCount;
  if (!isSuccess && run.outcome !== 'partial') return;
  mirror.added += run.changes?.added ?? 0;
  mirror.removed += run.changes?.removed ?? 0;
  mirror.updated += run.changes?.updated ?? 0;
  day.missedEvents.created += run.missedEvents?.created ?? 0;
  day.missedEvents.updated += run.missedEvents?.updated ?? 0;
  day.missedEvents.deleted += run.missedEvents?.deleted ?? 0;
};

const emptyMirror = (): MirrorDay => ({
  members: null,
  runs: 0,
  failed: 0,
  blocked: 0,
  skipped: 0,
  longestMs: null,
  added: 0,
  removed: 0,
  updated: 0,
});

const emptyDay = (day: string): Day => ({
  day,
  ...forEachMirror(emptyMirror),
  missedEvents: { created: 0, updated: 0, deleted: 0 },
  twoWay: { sent: 0, received: 0, conflicts: 0, failed: 0 },
  deadLetters: 0,
});
