import type { RunDay, SweepDay } from './ports.ts';
import type { MirrorDay, SeriesAnswer, SeriesDay } from './schemas.ts';

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
  roster: emptyMirror(),
  portal: emptyMirror(),
  register: emptyMirror(),
  missedEvents: { created: 0, updated: 0, deleted: 0 },
  twoWay: { sent: 0, received: 0, conflicts: 0, failed: 0 },
  deadLetters: 0,
});
