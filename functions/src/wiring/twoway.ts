import { randomUUID } from 'node:crypto';
import { makeMemberChanges } from '../adapters/django/member-changes.ts';
import { makeMemberPages } from '../adapters/django/member-pages.ts';
import { makeMemberReader } from '../adapters/django/member-read.ts';
import { makeMemberStore } from '../adapters/firestore/member-store.ts';
import { makeQueueStore, makeTwoWayLog } from '../adapters/firestore/queue-store.ts';
import { makeRosterRefresh } from '../adapters/firestore/roster-refresh.ts';
import { type MemberEvent, toMemberWrite } from '../adapters/firestore/twoway-documents.ts';
import { SyncError } from '../lib/errors.ts';
import { answerAdminPost, type HttpAnswer, type HttpCall } from '../lib/http-endpoint.ts';
import { makeTwoWayLogs } from '../twoway/logs.ts';
import { makeApplyProtocol, makeRegistryMembers } from '../twoway/registry.ts';
import { decideConflictOnDemand, resolveRequest } from '../twoway/resolve-conflict.ts';
import { answerTwoWay, runTwoWay, type TwoWayDependencies, twoWayRequest } from '../twoway/sweep.ts';
import { trackMemberWrite } from '../twoway/track.ts';
import { type Shared, shared } from './shared.ts';

/** Less than the trigger's 120 s; a claim lasts longer than both. */
const TRACK_LIMIT_MS = 100_000;
/** Less than the runs' 540 s. */
const RUN_LIMIT_MS = 480_000;
/** Less than the 60 s of `resolveConflict`. */
const DECIDE_LIMIT_MS = 45_000;

const wireTwoWay = ({ config, firestore, log, now, reference, registry }: Shared): TwoWayDependencies => {
  const changes = makeMemberChanges(registry);
  const reader = makeMemberReader(registry);
  return {
    store: makeQueueStore(firestore),
    members: makeMemberStore(firestore),
    log: makeTwoWayLog(firestore),
    rosterRefresh: makeRosterRefresh(firestore),
    registry: changes,
    changes,
    reader,
    registryMembers: makeRegistryMembers({
      reader,
      pages: makeMemberPages(registry, {
        baseUrl: config.registry.baseUrl,
        deadlineMs: config.registry.fetchTimeoutMs,
      }),
    }),
    protocol: makeApplyProtocol(),
    logs: makeTwoWayLogs(log),
    random: Math.random,
    makeOwner: randomUUID,
    makeRunId: (startedAt) =>
      `${startedAt.toISOString().replace(/[-:]|\.\d+/g, '')}-${randomUUID().slice(0, 8)}`,
    runLimitMs: RUN_LIMIT_MS,
    reference,
    now,
  };
};

let made: TwoWayDependencies | undefined;
const wired = (): TwoWayDependencies => {
  made ??= wireTwoWay(shared());
  return made;
};

/** For the operators' API, which acts on single changes and conflicts. */
export const twoWayDependencies = (): TwoWayDependencies => wired();

/** One write of a member's document. Throws when the event should be delivered again. */
export const trackMemberEvent = async (event: MemberEvent): Promise<void> => {
  const write = toMemberWrite(event);
  // Most writes are our own: they cost no read and open nothing.
  if (write === null || write.isServers) return;
  await trackMemberWrite(write, AbortSignal.timeout(TRACK_LIMIT_MS), wired());
};

/** The nightly run. Throws when Cloud Scheduler should try again; what was done stays done. */
export const runScheduledTwoWay = async (): Promise<void> => {
  const { status, id, errorCode } = await runTwoWay(
    { trigger: 'schedule', which: 'due', requestedBy: null },
    wired(),
  );
  if (status === 'error')
    throw new SyncError(errorCode ?? 'internal', `Two-way run ${id} failed: ${errorCode}`);
};

/** `POST {"deliver"?}` of an administrator. */
export const answerTwoWayRun = (call: HttpCall): Promise<HttpAnswer> => {
  const { authorize, log } = shared();
  return answerAdminPost(call, {
    authorize,
    body: twoWayRequest,
    log,
    handle: async ({ deliver }, caller) =>
      answerTwoWay(await runTwoWay({ trigger: 'http', which: deliver, requestedBy: caller.id }, wired())),
  });
};

/** `POST {"conflict", "path", "keep", "value"?}` of an administrator. */
export const answerResolveConflict = (call: HttpCall): Promise<HttpAnswer> => {
  const { authorize, log } = shared();
  return answerAdminPost(call, {
    authorize,
    body: resolveRequest,
    log,
    handle: (request, caller) =>
      decideConflictOnDemand(request, caller, AbortSignal.timeout(DECIDE_LIMIT_MS), wired()),
  });
};
