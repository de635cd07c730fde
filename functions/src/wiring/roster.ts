import { makeListExport } from '../adapters/django/read-members.ts';
import { makeRunHistory } from '../adapters/firestore/ops-runs.ts';
import { makeRosterRefresh } from '../adapters/firestore/roster-refresh.ts';
import { makeListStore, makeListVersions } from '../adapters/storage/list-store.ts';
import type { FetchApp } from '../http/front.ts';
import { lazy } from '../lib/concurrency.ts';
import type { RunReport } from '../mirror/mirror.ts';
import { type RunRequest, runMirror } from '../mirror/run.ts';
import { assertOccurrenceDone } from '../mirror/run-answer.ts';
import type { ScheduledOccurrence } from '../mirror/run-store.ts';
import type { RollDependencies } from '../proof/roll.ts';
import { makeRoster, publishWindow } from '../roster/roster.ts';
import { runDependencies, type Shared, shared, wiredOnce } from './shared.ts';

/** Less than the roster functions' 120 s, so that a run that is too slow still closes its record. */
export const ROSTER_RUN_LIMIT_MS = 100_000;
/** More than those 120 s, so that a live run never loses its lease. */
export const ROSTER_LEASE_MS = 150_000;

/** The roster over its stores. Opens nothing. */
export const wireRoster = (base: Shared) => {
  const { config, registry, storage } = base;
  const place = { bucket: config.bucket, object: config.rosterObject };
  const store = makeListStore(storage, place);
  const roster = makeRoster(makeListExport(registry, { deadlineMs: config.registry.fetchTimeoutMs }), store);
  const run = runDependencies(base, { runLimitMs: ROSTER_RUN_LIMIT_MS, leaseMs: ROSTER_LEASE_MS });
  return { roster, place, restore: { store, versions: makeListVersions(storage, place), run } };
};

/** What a run of the roster, and whoever brings a version of it back, works with. */
export const wiredRoster = wiredOnce(wireRoster);

/** One run of the roster, whoever asked for it, and what `ROSTER_SELF_CHECK` says is done about a wrong list. */
export const runRoster = async (request: RunRequest, base = shared()): Promise<RunReport> => {
  const { roster, restore } = wiredRoster(base);
  const { config, log } = base;
  const report = await runMirror(roster, request, restore.run);
  if (config.rosterSelfCheck !== 'off') {
    const { checkPublishedRoster, makeSelfCheckLogs } = await import('../roster/rollback.ts');
    await checkPublishedRoster(report, {
      ...restore,
      mode: config.rosterSelfCheck,
      logs: makeSelfCheckLogs(log),
    });
  }
  return report;
};

/** The scheduled run. Throws when Cloud Scheduler should try this occurrence again. */
export const runScheduledRoster = async (occurrence: ScheduledOccurrence, base?: Shared): Promise<void> =>
  assertOccurrenceDone(await runRoster({ trigger: 'schedule', occurrence }, base));

/** `POST {"dryRun"?, "approve"?}` of an administrator, at whatever path. Loaded when it is first called: no run needs it. */
export const rosterRunApp = lazy(async (): Promise<FetchApp> => {
  const { authorize, log } = shared();
  const [{ makeApp }, { defineRoute }, answers] = await Promise.all([
    import('../http/app.ts'),
    import('../http/route.ts'),
    import('../mirror/run-answer.ts'),
  ]);
  const run = defineRoute({
    method: 'POST',
    path: '/*',
    body: answers.runRequestBody,
    answer: answers.runReport,
    handle: async ({ body, caller }) => {
      const report = await runRoster({ ...body, trigger: 'http', requestedBy: caller.id });
      return answers.answerRun(report, answers.toPublicReport(report));
    },
  });
  return makeApp([run], { authorize, log });
});

/** The run that real-time changes asked for. Throws when the event should be delivered again. */
export const runRosterRefresh = (window: string, base = shared()): Promise<void> => {
  const { firestore, runs, now } = base;
  const requests = makeRosterRefresh(firestore);
  return publishWindow(window, { requests, runs, now, run: () => runRoster({ trigger: 'event' }, base) });
};

/** What the list of a moment is found with. What its receipt says of the registry comes from the records of runs. */
export const wireRoll = (
  { chain, firestore, now }: Shared,
  { restore }: ReturnType<typeof wireRoster>,
): RollDependencies => {
  const history = makeRunHistory(firestore);
  return {
    versions: restore.versions,
    runsBefore: async (at, limit) =>
      (await history.page({ mirror: 'roster', until: new Date(at.getTime() + 1), limit })).items,
    keys: chain,
    now,
  };
};

export const rollDependencies = (base = shared()): RollDependencies => wireRoll(base, wiredRoster(base));
