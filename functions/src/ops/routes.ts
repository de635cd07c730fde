import { defineRoute, type Route, type RouteInput } from '../http/route.ts';
import { SyncError } from '../lib/errors.ts';
import { byWhom, type OpsDependencies } from './dependencies.ts';
import { erasePerson } from './erase-person.ts';
import { explainMember } from './explain.ts';
import { proofRoutes } from './proof-routes.ts';
import {
  confirmApproval,
  findRelated,
  firstDay,
  groupPeople,
  MOST_RUNS,
  makeSeries,
  readPeople,
  rollBackRoster,
  startRun,
  toRunAnswer,
  toWireRecord,
} from './runs.ts';
import { byId } from './schemas/common.ts';
import { eraseAnswer, eraseBody, explainAnswer, explainBody } from './schemas/person.ts';
import * as runs from './schemas/runs.ts';
import {
  mirrorPath,
  pauseAnswer,
  proofAnswer,
  reasonBody,
  seriesAnswer,
  seriesQuery,
  statusAnswer,
} from './schemas/status.ts';
import { readStatus, toProofAnswer, toWirePause } from './status.ts';
import { twoWayRoutes } from './two-way-routes.ts';

/** For one look at the registry. */
const REGISTRY_LIMIT_MS = 20_000;
/** Of the versions of the list the newest: who rolls back looks for one of these. Their runs are among the last that published. */
const VERSIONS_SHOWN = 200;
/** Pauses are rare: this is years of them. */
const PAUSES_READ = 200;
const LISTS_END = 'The lists of that run end before that page.';

/** What `/openapi.json` says beside the routes. */
export const OPS_DOCUMENT = {
  isPublic: false,
  title: 'opsApi',
  version: '1.0.0',
  description: 'The operators’ API: see, stop, approve, roll back, explain, erase.',
  security: {
    firebase: {
      bearerFormat: 'JWT',
      description: 'A Firebase ID token with the role admin or superuser',
    },
    google: {
      bearerFormat: 'JWT',
      description: 'A Google-signed ID token of an administrators’ service account',
    },
  },
  callers: ['firebase', 'google'],
} as const;

/** Every route of the operators' API: what it takes, what it answers, and the one feature that it calls. */
export const opsRoutes = (ops: OpsDependencies): Route[] => [
  defineRoute({
    method: 'GET',
    path: '/status',
    summary: 'What needs a person, and how every mirror is',
    answer: statusAnswer,
    handle: () => readStatus({ ...ops, isConfigured: (mirror) => ops.runners[mirror] !== null }),
  }),
  defineRoute({
    method: 'POST',
    path: '/proof',
    summary: 'Compares registry, roster, portal and register now, and has mended what differs',
    answer: proofAnswer,
    handle: async () => toProofAnswer(await ops.prove()),
  }),
  defineRoute({
    method: 'GET',
    path: '/runs',
    summary: 'Records of runs, newest first',
    query: runs.runsQuery,
    answer: runs.runsPage,
    handle: async ({ query }) => {
      const { from, until, ...filter } = query;
      const { items, next } = await ops.history.page({
        ...filter,
        ...(from !== undefined && { from: new Date(from) }),
        ...(until !== undefined && { until: new Date(until) }),
      });
      return { runs: items.map(toWireRecord), next };
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/runs',
    summary: 'Runs a mirror, or makes its plan, and waits for its end',
    body: runs.startRunBody,
    answer: runs.startedRun,
    handle: async ({ body: { mirror, approve, ...request }, caller }) =>
      startRun(ops.runners, mirror, {
        ...request,
        approve: await confirmApproval(approve, ops.history),
        trigger: 'http',
        requestedBy: caller.id,
      }),
  }),
  defineRoute({
    method: 'POST',
    path: '/portal/registry-word',
    summary: 'A reconcile that takes the registry’s word also over a later version; recorded',
    body: runs.registryWordBody,
    answer: runs.startedRun,
    handle: async (input) => {
      const { kennitala, reason, ...request } = input.body;
      if (request.dryRun !== true) {
        await ops.actions.record({
          ...byWhom(input, ops),
          action: 'registry_word',
          mirror: 'portal',
          ...(kennitala !== undefined && { member: await ops.reference(kennitala) }),
          ...((reason ?? request.approve?.reason) && { reason: reason ?? request.approve?.reason ?? '' }),
        });
      }
      const run = { ...request, trigger: 'http', requestedBy: input.caller.id } as const;
      return toRunAnswer(await ops.takeRegistrysWord(run, kennitala ?? 'all'));
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/runs/:id',
    summary: 'One record, and what other runs have to do with it',
    params: byId,
    answer: runs.runAnswer,
    handle: async ({ params }) => {
      const record = await readRun(ops, params.id);
      return { run: toWireRecord(record), related: await findRelated(record, ops.history) };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/runs/:id/changes',
    summary: 'Who a run added and removed; each look is recorded',
    params: byId,
    query: runs.runChangesQuery,
    answer: runs.runChanges,
    handle: async (input) => {
      const { id } = input.params;
      const { page } = input.query;
      await recordLook(ops, input);
      const found = await ops.history.changes(id, page);
      if (found === null && page > 0) throw new SyncError('not_found', LISTS_END);
      const { added, removed, isLast } = found ?? { added: [], removed: [], isLast: true };
      return { runId: id, added: [...added], removed: [...removed], nextPage: isLast ? null : page + 1 };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/runs/:id/groups',
    summary: 'The same, counted by age, area and year of joining; recorded',
    params: byId,
    answer: runs.runGroups,
    handle: async (input) => {
      await recordLook(ops, input);
      return groupPeople(input.params.id, ops);
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/runs/:id/people',
    summary: 'The same, with what the portal knows of each; recorded',
    params: byId,
    query: runs.runChangesQuery,
    answer: runs.runPeople,
    handle: async (input) => {
      await recordLook(ops, input);
      const found = await readPeople(input.params.id, input.query.page, ops);
      if (found === null) throw new SyncError('not_found', LISTS_END);
      return found;
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/mirrors/:name/pauses',
    summary: 'When a mirror was paused and resumed, by whom and why',
    params: mirrorPath,
    answer: runs.pausesAnswer,
    handle: async ({ params }) => ({
      pauses: (await ops.actions.pauses(PAUSES_READ))
        .filter(({ mirror }) => mirror === params.name)
        .map(({ action, at, by, reason }) => ({
          action: action === 'pause' ? ('pause' as const) : ('resume' as const),
          at: at.toISOString(),
          by,
          reason: reason ?? null,
        })),
    }),
  }),
  defineRoute({
    method: 'GET',
    path: '/roster/versions',
    summary: 'The kept versions of the published list',
    answer: runs.rosterVersions,
    handle: async () => {
      const [versions, published] = await Promise.all([
        ops.versions.list(),
        ops.history.page({ mirror: 'roster', outcome: 'published', limit: VERSIONS_SHOWN }),
      ]);
      // The file's own metadata name the run that looked at it last, which may have found it unchanged.
      const publishers = new Map(published.items.map((run) => [run.objectGeneration, run.runId]));
      return {
        versions: versions.slice(0, VERSIONS_SHOWN).map(({ chainHead, replacedAt, ...version }) => ({
          ...version,
          runId: publishers.get(version.generation) ?? null,
          publishedAt: version.publishedAt.toISOString(),
        })),
      };
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/roster/rollback',
    summary: 'Brings a version of the list back, and pauses the roster',
    body: runs.rollbackBody,
    answer: runs.startedRun,
    handle: async ({ body, caller }) =>
      rollBackRoster(
        { ...body, approve: await confirmApproval(body.approve, ops.history), by: caller.id },
        ops.rollback,
      ),
  }),
  defineRoute({
    method: 'POST',
    path: '/mirrors/:name/pause',
    summary: 'Stops the runs of a mirror until it is resumed',
    params: mirrorPath,
    body: reasonBody,
    answer: pauseAnswer,
    handle: async (input) => {
      const { name: mirror } = input.params;
      const { reason } = input.body;
      const action = { ...byWhom(input, ops), action: 'pause' as const, mirror, reason };
      const pause = await ops.states.pause(mirror, { reason, by: action.by, at: action.at }, action);
      return { mirror, paused: toWirePause(pause) };
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/mirrors/:name/resume',
    summary: 'Lets a paused mirror run again',
    params: mirrorPath,
    body: reasonBody,
    answer: pauseAnswer,
    handle: async (input) => {
      const { name: mirror } = input.params;
      await ops.states.resume(mirror, {
        ...byWhom(input, ops),
        action: 'resume',
        mirror,
        reason: input.body.reason,
      });
      return { mirror, paused: null };
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/explain',
    summary: 'Why a person is or is not in each mirror; each look is recorded',
    body: explainBody,
    answer: explainAnswer,
    handle: (input) =>
      explainMember(
        {
          kennitala: input.body.kennitala,
          by: byWhom(input, ops),
          signal: AbortSignal.timeout(REGISTRY_LIMIT_MS),
        },
        ops.explain,
      ),
  }),
  defineRoute({
    method: 'GET',
    path: '/series',
    summary: 'Members, runs, durations and differences by day',
    query: seriesQuery,
    answer: seriesAnswer,
    handle: async ({ query }) => {
      const to = ops.now();
      const from = firstDay(to, query.days);
      const [found, sweeps, deadLetters] = await Promise.all([
        ops.history.since(from, MOST_RUNS),
        ops.twoWay.sweepsSince(from, MOST_RUNS),
        ops.twoWay.deadLettersSince(from, MOST_RUNS),
      ]);
      return makeSeries({ from, to, runs: found, sweeps, deadLetters });
    },
  }),
  ...eraseRoutes(ops),
  ...proofRoutes(ops),
  ...twoWayRoutes(ops),
];

/** A look at who a run added and removed, or would, is on record before anything is shown. */
const recordLook = async (ops: OpsDependencies, input: RouteInput<{ id: string }, unknown, unknown>) => {
  const { id } = input.params;
  const { mirror } = await readRun(ops, id);
  await ops.actions.record({ ...byWhom(input, ops), action: 'view_changes', runId: id, mirror });
};

const readRun = async ({ history }: OpsDependencies, id: string) => {
  const record = await history.read(id);
  if (record === null) throw new SyncError('not_found', 'There is no run with that id.');
  return record;
};

/** For the two questions to the registry. */
const ERASE_REGISTRY_LIMIT_MS = 40_000;
/** Thousands of lists and dozens of versions of a million members; below the function's 30 minutes. */
const ERASE_LIMIT_MS = 900_000;

/** The number stands in the body alone, never in an address. */
const eraseRoutes = (ops: OpsDependencies): Route[] => [
  defineRoute({
    method: 'POST',
    path: '/erase',
    summary: 'Erases a person who has left, everywhere, and proves it; recorded',
    body: eraseBody,
    answer: eraseAnswer,
    handle: (input) =>
      erasePerson(
        {
          ...input.body,
          by: byWhom(input, ops),
          registrySignal: AbortSignal.timeout(ERASE_REGISTRY_LIMIT_MS),
          signal: AbortSignal.timeout(ERASE_LIMIT_MS),
        },
        ops.erase,
      ),
  }),
];
