import { randomUUID } from 'node:crypto';
import { makeMemberChanges } from '../adapters/django/member-changes.ts';
import { makeMemberPages, makeMemberReader } from '../adapters/django/read-members.ts';
import { makeMemberStore } from '../adapters/firestore/member-store.ts';
import { makeQueueStore, makeTwoWayLog } from '../adapters/firestore/queue-store.ts';
import { makeRosterRefresh } from '../adapters/firestore/roster-refresh.ts';
import { type MemberEvent, toMemberWrite } from '../adapters/firestore/twoway-documents.ts';
import { SyncError } from '../lib/errors.ts';
import { makeTwoWayLogs } from '../twoway/logs.ts';
import { makeApplyProtocol, makeRegistryMembers } from '../twoway/registry.ts';
import { runTwoWay, type TwoWayDependencies } from '../twoway/sweep.ts';
import { trackMemberWrite } from '../twoway/track.ts';
import { type Shared, wiredOnce } from './shared.ts';

/** Less than the trigger's 120 s; a claim lasts longer than both. */
const TRACK_LIMIT_MS = 100_000;
/** Less than the runs' 540 s. */
const RUN_LIMIT_MS = 480_000;

/** The way back over its stores. Opens nothing. */
export const wireTwoWay = ({
  chain,
  config,
  firestore,
  log,
  makeRunId,
  now,
  reference,
  registry,
}: Shared): TwoWayDependencies => {
  const changes = makeMemberChanges(registry);
  const reader = makeMemberReader(registry);
  return {
    store: makeQueueStore(firestore),
    members: makeMemberStore(firestore),
    log: makeTwoWayLog(firestore, chain.current),
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
    makeRunId,
    runLimitMs: RUN_LIMIT_MS,
    reference,
    now,
  };
};

/** Also for the operators' API, which acts on single changes and conflicts, and starts runs. */
export const wiredTwoWay = wiredOnce(wireTwoWay);

/** One write of a member's document. Throws when the event should be delivered again. */
export const trackMemberEvent = async (event: MemberEvent, base?: Shared): Promise<void> => {
  const write = toMemberWrite(event);
  // Most writes are our own: they cost no read and open nothing.
  if (write === null || write.isServers) return;
  await trackMemberWrite(write, AbortSignal.timeout(TRACK_LIMIT_MS), wiredTwoWay(base));
};

/** The nightly run. Throws when Cloud Scheduler should try again; what was done stays done. */
export const runScheduledTwoWay = async (base?: Shared): Promise<void> => {
  const { status, id, errorCode } = await runTwoWay(
    { trigger: 'schedule', which: 'due', requestedBy: null },
    wiredTwoWay(base),
  );
  if (status === 'error')
    throw new SyncError(errorCode ?? 'internal', `Two-way run ${id} failed: ${errorCode}`);
};
