import { makeMemberPages } from '../adapters/django/member-pages.ts';
import { makeMemberReader } from '../adapters/django/member-read.ts';
import { makeHintStore } from '../adapters/firestore/hint-store.ts';
import { makeMemberStore } from '../adapters/firestore/member-store.ts';
import { makePortalIndex } from '../adapters/firestore/portal-index.ts';
import { makePortalWriter } from '../adapters/firestore/portal-writer.ts';
import { makeRosterRefresh } from '../adapters/firestore/roster-refresh.ts';
import type { RunReport } from '../mirror/mirror.ts';
import { type RunRequest, runMirror } from '../mirror/run.ts';
import { assertOccurrenceDone } from '../mirror/run-answer.ts';
import type { ScheduledOccurrence } from '../mirror/run-store.ts';
import type { TakesWordOf } from '../portal/reconcile/compare-members.ts';
import { makePortalMirror } from '../portal/reconcile/portal-mirror.ts';
import { type SyncedMember, type SyncMemberRequest, syncMember } from '../portal/reconcile/sync-member.ts';
import { runDependencies, type Shared, shared } from './shared.ts';

/** Less than the reconcile functions' 1,800 s by more than a batch of writes with its tries. */
export const RECONCILE_RUN_LIMIT_MS = 1_620_000;
/** More than those 1,800 s, so that a live run never loses its lease. */
export const RECONCILE_LEASE_MS = 1_860_000;
/** Less than the 60 s that Firebase Hosting waits, so that the answer is ours. */
const SYNC_MEMBER_LIMIT_MS = 45_000;

const wireReconcile = (base: Shared): ((request: RunRequest, of?: TakesWordOf) => Promise<RunReport>) => {
  const { config, firestore, now, reference, registry } = base;
  const portal = {
    pages: makeMemberPages(registry, {
      baseUrl: config.registry.baseUrl,
      deadlineMs: config.registry.fetchTimeoutMs,
    }),
    registry: makeMemberReader(registry, { deadlineMs: config.registry.fetchTimeoutMs }),
    index: makePortalIndex(firestore),
    writer: makePortalWriter(firestore),
    rosterRefresh: makeRosterRefresh(firestore),
    hints: makeHintStore(firestore),
    reference,
    now,
  };
  const limits = { runLimitMs: RECONCILE_RUN_LIMIT_MS, leaseMs: RECONCILE_LEASE_MS };
  return (request, takesWordOf = null) =>
    runMirror(makePortalMirror({ ...portal, takesWordOf }), request, runDependencies(base, limits));
};

let wired: ReturnType<typeof wireReconcile> | undefined;
/** One run of the portal, whoever asked for it; `takesWordOf`: the registry's word counts also where it is the older one. */
export const runReconcile = (request: RunRequest, takesWordOf: TakesWordOf = null): Promise<RunReport> => {
  wired ??= wireReconcile(shared());
  return wired(request, takesWordOf);
};

/** The scheduled run. Throws when Cloud Scheduler should try this occurrence again. */
export const runScheduledReconcile = async (occurrence: ScheduledOccurrence): Promise<void> =>
  assertOccurrenceDone(await runReconcile({ trigger: 'schedule', occurrence }));

/** One member on demand, for an administrator. Throws the `registry_*` codes, `member_invalid`, `store_unavailable`. */
export const syncOneMember = (request: Omit<SyncMemberRequest, 'signal'>): Promise<SyncedMember> => {
  const { firestore, log, now, reference, registry } = shared();
  return syncMember(
    { ...request, signal: AbortSignal.timeout(SYNC_MEMBER_LIMIT_MS) },
    {
      members: makeMemberStore(firestore),
      registry: makeMemberReader(registry),
      rosterRefresh: makeRosterRefresh(firestore),
      reference,
      now,
      log,
    },
  );
};
